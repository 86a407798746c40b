//! A node before its cluster: it answers, and says what it waits for.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use super::error::ApiError;
use super::{limits, status};
use crate::members::Founding;

/// What is served until the node belongs to a cluster.
pub fn waiting(founding: Arc<Founding>) -> Router {
    limits::around(
        Router::new().route("/healthz", get(status::healthz)).fallback(not_yet).with_state(founding),
    )
}

async fn not_yet(State(founding): State<Arc<Founding>>, request: Request) -> Response {
    let message = format!("this node waits to found or join a cluster: {}", founding.obstacle());
    if request.uri().path().starts_with("/api/") {
        return ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "no_cluster", message).into_response();
    }
    // All other paths are Docker's, and its clients read errors so.
    (StatusCode::SERVICE_UNAVAILABLE, Json(bollard::models::ErrorResponse { message })).into_response()
}
