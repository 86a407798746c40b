//! The whole state as one file.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pinode_raft::BackupV1;

use super::backend::Backend;
use super::error::ApiError;
use super::query::{Nothing, Query};
use crate::clock;

/// Everything that was committed before it was asked for.
pub(super) async fn backup(
    State(backend): State<Backend>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Response, ApiError> {
    backend.barrier(false).await?;
    let made = tokio::task::spawn_blocking(move || {
        BackupV1::of(backend.cluster, clock::wall_ms(), backend.machine.snapshot()).encode()
    });
    let failed = |why: String| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", why);
    let made = made.await.map_err(|error| failed(error.to_string()))?;
    let record = made.map_err(|error| failed(error.to_string()))?;
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    Ok(([kind], record).into_response())
}
