//! `/api/v1/videos`.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Multipart, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http_body_util::{BodyExt, Limited};
use pinode_scheduler::{NodeId, RequestKey, command};
use sha2::{Digest, Sha256};
use tokio::time::timeout;
use tokio_util::io::ReaderStream;

use super::library::{Card, Films, RESULT};
use super::pipeline::{self, Order};
use super::probe::{self, ProbeError};
use super::upload::{self, Folder, Form};
use crate::agent::runtime::ContainerRuntime;
use crate::api::Video;
use crate::http::{ApiError, hex};

/// Largest film, in bytes.
const FILM_MAX_BYTES: usize = 64 << 30;
/// Parts of a film when nobody says how many, at most.
const PARTS_DEFAULT_MAX: u32 = 64;
const BITRATE: &str = "2M";
const CODEC: &str = "libx264";
/// Longest wait for another node's word on its image.
const ASK_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest such word, in bytes.
const WORD_MAX_BYTES: usize = 1024;

/// The routes.
pub fn routes(films: Films) -> Router {
    Router::new()
        .route("/api/v1/videos", get(list).post(post))
        .route("/api/v1/videos/image", get(image))
        .route("/api/v1/videos/{id}", get(one))
        .route("/api/v1/videos/{id}/result", get(result))
        .layer(DefaultBodyLimit::max(FILM_MAX_BYTES))
        .with_state(films)
}

async fn list(State(films): State<Films>) -> Result<Json<Vec<Video>>, ApiError> {
    films.backend.barrier(false).await?;
    Ok(Json(films.all()))
}

async fn one(State(films): State<Films>, Path(id): Path<String>) -> Result<Json<Video>, ApiError> {
    films.backend.barrier(false).await?;
    films.find(&id).map(Json).ok_or_else(|| no_such(&id))
}

fn no_such(id: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "no_such_video", format!("no such video: {id}"))
}

async fn result(State(films): State<Films>, Path(id): Path<String>) -> Result<Response, ApiError> {
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
    headers: HeaderMap,
    multipart: Multipart,
) -> Result<(StatusCode, Json<Video>), ApiError> {
    let key = headers.get("idempotency-key").map(|key| key.as_bytes().to_vec());
    let id = id_of(key.as_deref())?;
    if let Some(video) = films.find(&id) {
        return Ok((StatusCode::ACCEPTED, Json(video)));
    }
    let has_image = films.engine.has_image(&films.image).await?;
    if !has_image && !films.image_is_elsewhere().await {
        let message = format!(
            "no node has the film image {}; put it into an engine with deploy/images/build -H unix:///var/run/docker.sock",
            films.image
        );
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "no_film_image", message));
    }
    let folder = films.folder(&id).ok_or_else(|| no_such(&id))?;
    let folder = Folder::make(folder).await?;
    let form = upload::receive(multipart, &folder).await?;
    let parts = films.parts(&form, has_image, &folder, &id).await?;
    let video = films.submit(&id, &form, parts).await?;
    folder.keep();
    Ok((StatusCode::ACCEPTED, Json(video)))
}

fn id_of(key: Option<&[u8]>) -> Result<String, ApiError> {
    let mut random = [0; 16];
    let failed =
        |error| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "no_randomness", format!("{error}"));
    getrandom::fill(&mut random).map_err(failed)?;
    let hash = Sha256::digest(key.unwrap_or(&random));
    Ok(hex(&hash[..6]))
}

impl Films {
    /// As many as asked for, or as the cluster has CPUs; no more than there are places to cut.
    async fn parts(&self, form: &Form, probe_here: bool, folder: &Folder, id: &str) -> Result<u32, ApiError> {
        let wanted = form.parts.unwrap_or_else(|| self.default_parts());
        // Without the image here, the first container of the pipeline looks, where the image is.
        if !probe_here {
            return Ok(wanted);
        }
        match probe::probe(&self.engine, &self.image, folder.path(), id).await {
            Ok(film) => Ok(wanted.min(film.keyframes.max(1))),
            Err(ProbeError::NoFilm(why)) => {
                let name = form.file_name.as_deref().unwrap_or("the file");
                let message = format!("{name}: {why}");
                let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "no_video", message);
                Err(ApiError { field: Some("file".to_owned()), ..error })
            }
            Err(ProbeError::Engine(error)) => Err(error.into()),
        }
    }

    fn default_parts(&self) -> u32 {
        let state = self.backend.machine.state();
        let milli: u64 =
            state.nodes().filter(|node| node.is_open()).map(|node| node.facts.capacity.cpu_milli).sum();
        u32::try_from(milli / 1000).unwrap_or(u32::MAX).clamp(1, PARTS_DEFAULT_MAX)
    }

    async fn submit(&self, id: &str, form: &Form, parts: u32) -> Result<Video, ApiError> {
        let order = Order {
            id,
            image: &self.image,
            parts,
            bitrate: form.bitrate.as_deref().unwrap_or(BITRATE),
            codec: form.codec.as_deref().unwrap_or(CODEC),
        };
        let name = form.name.clone().or_else(|| form.file_name.clone()).unwrap_or_default();
        let card = Card { id: id.to_owned(), name, parts };
        self.write_card(&card).map_err(|error| upload::disk(&error))?;
        let key = RequestKey(format!("video-{id}"));
        let request = command::Request { key, body: Sha256::digest(id).into() };
        self.backend.submit_pipeline(request, &pipeline::pipeline(&order)).await?;
        // The leader has it; this node may not have applied it yet, and would call the film cancelled.
        self.backend.barrier(false).await?;
        self.find(id).ok_or_else(|| no_such(id))
    }

    async fn image_is_elsewhere(&self) -> bool {
        let others: Vec<NodeId> = {
            let state = self.backend.machine.state();
            let others = state.nodes().filter(|node| node.is_open() && node.id != self.backend.me);
            others.map(|node| node.id).collect()
        };
        for node in others {
            if timeout(ASK_TIMEOUT, self.has_image(node)).await.is_ok_and(|has| has == Some(true)) {
                return true;
            }
        }
        false
    }

    async fn has_image(&self, node: NodeId) -> Option<bool> {
        let answer = self.backend.ask_node(node, "/api/v1/videos/image").await.ok()?;
        let body = Limited::new(answer.into_body(), WORD_MAX_BYTES).collect().await.ok()?.to_bytes();
        serde_json::from_slice(&body).ok()
    }
}
