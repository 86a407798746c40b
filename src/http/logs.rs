//! What a container prints. It begins when the container begins, and comes through whichever node is asked.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, TryStreamExt};
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use pinode_scheduler::ContainerId;
use pinode_scheduler::container::Phase;
use serde::Deserialize;

use super::backend::Backend;
use super::body::Query;
use super::error::ApiError;

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
    There { api: String, attempt: u32 },
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
            Place::There { api, attempt } => return there(&api, id, attempt, flags.follow).await,
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
        (_, Some(attempt)) => match state.find_node(attempt.session.node) {
            Some(node) => Place::There { api: node.facts.api.clone(), attempt: attempt.number },
            None => Place::Never,
        },
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

/// Passes the request on to the node that has it.
async fn there(api: &str, id: ContainerId, attempt: u32, follow: bool) -> Result<Response, ApiError> {
    let uri = format!("http://{api}/api/v1/containers/{id}/logs?follow={follow}&attempt={attempt}");
    let away = |error: String| {
        ApiError::new(
            StatusCode::BAD_GATEWAY,
            "node_away",
            format!("the node at {api}, which has its logs, does not answer: {error}"),
        )
    };
    let uri = uri.parse().map_err(|error: axum::http::uri::InvalidUri| away(error.to_string()))?;
    let client: Client<_, Empty<bytes::Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.get(uri).await.map_err(|error| away(error.to_string()))?;
    let status = answer.status();
    let stream = http_body_util::BodyStream::new(answer.into_body());
    let frames = stream.try_filter_map(|frame| std::future::ready(Ok(frame.into_data().ok())));
    Ok((status, text(Body::from_stream(frames.boxed()))).into_response())
}

fn text(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}
