//! What is streamed through to the engine that has the Docker container, while it runs or after it has ended.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bollard::models::IdResponse;

use super::error::DockerError;
use super::face::Face;
use super::params::Params;
use super::reach::read;

/// `archive`, in and out: what `docker cp` sends.
pub(super) async fn archive(
    State(face): State<Face>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, DockerError> {
    face.pass_on(&face.placed(&name).await?, "archive", request).await
}

pub(super) async fn changes(
    State(face): State<Face>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, DockerError> {
    face.pass_on(&face.placed(&name).await?, "changes", request).await
}

pub(super) async fn export(
    State(face): State<Face>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, DockerError> {
    face.pass_on(&face.placed(&name).await?, "export", request).await
}

pub(super) async fn top(
    State(face): State<Face>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, DockerError> {
    face.pass_on(&face.running(&name).await?, "top", request).await
}

/// A terminal may be resized before the container runs; its engine is told the size by the next one.
pub(super) async fn resize(
    State(face): State<Face>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, DockerError> {
    face.pass_on(&face.running(&name).await?, "resize", request).await
}

/// An image from a container, on the engine where that is.
pub(super) async fn commit(
    State(face): State<Face>,
    params: Params,
    request: Request,
) -> Result<Response, DockerError> {
    let name = params.text("container").ok_or_else(|| DockerError::bad("commit which container?"))?;
    let place = face.placed(name).await?;
    let query = {
        let asked = request.uri().query().unwrap_or_default().to_owned();
        let pairs = form_urlencoded::parse(asked.as_bytes()).map(|(key, value)| match &*key {
            "container" => (key, place.docker_name.clone().into()),
            _ => (key, value),
        });
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    };
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await;
    let body = body.map_err(|error| DockerError::bad(error.to_string()))?;
    let json = String::from_utf8(body.to_vec()).map_err(|error| DockerError::bad(error.to_string()))?;
    let path = format!("/commit?{query}");
    let request =
        Request::builder().method(Method::POST).uri(path).header("content-type", "application/json");
    let request = request.body(json.into()).map_err(|error| DockerError::bad(error.to_string()))?;
    let made: IdResponse = read(face.send(place.node, request).await?).await?.json()?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}
