//! What is done to one container: start, stop, kill, restart, pause, rename, remove.

use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use pinode_scheduler::container::{Outcome, Phase};
use pinode_scheduler::{Command, ContainerId, Reply};
use tokio::time::timeout;

use super::error::DockerError;
use super::face::Face;
use super::params::Params;
use super::request::bare;
use super::target::Place;
use crate::http::Key;
use crate::submit::check_name;

/// A start answers when the container runs; one that takes longer (an image on its way) is under way, and that is told.
const START_WITHIN: Duration = Duration::from_secs(60);
/// Signals whose default is to end a program, and that people send for it to end.
const ENDING: [&str; 8] = ["INT", "2", "QUIT", "3", "TERM", "15", "ABRT", "6"];

pub(super) async fn start(
    State(face): State<Face>,
    Path(name): Path<String>,
    key: Key,
) -> Result<StatusCode, DockerError> {
    let id = face.id_of(&name).await?;
    let attached = face.is_attached(id);
    let request = key.request(&("start", &name))?;
    match face.commit(Command::Start { request, container: id, attached }).await? {
        Reply::Stale => Ok(StatusCode::NOT_MODIFIED),
        Reply::Done | Reply::Submitted(_) | Reply::Rejected(_) => face.until_started(id).await,
    }
}

impl Face {
    /// What has room is waited for; what waits, starts by itself.
    async fn until_started(&self, id: ContainerId) -> Result<StatusCode, DockerError> {
        let started = self.until(|state| {
            let Some(container) = state.find_container(id) else { return Some(Ok(())) };
            match &container.phase {
                Phase::Claimed(_) => None,
                Phase::Failed(failure) => match container.latest().and_then(|last| last.end.as_ref()) {
                    Some(Outcome::LaunchFailed { reason, .. }) => Some(Err(reason.clone())),
                    _ if container.attempt == 0 => Some(Err(failure.reason.clone().unwrap_or_default())),
                    _ => Some(Ok(())),
                },
                Phase::Created
                | Phase::Blocked { .. }
                | Phase::Ready
                | Phase::Running(_)
                | Phase::Backoff
                | Phase::Unknown(_)
                | Phase::Succeeded
                | Phase::Skipped { .. }
                | Phase::Cancelled { .. } => Some(Ok(())),
            }
        });
        match timeout(START_WITHIN, started).await {
            Ok(started) => started?.map_err(DockerError::bad)?,
            Err(_) => tracing::debug!(container = %id, "a start is answered before it is done"),
        }
        Ok(StatusCode::NO_CONTENT)
    }

    /// Returns when it neither runs nor is about to, or a restart has begun another attempt than `attempt`.
    async fn until_stopped(&self, id: ContainerId, attempt: u32) -> Result<(), DockerError> {
        self.until(|state| {
            let Some(container) = state.find_container(id) else { return Some(()) };
            let active = matches!(container.phase, Phase::Claimed(_) | Phase::Running(_));
            (!active || container.attempt != attempt).then_some(())
        })
        .await
    }

    fn attempt_of(&self, id: ContainerId) -> u32 {
        self.backend.machine.state().find_container(id).map_or(0, |container| container.attempt)
    }
}

pub(super) async fn stop(
    State(face): State<Face>,
    Path(name): Path<String>,
    params: Params,
    key: Key,
) -> Result<StatusCode, DockerError> {
    let id = face.id_of(&name).await?;
    let ended = |state: &pinode_scheduler::State| state.find_container(id).map(|c| c.phase.is_terminal());
    if ended(&face.backend.machine.state()) == Some(true) {
        return Ok(StatusCode::NOT_MODIFIED);
    }
    let (attempt, request) = (face.attempt_of(id), key.request(&("stop", &name))?);
    let stop = Command::Stop { request, container: id, kill: false, grace_s: params.number("t")? };
    match face.commit(stop).await? {
        Reply::Stale => Ok(StatusCode::NOT_MODIFIED),
        Reply::Done | Reply::Submitted(_) | Reply::Rejected(_) => {
            face.until_stopped(id, attempt).await?;
            Ok(StatusCode::NO_CONTENT)
        }
    }
}

pub(super) async fn restart(
    State(face): State<Face>,
    Path(name): Path<String>,
    params: Params,
    key: Key,
) -> Result<StatusCode, DockerError> {
    let id = face.id_of(&name).await?;
    let (attempt, request) = (face.attempt_of(id), key.request(&("restart", &name))?);
    face.commit(Command::Restart { request, container: id, grace_s: params.number("t")? }).await?;
    face.until_stopped(id, attempt).await?;
    face.until_started(id).await
}

