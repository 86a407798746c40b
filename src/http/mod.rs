//! What people reach: the native API. A request is parsed once, becomes a command or a look at the
//! state, and every error is a sentence with a stable code.

mod backend;
mod backup;
mod body;
mod containers;
mod elsewhere;
mod error;
mod events;
mod graph;
mod key;
mod limits;
mod logs;
mod nodes;
mod openapi;
mod query;
mod relay;
mod settings;
mod status;
mod submit;
pub(crate) mod view;
mod waiting;

#[cfg(test)]
pub(crate) mod tests;

use axum::Router;
use axum::routing::{delete, get, post};

pub use backend::{Backend, hex};
pub(crate) use body::Body as JsonBody;
pub use error::ApiError;
pub(crate) use graph::picture;
pub use key::Key;
pub(crate) use limits::{BODY_MAX_BYTES, Unread, read_body};
pub use limits::{bind_socket, converse, own_shape, serve, serve_socket};
pub(crate) use nodes::roles as node_roles;
pub use query::{Consistency, Nothing, Query};
pub(crate) use relay::{join_later, relay};
pub(crate) use submit::container_id;
pub use waiting::waiting;

/// What other nodes ask this one for, over the port that nodes have for each other: no more than they need.
pub fn for_nodes(backend: Backend) -> Router {
    let router = Router::new().route("/api/v1/containers/{name}/logs", get(logs::logs)).with_state(backend);
    limits::around(router.fallback(limits::unknown))
}

/// Every route of the native API.
pub fn router(backend: Backend) -> Router {
    let api = Router::new()
        .route("/containers", post(submit::container).get(containers::list))
        .route("/pipelines", post(submit::pipeline))
        .route("/containers/{name}", get(containers::one).delete(containers::remove))
        .route("/containers/{name}/why", get(containers::why))
        .route("/containers/{name}/logs", get(logs::logs))
        .route("/containers/{name}/stop", post(containers::stop))
        .route("/containers/{name}/kill", post(containers::kill))
        .route("/containers/{name}/retry", post(containers::retry))
        .route("/containers/{name}/wait", post(containers::wait))
        .route("/nodes", get(nodes::list))
        .route("/nodes/{name}", delete(nodes::remove))
        .route("/nodes/{name}/drain", post(nodes::drain))
        .route("/nodes/{name}/undrain", post(nodes::undrain))
        .route("/nodes/{name}/labels", post(nodes::label))
        .route("/settings", get(settings::show).post(settings::change))
        .route("/status", get(status::status))
        .route("/backup", get(backup::backup))
        .route("/graph", get(graph::graph))
        .route("/events", get(events::events));
    let router = Router::new()
        .nest("/api/v1", api)
        .route("/api/openapi.json", get(openapi::document))
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz))
        .with_state(backend);
    limits::around(router.fallback(limits::unknown))
}
