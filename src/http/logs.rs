//! What a container prints. It begins when the container begins, and comes through whichever node is asked.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use pinode_scheduler::container::Phase;
use pinode_scheduler::{ContainerId, NodeId};
use serde::Deserialize;

use super::backend::Backend;
use super::error::ApiError;
use super::query::Query;

/// Query of the logs.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Flags {
    #[serde(default)]
    follow: bool,
    /// Set by a node that passes the request on: then this is the one that has the container.
    attempt: Option<u32>,
}

/// Where a container's logs are.
enum Place {
    Here(u32),
    There { node: NodeId, attempt: u32 },
    NotYet,
    Never,
}

pub(super) async fn logs(
    State(backend): State<Backend>,
    Path(name): Path<String>,
    Query(flags): Query<Flags>,
) -> Result<Response, ApiError> {
    if flags.attempt.is_none() {
        backend.barrier(false).await?;
    }
    let id = backend.machine.state().resolve(&name)?.id;
    let mut applied = backend.machine.applied();
    loop {
        applied.borrow_and_update();
        match place(&backend, id, flags.attempt) {
            Place::Here(attempt) => return here(&backend, id, attempt, flags.follow).await,
            Place::There { node, attempt } => {
                return there(&backend, node, id, attempt, flags.follow).await;
            }
            Place::NotYet if flags.follow => {}
            Place::NotYet | Place::Never => return Ok(text(Body::empty())),
        }
        if applied.changed().await.is_err() {
            return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "this node is stopping"));
        }
    }
}

fn place(backend: &Backend, id: ContainerId, attempt: Option<u32>) -> Place {
    if let Some(attempt) = attempt {
        return Place::Here(attempt);
    }
    let state = backend.machine.state();
    let Some(container) = state.find_container(id) else { return Place::Never };
    let ran = container.attempts.iter().rev().find(|attempt| attempt.started_at.is_some());
    match (&container.phase, ran) {
        // A new attempt that has not started hides what an earlier one printed only until it prints itself.
        (Phase::Claimed(_) | Phase::Ready | Phase::Blocked { .. } | Phase::Backoff, None) => Place::NotYet,
        (_, None) => Place::Never,
        (_, Some(attempt)) if attempt.session.node == backend.me => Place::Here(attempt.number),
        (_, Some(attempt)) if state.find_node(attempt.session.node).is_none() => Place::Never,
        (_, Some(attempt)) => Place::There { node: attempt.session.node, attempt: attempt.number },
    }
}

async fn here(backend: &Backend, id: ContainerId, attempt: u32, follow: bool) -> Result<Response, ApiError> {
    let docker_id = backend.agent.docker_id((id, attempt)).await?;
    let gone = || {
        ApiError::new(StatusCode::NOT_FOUND, "no_docker_container", "its Docker container is no longer there")
    };
    let logs = backend.agent.runtime().logs(&docker_id.ok_or_else(gone)?, follow);
    Ok(text(Body::from_stream(logs.map_err(std::io::Error::other))))
}

/// Passes the request on to the node that has it, and its answer back as it is.
async fn there(
    backend: &Backend,
    node: NodeId,
    id: ContainerId,
    attempt: u32,
    follow: bool,
) -> Result<Response, ApiError> {
    let path = format!("/api/v1/containers/{id}/logs?follow={follow}&attempt={attempt}");
    let (head, body) = backend.ask_node(node, &path).await?.into_parts();
    let mut response = (head.status, Body::new(body)).into_response();
    if let Some(kind) = head.headers.get(header::CONTENT_TYPE) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
    }
    Ok(response)
}

fn text(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}