pub(super) async fn kill(
    State(face): State<Face>,
    Path(name): Path<String>,
    params: Params,
    key: Key,
) -> Result<StatusCode, DockerError> {
    let id = face.id_of(&name).await?;
    let signal = params.text("signal").unwrap_or("KILL").to_ascii_uppercase();
    let signal = signal.strip_prefix("SIG").unwrap_or(&signal);
    if !signal.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-')) {
        return Err(DockerError::bad(format!("Invalid signal: {signal}")));
    }
    let runs = matches!(
        face.backend.machine.state().find_container(id).map(|container| &container.phase),
        Some(Phase::Running(_))
    );
    if matches!(signal, "KILL" | "9") || !runs {
        let (attempt, request) = (face.attempt_of(id), key.request(&("kill", &name))?);
        face.commit(Command::Stop { request, container: id, kill: true, grace_s: None }).await?;
        face.until_stopped(id, attempt).await?;
        return Ok(StatusCode::NO_CONTENT);
    }
    face.signal(&face.running(&name).await?, signal).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Face {
    /// Sends a signal to what runs. Where people mean it to end, that it was asked for is on its node's disk before.
    async fn signal(&self, place: &Place, signal: &str) -> Result<(), DockerError> {
        if place.node == self.backend.me {
            return self.signal_here(place, signal).await;
        }
        let path = format!("{SIGNAL}/{}/{}?signal={signal}", place.id, place.attempt);
        let request = bare(Method::POST, &path)?;
        let answer = super::reach::read(self.backend.send_to_node(place.node, request).await?).await?;
        if answer.status.is_success() { Ok(()) } else { Err(answer.error()) }
    }

    async fn signal_here(&self, place: &Place, signal: &str) -> Result<(), DockerError> {
        if ENDING.contains(&signal) {
            let intent = self.backend.agent.stop_intent((place.id, place.attempt));
            intent.map_err(|error| DockerError::internal(format!("write an intent: {error}")))?;
        }
        let path = format!("/containers/{}/kill?signal={signal}", place.docker_name);
        let answer = self.ask(self.backend.me, Method::POST, &path).await?;
        if answer.status.is_success() { Ok(()) } else { Err(answer.error()) }
    }
}

/// Where a node is asked to send a signal.
pub(super) const SIGNAL: &str = "/signal";

/// The same on the node that has it.
pub(super) async fn signal(
    State(face): State<Face>,
    Path((id, attempt)): Path<(String, u32)>,
    params: Params,
) -> Result<StatusCode, DockerError> {
    let place = face.own_place(&id, attempt)?;
    let signal = params.text("signal").ok_or_else(|| DockerError::bad("no signal"))?;
    face.signal_here(&place, signal).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Face {
    /// An attempt that another node says is here.
    pub(super) fn own_place(&self, id: &str, attempt: u32) -> Result<Place, DockerError> {
        let state = self.backend.machine.state();
        let container = state.resolve(id)?;
        Ok(self.place_of(container, self.backend.me, attempt))
    }
}

/// `pause` and `unpause`: the engine's affair, and not the cluster's.
pub(super) async fn pause(
    State(face): State<Face>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, DockerError> {
    face.pass_on(&face.running(&name).await?, "pause", request).await
}

pub(super) async fn unpause(
    State(face): State<Face>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, DockerError> {
    face.pass_on(&face.running(&name).await?, "unpause", request).await
}

pub(super) async fn rename(
    State(face): State<Face>,
    Path(name): Path<String>,
    params: Params,
    key: Key,
) -> Result<StatusCode, DockerError> {
    let wanted = params.text("name").ok_or_else(|| DockerError::bad("New name cannot be empty"))?;
    let wanted = check_name("name", wanted.strip_prefix('/').unwrap_or(wanted))?;
    let id = face.id_of(&name).await?;
    let request = key.request(&("rename", &name, &wanted))?;
    face.commit(Command::Rename { request, container: id, name: wanted }).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn remove(
    State(face): State<Face>,
    Path(name): Path<String>,
    params: Params,
    key: Key,
) -> Result<StatusCode, DockerError> {
    let id = face.id_of(&name).await?;
    let force = params.flag("force");
    let request = key.request(&("rm", &name, force))?;
    face.commit(Command::Remove { request, container: id, force }).await?;
    face.until(|state| state.find_container(id).is_none().then_some(())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `containers/prune`: what has ended, and what nobody has started.
pub(super) async fn prune(
    State(face): State<Face>,
    params: Params,
) -> Result<axum::Json<bollard::models::ContainerPruneResponse>, DockerError> {
    let filters = super::filters::Filters::parse(&params, &["label", "label!", "until"])?;
    if filters.values("until").is_some() {
        return Err(super::refused::refuse("the filter until of a prune; remove by name (docker rm)"));
    }
    face.backend.barrier(false).await?;
    let over: Vec<ContainerId> = {
        let state = face.backend.machine.state();
        let over = |c: &&pinode_scheduler::Container| c.phase.is_terminal() || c.phase == Phase::Created;
        let labelled = |c: &&pinode_scheduler::Container| {
            let find = |key: &str| c.spec.labels.get(key).map(String::as_str);
            filters.takes_labels("label", find)
                && (filters.values("label!").is_none() || !filters.takes_labels("label!", find))
        };
        state.containers().filter(over).filter(labelled).map(|c| c.id).collect()
    };
    let mut deleted = Vec::new();
    for id in over {
        let request = Key::fresh()?.request(&("prune", id.to_string()))?;
        if face.commit(Command::Remove { request, container: id, force: false }).await.is_ok() {
            deleted.push(id.to_string());
        }
    }
    let (containers_deleted, space_reclaimed) = (Some(deleted), Some(0));
    Ok(axum::Json(bollard::models::ContainerPruneResponse { containers_deleted, space_reclaimed }))
}
