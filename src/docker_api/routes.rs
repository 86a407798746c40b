//! Every endpoint, with who answers it.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, delete, get, post};

use super::error::DockerError;
use super::face::Face;
use super::reach::ENGINE;
use super::request::redirect;
use super::{
    archive, attach, create, events, exec, images, inspect, lifecycle, list, logs, networks, refused, stats,
    system, update, volumes, wait,
};

/// Docker's paths, without their version.
pub(super) fn router(face: Face) -> Router {
    containers().merge(images()).merge(others()).fallback(refused::unknown).with_state(face)
}

fn containers() -> Router<Face> {
    Router::new()
        .route("/containers/json", get(list::list))
        .route("/containers/create", post(create::create))
        .route("/containers/prune", post(lifecycle::prune))
        .route("/containers/{name}/json", get(inspect::inspect))
        .route("/containers/{name}/start", post(lifecycle::start))
        .route("/containers/{name}/stop", post(lifecycle::stop))
        .route("/containers/{name}/restart", post(lifecycle::restart))
        .route("/containers/{name}/kill", post(lifecycle::kill))
        .route("/containers/{name}/pause", post(lifecycle::pause))
        .route("/containers/{name}/unpause", post(lifecycle::unpause))
        .route("/containers/{name}/rename", post(lifecycle::rename))
        .route("/containers/{name}/update", post(update::update))
        .route("/containers/{name}/wait", post(wait::wait))
        .route("/containers/{name}", delete(lifecycle::remove))
        .route("/containers/{name}/logs", get(logs::logs))
        .route("/containers/{name}/attach", post(attach::attach))
        .route("/containers/{name}/attach/ws", get(refused::websocket))
        .route("/containers/{name}/resize", post(archive::resize))
        .route("/containers/{name}/top", get(archive::top))
        .route("/containers/{name}/stats", get(stats::stats))
        .route("/containers/{name}/changes", get(archive::changes))
        .route("/containers/{name}/export", get(archive::export))
        .route(
            "/containers/{name}/archive",
            get(archive::archive).put(archive::archive).head(archive::archive),
        )
        .route("/containers/{name}/exec", post(exec::create))
        .route("/containers/{name}/checkpoints", any(refused::checkpoint))
        .route("/exec/{id}/start", post(exec::start))
        .route("/exec/{id}/resize", post(exec::resize))
        .route("/exec/{id}/json", get(exec::inspect))
        .route("/commit", post(archive::commit))
}

fn images() -> Router<Face> {
    Router::new()
        .route("/images/json", get(images::list))
        .route("/images/create", post(images::create))
        .route("/images/load", post(images::load))
        .route("/images/get", get(images::get_many))
        .route("/images/prune", post(images::prune))
        .route("/images/search", get(images::search))
        .route("/images/{*rest}", any(images::one))
        .route("/build", post(images::build))
        .route("/build/prune", post(images::prune_builds))
        .route("/session", any(refused::session))
        .route("/grpc", any(refused::session))
}

fn others() -> Router<Face> {
    Router::new()
        .route("/_ping", get(system::ping))
        .route("/version", get(system::version))
        .route("/info", get(system::info))
        .route("/events", get(events::events))
        .route("/system/df", get(system::disk_usage))
        .route("/auth", post(system::auth))
        .route("/distribution/{*rest}", get(system::here))
        .route("/volumes", get(volumes::list))
        .route("/volumes/create", post(volumes::create))
        .route("/volumes/prune", post(volumes::prune))
        .route("/volumes/{name}", get(volumes::inspect).delete(volumes::remove))
        .route("/networks", get(networks::list))
        .route("/networks/create", post(networks::create))
        .route("/networks/prune", post(networks::prune))
        .route("/networks/{name}", get(networks::inspect).delete(networks::remove))
        .route("/networks/{name}/connect", post(networks::connect))
        .route("/networks/{name}/disconnect", post(networks::disconnect))
        .route("/swarm", any(refused::swarm))
        .route("/swarm/{*rest}", any(refused::swarm))
        .route("/nodes", any(refused::swarm))
        .route("/services", any(refused::swarm))
        .route("/services/{*rest}", any(refused::swarm))
        .route("/tasks", any(refused::swarm))
        .route("/secrets", any(refused::swarm))
        .route("/configs", any(refused::swarm))
        .route("/plugins", any(refused::plugins))
        .route("/plugins/{*rest}", any(refused::plugin))
}

/// What other nodes ask this one for: its engine, as bytes, and what must be done beside it.
pub fn for_nodes(face: Face) -> Router {
    let engine = format!("{ENGINE}/{{*path}}");
    let signal = format!("{}/{{id}}/{{attempt}}", lifecycle::SIGNAL);
    let gate = format!("{}/{{id}}/{{attempt}}", attach::GATE);
    Router::new()
        .route(&engine, any(own_engine))
        .route(&signal, post(lifecycle::signal))
        .route(&gate, post(attach::at_gate))
        .route(images::BRING, post(images::bring))
        .with_state(face)
}

async fn own_engine(State(face): State<Face>, mut request: Request) -> Result<Response, DockerError> {
    let path = request.uri().path_and_query().map_or("", |path| path.as_str());
    let path = path.strip_prefix(ENGINE).unwrap_or(path).to_owned();
    redirect(&mut request, &path)?;
    face.engine.send(request).await
}
