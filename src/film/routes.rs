//! `/api/v1/videos`.

use axum::extract::{DefaultBodyLimit, Multipart, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::Response;
use axum::routing::{get, post as posted};
use axum::{Json, Router};
use serde::Deserialize;

use super::accept::id_of;
use super::library::{Films, RESULT};
use super::{act, pieces, range};
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
        .route("/api/v1/videos/{id}/cancel", posted(act::cancel))
        .route("/api/v1/videos/{id}/retry", posted(act::retry))
        .layer(DefaultBodyLimit::max(FILM_MAX_BYTES))
        .layer(from_fn(own_shape))
        .with_state(films.clone())
        .merge(pieces::routes(films))
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

/// Query of a result.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Want {
    /// As a file with the film's name, and not to be played.
    #[serde(default)]
    download: bool,
}

async fn result(
    State(films): State<Films>,
    Path(id): Path<String>,
    Query(want): Query<Want>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    films.backend.barrier(false).await?;
    let video = find(&films, &id).await?;
    let folder = films.folder(&id).ok_or_else(|| no_such(&id))?;
    if video.state != "succeeded" {
        let message = format!("the video {id} is {}; there is no result", video.state);
        return Err(ApiError::new(StatusCode::CONFLICT, "no_result", message));
    }
    let mut more = vec![(header::CONTENT_TYPE, "video/mp4".to_owned())];
    if want.download {
        more.push((header::CONTENT_DISPOSITION, attachment(&video.name)));
    }
    range::send(&folder.join(RESULT), &headers, more).await
}

/// The header for a file of this name, whatever letters and quotes it has (RFC 6266).
fn attachment(name: &str) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let letter = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    let letters: String = stem.bytes().map(letter).collect();
    format!("attachment; filename=\"film.mp4\"; filename*=UTF-8''{letters}.mp4")
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
