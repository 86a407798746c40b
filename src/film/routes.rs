//! `/api/v1/videos`.

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Multipart, Path, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tokio_util::io::ReaderStream;

use super::accept::id_of;
use super::library::{Films, RESULT};
use super::upload;
use crate::agent::runtime::ContainerRuntime;
use crate::api::Video;
use crate::http::{ApiError, Consistency, Key, Nothing, Query, own_shape};

/// Largest film, in bytes.
const FILM_MAX_BYTES: usize = 64 << 30;

/// The routes.
pub fn routes(films: Films) -> Router {
    Router::new()
        .route("/api/v1/videos", get(list).post(post))
        .route("/api/v1/videos/image", get(image))
        .route("/api/v1/videos/{id}", get(one))
        .route("/api/v1/videos/{id}/result", get(result))
        .layer(DefaultBodyLimit::max(FILM_MAX_BYTES))
        .layer(from_fn(own_shape))
        .with_state(films)
}

async fn list(
    State(films): State<Films>,
    Query(consistency): Query<Consistency>,
) -> Result<Json<Vec<Video>>, ApiError> {
    films.backend.barrier(consistency.is_stale()).await?;
    Ok(Json(films.all()))
}

async fn one(
    State(films): State<Films>,
    Path(id): Path<String>,
    Query(consistency): Query<Consistency>,
) -> Result<Json<Video>, ApiError> {
    films.backend.barrier(consistency.is_stale()).await?;
    films.find(&id).map(Json).ok_or_else(|| no_such(&id))
}

pub(super) fn no_such(id: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "no_such_video", format!("no such video: {id}"))
}

async fn result(
    State(films): State<Films>,
    Path(id): Path<String>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Response, ApiError> {
    films.backend.barrier(false).await?;
    let video = films.find(&id).ok_or_else(|| no_such(&id))?;
    let folder = films.folder(&id).ok_or_else(|| no_such(&id))?;
    if video.state != "succeeded" {
        let message = format!("the video {id} is {}; there is no result", video.state);
        return Err(ApiError::new(StatusCode::CONFLICT, "no_result", message));
    }
    let file = tokio::fs::File::open(folder.join(RESULT)).await.map_err(|error| upload::disk(&error))?;
    let length = file.metadata().await.map_err(|error| upload::disk(&error))?.len();
    let headers =
        [(header::CONTENT_TYPE, "video/mp4".to_owned()), (header::CONTENT_LENGTH, length.to_string())];
    Ok((headers, Body::from_stream(ReaderStream::new(file))).into_response())
}

/// Whether this node's engine has the film image; asked by other nodes.
async fn image(State(films): State<Films>) -> Result<Json<bool>, ApiError> {
    Ok(Json(films.engine.has_image(&films.image).await?))
}

async fn post(
    State(films): State<Films>,
    Query(Nothing {}): Query<Nothing>,
    key: Key,
    multipart: Multipart,
) -> Result<(StatusCode, Json<Video>), ApiError> {
    films.backend.barrier(false).await?;
    let id = id_of(&key);
    let accepted = match films.card(&id) {
        Some(card) => films.accept_again(&key, card, multipart).await?,
        None => films.accept(&key, &id, multipart).await?,
    };
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}
