//! `/api/v1/uploads`: a film that comes in pieces, for connections that break. `POST` opens it, `HEAD` or `GET` says how far
//! it is, `PATCH` brings the next piece, `POST …/finish` is then the same as `POST /api/v1/videos` with the whole film.

use std::io::SeekFrom;

use axum::body::{Body, BodyDataStream};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::StreamExt;
use tokio::fs::OpenOptions;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::accept::id_of;
use super::library::Films;
use super::partial::{Order, Partial, no_such};
use super::upload::{self, Form};
use crate::api::{NewUpload, Upload, Video};
use crate::http::{ApiError, JsonBody, Key, Nothing, Query, own_shape};

const OFFSET: &str = "upload-offset";
const LENGTH: &str = "upload-length";

/// The routes.
pub(super) fn routes(films: Films) -> Router {
    Router::new()
        .route("/api/v1/uploads", post(open).get(list))
        .route("/api/v1/uploads/{id}", get(one).patch(piece).delete(remove))
        .route("/api/v1/uploads/{id}/finish", post(finish))
        .layer(from_fn(own_shape))
        .with_state(films)
}

async fn open(
    State(films): State<Films>,
    Query(Nothing {}): Query<Nothing>,
    key: Key,
    JsonBody(new): JsonBody<NewUpload>,
) -> Result<Response, ApiError> {
    let form = Form::of(&new)?;
    if new.size == 0 {
        return Err(ApiError::bad("file", "the file is empty"));
    }
    let order = Order { key: key.as_str().to_owned(), size: new.size, modified: new.modified, form };
    let id = id_of(&key);
    let wanted = id.clone();
    let partial = films.look(move |films| films.open_upload(&wanted, &order)).await??;
    let location = [(header::LOCATION, format!("/api/v1/uploads/{id}"))];
    Ok((StatusCode::CREATED, location, Json(view(id, &partial))).into_response())
}

async fn list(
    State(films): State<Films>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<Vec<Upload>>, ApiError> {
    let all = films.look(Films::partials).await?;
    Ok(Json(all.into_iter().map(|(id, partial)| view(id, &partial)).collect()))
}

fn view(id: String, partial: &Partial) -> Upload {
    let order = &partial.order;
    let (size, modified, offset) = (order.size, order.modified, partial.offset());
    Upload { id, file_name: order.form.file_name.clone(), size, modified, offset }
}

async fn find(films: &Films, id: &str) -> Result<Partial, ApiError> {
    let wanted = id.to_owned();
    films.look(move |films| films.partial(&wanted)).await?.ok_or_else(|| no_such(id))
}

async fn one(
    State(films): State<Films>,
    Path(id): Path<String>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Response, ApiError> {
    let seen = view(id.clone(), &find(&films, &id).await?);
    let headers = [(OFFSET, seen.offset.to_string()), (LENGTH, seen.size.to_string())];
    Ok((headers, [(header::CACHE_CONTROL, "no-store")], Json(seen)).into_response())
}

/// One piece, at the place that it names. What has arrived stays, even when the connection breaks in its middle. Two
/// connections that bring the same piece write the same bytes to the same place.
async fn piece(
    State(films): State<Films>,
    Path(id): Path<String>,
    Query(Nothing {}): Query<Nothing>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let at = headers.get(OFFSET).and_then(|text| text.to_str().ok()?.parse::<u64>().ok());
    let at = at.ok_or_else(|| ApiError::bad("Upload-Offset", "a piece says at which byte it begins"))?;
    let partial = find(&films, &id).await?;
    let there = partial.offset();
    if at != there {
        let message = format!("the next byte is {there}, and this piece begins at {at}");
        let error = ApiError::new(StatusCode::CONFLICT, "wrong_offset", message);
        return Err(ApiError { field: Some("Upload-Offset".to_owned()), ..error });
    }
    let end = write(&partial, at, body.into_data_stream()).await?;
    Ok((StatusCode::NO_CONTENT, [(OFFSET, end.to_string())]).into_response())
}

async fn write(partial: &Partial, at: u64, mut body: BodyDataStream) -> Result<u64, ApiError> {
    let disk = |error: std::io::Error| upload::disk(&error);
    let mut file = OpenOptions::new().write(true).open(partial.pieces()).await.map_err(disk)?;
    file.seek(SeekFrom::Start(at)).await.map_err(disk)?;
    let mut end = at;
    while let Some(bytes) = body.next().await {
        let Ok(bytes) = bytes else {
            file.flush().await.map_err(disk)?;
            return Err(ApiError::bad("body", "the connection broke in the middle of the piece"));
        };
        end += bytes.len() as u64;
        if end > partial.order.size {
            let message = format!("the upload was announced with {} bytes", partial.order.size);
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message));
        }
        file.write_all(&bytes).await.map_err(disk)?;
    }
    // A failed write is told by the flush alone.
    file.flush().await.map_err(disk)?;
    // Who is told how far it is does not send this piece again.
    file.sync_data().await.map_err(disk)?;
    Ok(end)
}

async fn remove(
    State(films): State<Films>,
    Path(id): Path<String>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<StatusCode, ApiError> {
    let folder = find(&films, &id).await?.folder;
    films.look(move |_| upload::remove(&folder)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn finish(
    State(films): State<Films>,
    Path(id): Path<String>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<(StatusCode, Json<Video>), ApiError> {
    films.backend.barrier(false).await?;
    Ok((StatusCode::ACCEPTED, Json(films.accept_pieces(&id).await?)))
}
