//! What brings images: pulls on every node, and what the client sends: to one engine, and from there to the others. The
//! progress is Docker's own JSON lines.

use std::io;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream::{self, BoxStream, select_all};
use futures_util::{Stream, StreamExt};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::docker_api::error::DockerError;
use crate::docker_api::face::Face;
use crate::docker_api::params::Params;
use crate::docker_api::reach::{Peer, read};
use crate::docker_api::stats::lines;

/// Lines of progress that wait for who reads them.
const WAITING_MAX: usize = 64;

type Line = Result<Bytes, io::Error>;

fn line(value: &Value) -> Line {
    Ok(format!("{value}\r\n").into())
}

fn progress(lines: impl Stream<Item = Line> + Send + 'static) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(lines)).into_response()
}

/// `images/create`: a pull, or (with `fromSrc`) an import.
pub(in crate::docker_api) async fn create(
    State(face): State<Face>,
    params: Params,
    request: Request,
) -> Result<Response, DockerError> {
    if params.text("fromSrc").is_some() {
        return sent(face, request, Sent::Import).await;
    }
    let image = params.text("fromImage").ok_or_else(|| DockerError::bad("pull which image?"))?.to_owned();
    let (parts, _) = request.into_parts();
    let path = format!("/images/create?{}", parts.uri.query().unwrap_or_default());
    let pull = async |peer: Peer| {
        let mut pull = Request::post(&path);
        if let Some(auth) = parts.headers.get("X-Registry-Auth") {
            pull = pull.header("X-Registry-Auth", auth);
        }
        let pull = pull.body(Body::empty()).map_err(|error| DockerError::bad(error.to_string()))?;
        let answer = face.send(peer.id, pull).await?;
        if !answer.status().is_success() {
            return Err(read(answer).await?.error());
        }
        Ok(named(peer, answer.into_body()))
    };
    let mut open: Vec<BoxStream<'static, Line>> = Vec::new();
    let mut refused = None;
    for pulled in join_all(face.peers().into_iter().map(pull)).await {
        match pulled {
            Ok(lines) => open.push(lines),
            Err(error) => refused = Some(error),
        }
    }
    match refused {
        Some(error) if open.is_empty() => Err(error),
        Some(error) => {
            let note = json!({ "status": format!("{image} is not pulled everywhere: {error}") });
            Ok(progress(select_all(open).chain(stream::once(async move { line(&note) }))))
        }
        None => Ok(progress(select_all(open))),
    }
}

/// The lines of one engine, each with the name of its node.
fn named(peer: Peer, body: Body) -> BoxStream<'static, Line> {
    let name = peer.name;
    lines(body)
        .map(move |read| {
            let read = read?;
            let Ok(mut value) = serde_json::from_slice::<Value>(&read) else { return Ok(read) };
            if value.get("status").is_some() {
                let id = match value["id"].as_str() {
                    Some(id) => format!("{name} {id}"),
                    None => name.clone(),
                };
                value["id"] = json!(id);
            }
            line(&value)
        })
        .boxed()
}

/// What a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Load,
    Import,
    Build,
}

pub(in crate::docker_api) async fn load(
    State(face): State<Face>,
    request: Request,
) -> Result<Response, DockerError> {
    sent(face, request, Sent::Load).await
}

pub(in crate::docker_api) async fn build(
    State(face): State<Face>,
    params: Params,
    request: Request,
) -> Result<Response, DockerError> {
    if params.text("version") == Some("2") {
        return Err(crate::docker_api::refused::session().await);
    }
    sent(face, request, Sent::Build).await
}

/// To this node's engine, and when it has the images, to the others.
async fn sent(face: Face, request: Request, what: Sent) -> Result<Response, DockerError> {
    let query = Params::parse(request.uri().query().unwrap_or_default());
    let answer = face.engine.send(request).await?;
    if !answer.status().is_success() {
        return Err(read(answer).await?.error());
    }
    let (tell, told) = mpsc::channel::<Line>(WAITING_MAX);
    tokio::spawn(async move {
        let mut images: Vec<String> = match what {
            Sent::Build => query.all("t").to_vec(),
            Sent::Import => {
                query.text("repo").map(|repo| with_tag(repo, query.text("tag"))).into_iter().collect()
            }
            Sent::Load => Vec::new(),
        };
        let mut failed = false;
        let mut body = std::pin::pin!(lines(answer.into_body()));
        while let Some(read) = body.next().await {
            if let Ok(read) = &read {
                let value: Value = serde_json::from_slice(read).unwrap_or_default();
                failed |= value.get("error").is_some();
                images.extend(image_of(&value, what));
            }
            // Who asked may be gone; what he sent is there, and goes to the others all the same.
            let _ = tell.send(read).await;
        }
        if failed || query.flag("quiet") && images.is_empty() {
            return;
        }
        if images.iter().any(|image| !image.starts_with("sha256:")) {
            images.retain(|image| !image.starts_with("sha256:"));
        }
        images.sort();
        images.dedup();
        spread(&face, &images, &tell).await;
    });
    let told = stream::unfold(told, |mut told| async move { told.recv().await.map(|line| (line, told)) });
    Ok(progress(told))
}

fn with_tag(repo: &str, tag: Option<&str>) -> String {
    tag.map_or_else(|| repo.to_owned(), |tag| format!("{repo}:{tag}"))
}

/// The image that a line speaks of.
fn image_of(value: &Value, what: Sent) -> Option<String> {
    match what {
        Sent::Load => {
            let text = value["stream"].as_str()?.trim();
            let loaded =
                text.strip_prefix("Loaded image: ").or_else(|| text.strip_prefix("Loaded image ID: "));
            loaded.map(str::to_owned)
        }
        Sent::Import => {
            value["status"].as_str().filter(|text| text.starts_with("sha256:")).map(str::to_owned)
        }
        Sent::Build => value["aux"]["ID"].as_str().map(str::to_owned),
    }
}

/// Asks every other node to fetch the images from this one. Who asked may be gone; the images go all the same.
async fn spread(face: &Face, images: &[String], tell: &mpsc::Sender<Line>) {
    let others: Vec<Peer> = face.peers().into_iter().filter(|peer| peer.id != face.backend.me).collect();
    for image in images {
        for peer in &others {
            let doing = json!({ "id": peer.name, "status": format!("Loading {image}") });
            let _ = tell.send(line(&doing)).await;
            let done = match face.bring_to(peer.id, image).await {
                Ok(()) => json!({ "id": peer.name, "status": format!("Loaded {image}") }),
                Err(error) => {
                    json!({ "id": peer.name, "status": format!("{image} is not there yet: {error}") })
                }
            };
            let _ = tell.send(line(&done)).await;
        }
    }
}
