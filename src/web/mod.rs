//! The pages people look at: one shell, a few small modules of plain JavaScript, all of it in the binary. A page is a view
//! of the replicated state and nothing else: it reads, and what it changes it changes through the native API.
//!
//! User text is never markup here: the page that comes without a script escapes it, and the scripts only set text.

mod assets;
mod graph;
mod home;
mod layout;
mod now;
mod policy;
mod vitals;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;

use crate::http::{Backend, own_shape};

/// The pages, and what only they ask for.
pub fn routes(backend: Backend) -> Router {
    Router::new()
        .route("/", get(home::home))
        .route("/web/now", get(now::now))
        .route("/web/graph", get(graph::graph))
        .route("/web/vitals", get(vitals::stream))
        .route("/web/{asset}", get(assets::asset))
        .with_state(backend.clone())
        .layer(from_fn_with_state(backend, policy::headers))
        .layer(from_fn(own_shape))
}

/// What other nodes ask this one for.
pub fn for_nodes() -> Router {
    Router::new().route(vitals::HERE, get(vitals::here)).layer(from_fn(own_shape))
}
