//! `logs`: streamed from the engine that has them. Followed, they begin when the container begins, and go on with the next
//! attempt where a node is lost.

use std::io;

use axum::body::{Body, BodyDataStream};
use axum::extract::{Path, Request, State};
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use bollard::models::ContainerCreateBody;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use pinode_scheduler::ContainerId;

use super::Version;
use super::error::DockerError;
use super::face::Face;
use super::params::Params;
use super::request::bare;
use super::target::Place;

/// From this version on clients are told how the stream is made.
const TELLS_KIND: Version = Version { major: 1, minor: 42 };

pub(super) async fn logs(
    State(face): State<Face>,
    Path(name): Path<String>,
    params: Params,
    request: Request,
) -> Result<Response, DockerError> {
    if !params.flag("stdout") && !params.flag("stderr") {
        return Err(DockerError::bad("Bad parameters: you must choose at least one stream"));
    }
    let id = face.id_of(&name).await?;
    let query = request.uri().query().unwrap_or_default().to_owned();
    let kind = face.stream_kind(id, face.version_of(&request))?;
    let mut story = Story { face, id, query, follow: params.flag("follow"), last: 0, open: None };
    // An error before the first byte is an answer; later it can only end the stream.
    if let Some(place) = story.next_place() {
        story.open(place).await?;
    }
    let body = Body::from_stream(stream::unfold(story, |mut story| async move {
        story.next().await.map(|chunk| (chunk, story))
    }));
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}

impl Face {
    /// Whether what it prints is one stream or two in one.
    pub(super) fn stream_kind(&self, id: ContainerId, version: Version) -> Result<&'static str, DockerError> {
        if self.backend.machine.state().find_container(id).is_none() {
            return Err(super::face::gone(id));
        }
        Ok(match version >= TELLS_KIND && !self.has_terminal(id) {
            true => "application/vnd.docker.multiplexed-stream",
            false => "application/vnd.docker.raw-stream",
        })
    }

    /// Whether it has a terminal: then what it prints is one stream, without frames.
    pub(super) fn has_terminal(&self, id: ContainerId) -> bool {
        let state = self.backend.machine.state();
        let create = state.find_container(id).map(|container| container.spec.create.as_str());
        let body = create.and_then(|create| serde_json::from_str::<ContainerCreateBody>(create).ok());
        body.and_then(|body| body.tty) == Some(true)
    }
}

/// The logs of one attempt after the other.
struct Story {
    face: Face,
    id: ContainerId,
    query: String,
    follow: bool,
    /// The attempt that is or was told last.
    last: u32,
    open: Option<BodyDataStream>,
}

impl Story {
    fn next_place(&self) -> Option<Place> {
        let place = self.face.place(&self.face.backend.machine.state(), self.id)?;
        (place.attempt > self.last).then_some(place)
    }

    async fn open(&mut self, place: Place) -> Result<(), DockerError> {
        self.last = place.attempt;
        let path = format!("/containers/{}/logs?{}", place.docker_name, self.query);
        let answer = self.face.send(place.node, bare(Method::GET, &path)?).await?;
        if !answer.status().is_success() {
            return Err(super::reach::read(answer).await?.error());
        }
        self.open = Some(answer.into_body().into_data_stream());
        Ok(())
    }

    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            if let Some(open) = &mut self.open {
                match open.next().await {
                    Some(Ok(chunk)) => return Some(Ok(chunk)),
                    Some(Err(error)) if !self.follow => {
                        self.open = None;
                        self.last = u32::MAX;
                        return Some(Err(io::Error::other(error)));
                    }
                    // Its node is gone, or the attempt is over; perhaps there is another.
                    Some(Err(_)) | None => self.open = None,
                }
            }
            if !self.follow {
                return None;
            }
            let (last, id) = (self.last, self.id);
            let face = self.face.clone();
            let next = face.until(|state| {
                let Some(container) = state.find_container(id) else { return Some(None) };
                match face.place(state, id).filter(|place| place.attempt > last) {
                    Some(place) => Some(Some(place)),
                    None if container.phase.is_terminal() => Some(None),
                    None => None,
                }
            });
            let place = next.await.ok().flatten()?;
            if let Err(error) = self.open(place).await {
                tracing::debug!(%error, "follow the logs of the next attempt");
            }
        }
    }
}
