//! What a cluster cannot do as one engine does. It is said in a sentence, with the way round.

use axum::extract::{Path, Request};
use axum::http::StatusCode;

use super::error::DockerError;

/// 501.
pub(super) fn refuse(what: &str) -> DockerError {
    DockerError::new(StatusCode::NOT_IMPLEMENTED, format!("pinode does not do {what}"))
}

/// Swarm mode: services, tasks, secrets, configs, and the swarm itself.
pub(super) async fn swarm() -> DockerError {
    refuse(
        "Swarm mode; a container with --restart is a service here, and `pinode submit` takes a compose file",
    )
}

/// Plugins.
pub(super) async fn plugins() -> DockerError {
    refuse("plugins of engines; install them on each node's own engine")
}

/// `docker inspect` looks for one, when it does not know what a name means: there is none.
pub(super) async fn plugin(Path(rest): Path<String>) -> DockerError {
    match rest.strip_suffix("/json") {
        Some(name) => DockerError::missing(format!("plugin \"{name}\" not found")),
        None => plugins().await,
    }
}

/// BuildKit's sessions.
pub(super) async fn session() -> DockerError {
    refuse("BuildKit's sessions; build with DOCKER_BUILDKIT=0")
}

/// Checkpoints.
pub(super) async fn checkpoint() -> DockerError {
    refuse("checkpoints, which stay on one machine")
}

/// Attach through a web socket.
pub(super) async fn websocket() -> DockerError {
    refuse("attach through web sockets; attach with `docker attach`")
}

/// Docker knows no such path.
pub(super) async fn unknown(request: Request) -> DockerError {
    DockerError::missing(format!("page not found: {} {}", request.method(), request.uri().path()))
}
