//! One container, and many: look, explain, wait, stop, kill, retry, remove.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use pinode_scheduler::command::Request;
use pinode_scheduler::{Command, ContainerId};
use serde::Deserialize;

use super::backend::Backend;
use super::error::ApiError;
use super::key::Key;
use super::query::{Consistency, Freshness, Nothing, Query};
use super::view;
use crate::api;

/// Filters of the listing.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filters {
    state: Option<String>,
    name: Option<String>,
    pipeline: Option<String>,
    #[serde(default)]
    consistency: Freshness,
}

const STATES: [&str; 11] = [
    "created",
    "blocked",
    "ready",
    "claimed",
    "running",
    "backoff",
    "unknown",
    "succeeded",
    "failed",
    "skipped",
    "cancelled",
];

pub(super) async fn list(
    State(backend): State<Backend>,
    Query(filters): Query<Filters>,
) -> Result<Json<Vec<api::Container>>, ApiError> {
    if let Some(state) = filters.state.as_deref()
        && !STATES.contains(&state)
    {
        return Err(ApiError::bad("state", format!("`{state}` is not one of {}", STATES.join(", "))));
    }
    backend.barrier(filters.consistency.is_stale()).await?;
    let state = backend.machine.state();
    let wanted = |c: &&pinode_scheduler::Container| {
        filters.state.as_deref().is_none_or(|word| word == c.phase.word())
            && filters.name.as_deref().is_none_or(|name| c.name == name || c.spec.name == name)
            && filters.pipeline.as_deref().is_none_or(|pipeline| c.pipeline.as_deref() == Some(pipeline))
    };
    let mut found: Vec<_> = state.containers().filter(wanted).collect();
    found.sort_by_key(|c| c.order);
    Ok(Json(found.into_iter().map(|c| view::container(&state, c)).collect()))
}

pub(super) async fn one(
    State(backend): State<Backend>,
    Path(name): Path<String>,
    Query(consistency): Query<Consistency>,
) -> Result<Json<api::Container>, ApiError> {
    backend.barrier(consistency.is_stale()).await?;
    let state = backend.machine.state();
    Ok(Json(view::container(&state, state.resolve(&name)?)))
}

pub(super) async fn why(
    State(backend): State<Backend>,
    Path(name): Path<String>,
    Query(consistency): Query<Consistency>,
) -> Result<Json<api::Why>, ApiError> {
    backend.barrier(consistency.is_stale()).await?;
    let state = backend.machine.state();
    let container = state.resolve(&name)?;
    let why = pinode_scheduler::why(&state, container.id);
    let why = why.ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "no_such_container", name))?;
    Ok(Json(api::Why {
        name: container.name.clone(),
        state: container.phase.word().to_owned(),
        summary: why.summary,
        because: why.because,
        nodes: why.nodes.into_iter().collect(),
    }))
}

/// Does something to one container.
async fn act(
    backend: &Backend,
    request: Request,
    name: &str,
    command: impl FnOnce(Request, ContainerId) -> Command,
) -> Result<StatusCode, ApiError> {
    backend.act(request, |backend| Ok(backend.machine.state().resolve(name)?.id), command).await
}

pub(super) async fn stop(
    State(backend): State<Backend>,
    Path(name): Path<String>,
    Query(Nothing {}): Query<Nothing>,
    key: Key,
) -> Result<StatusCode, ApiError> {
    let request = key.request(&("stop", &name))?;
    act(&backend, request, &name, |request, container| Command::Stop {
        request,
        container,
        kill: false,
        grace_s: None,
    })
    .await
}

pub(super) async fn kill(
    State(backend): State<Backend>,
    Path(name): Path<String>,
    Query(Nothing {}): Query<Nothing>,
    key: Key,
) -> Result<StatusCode, ApiError> {
    let request = key.request(&("kill", &name))?;
    act(&backend, request, &name, |request, container| Command::Stop {
        request,
        container,
        kill: true,
        grace_s: None,
    })
    .await
}

pub(super) async fn retry(
    State(backend): State<Backend>,
    Path(name): Path<String>,
    Query(Nothing {}): Query<Nothing>,
    key: Key,
) -> Result<StatusCode, ApiError> {
    let request = key.request(&("retry", &name))?;
    act(&backend, request, &name, |request, container| Command::Retry { request, container }).await
}

/// Query of a removal, of a container or a node.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Removal {
    #[serde(default)]
    pub(super) force: bool,
}

pub(super) async fn remove(
    State(backend): State<Backend>,
    Path(name): Path<String>,
    Query(Removal { force }): Query<Removal>,
    key: Key,
) -> Result<StatusCode, ApiError> {
    let request = key.request(&("rm", &name, force))?;
    act(&backend, request, &name, |request, container| Command::Remove { request, container, force }).await
}

/// Answers when the container has ended, from whichever node; a blocked one is merely slow to start.
pub(super) async fn wait(
    State(backend): State<Backend>,
    Path(name): Path<String>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<api::Waited>, ApiError> {
    backend.barrier(false).await?;
    let id = backend.machine.state().resolve(&name)?.id;
    let mut applied = backend.machine.applied();
    loop {
        applied.borrow_and_update();
        let ended = backend.machine.state().find_container(id).map(view::waited);
        match ended {
            Some(Some(waited)) => return Ok(Json(waited)),
            Some(None) => {}
            None => {
                return Err(ApiError::new(StatusCode::NOT_FOUND, "removed", format!("{name} was removed")));
            }
        }
        if applied.changed().await.is_err() {
            return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "this node is stopping"));
        }
    }
}
