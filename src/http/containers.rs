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

const STATES: [&str; 10] = [
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

/// A request about one container, and its id.
async fn asked(
    backend: &Backend,
    key: &Key,
    act: &str,
    name: &str,
) -> Result<(Request, ContainerId), ApiError> {
    backend.barrier(false).await?;
    let id = backend.machine.state().resolve(name)?.id;
    Ok((key.request(&(act, id.to_string()))?, id))
}

pub(super) async fn stop(
    State(backend): State<Backend>,
    Path(name): Path<String>,
    Query(Nothing {}): Query<Nothing>,
    key: Key,
) -> Result<StatusCode, ApiError> {
    let (request, container) = asked(&backend, &key, "stop", &name).await?;
    backend.commit(Command::Stop { request, container, kill: false }).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn kill(
    State(backend): State<Backend>,
    Path(name): Path<String>,
    Query(Nothing {}): Query<Nothing>,
    key: Key,
) -> Result<StatusCode, ApiError> {
    let (request, container) = asked(&backend, &key, "kill", &name).await?;
    backend.commit(Command::Stop { request, container, kill: true }).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn retry(
    State(backend): State<Backend>,
    Path(name): Path<String>,
    Query(Nothing {}): Query<Nothing>,
    key: Key,
) -> Result<StatusCode, ApiError> {
    let (request, container) = asked(&backend, &key, "retry", &name).await?;
    backend.commit(Command::Retry { request, container }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Query of a removal.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Removal {
    #[serde(default)]
    force: bool,
}

pub(super) async fn remove(
    State(backend): State<Backend>,
    Path(name): Path<String>,
    Query(Removal { force }): Query<Removal>,
    key: Key,
) -> Result<StatusCode, ApiError> {
    let (request, container) = asked(&backend, &key, "rm", &name).await?;
    backend.commit(Command::Remove { request, container, force }).await?;
    Ok(StatusCode::NO_CONTENT)
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
