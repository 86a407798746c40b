//! A node before its cluster: it answers, and says what it waits for.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

use super::error::ApiError;
use super::{limits, status};
use crate::members::Founding;

/// What is served until the node belongs to a cluster.
pub fn waiting(founding: Arc<Founding>) -> Router {
    limits::around(
        Router::new().route("/healthz", get(status::healthz)).fallback(not_yet).with_state(founding),
    )
}

async fn not_yet(State(founding): State<Arc<Founding>>) -> ApiError {
    let message = format!("this node waits to found or join a cluster: {}", founding.obstacle());
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "no_cluster", message)
}
