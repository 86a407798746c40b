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
        .route("/api/v1/videos/{id}", get(one))
        .route("/api/v1/videos/{id}/result", get(result))
        .layer(DefaultBodyLimit::max(FILM_MAX_BYTES))
        .layer(from_fn(own_shape))
        .with_state(films)
}

/// What other nodes ask this one for.
pub fn for_nodes(films: Films) -> Router {
    Router::new().route("/api/v1/videos/image", get(image)).layer(from_fn(own_shape)).with_state(films)
}

async fn list(
    State(films): State<Films>,
    Query(consistency): Query<Consistency>,
) -> Result<Json<Vec<Video>>, ApiError> {
    films.backend.barrier(consistency.is_stale()).await?;
    Ok(Json(films.look(Films::all).await?))
}

async fn one(
    State(films): State<Films>,
    Path(id): Path<String>,
    Query(consistency): Query<Consistency>,
) -> Result<Json<Video>, ApiError> {
    films.backend.barrier(consistency.is_stale()).await?;
    find(&films, &id).await.map(Json)
}

async fn find(films: &Films, id: &str) -> Result<Video, ApiError> {
    let wanted = id.to_owned();
    films.look(move |films| films.find(&wanted)).await?.ok_or_else(|| no_such(id))
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
    let video = find(&films, &id).await?;
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
    let wanted = id.clone();
    let accepted = match films.look(move |films| films.card(&wanted)).await? {
        Some(card) => films.accept_again(&key, card, multipart).await?,
        None => films.accept(&key, &id, multipart).await?,
    };
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}
