//! All that the pages list, in one look: nodes and containers, without what only a container's own page needs.

use axum::Json;
use axum::extract::State;
use openraft::async_runtime::WatchReceiver;
use pinode_scheduler::container::Phase;
use pinode_scheduler::{Attempt, Container, Outcome, State as Cluster};
use serde::Serialize;

use crate::api;
use crate::http::{ApiError, Backend, Nothing, Query, hex, node_roles, view};

/// The cluster as this node has it. It never waits for a quorum: the page follows this node's own events, and is to show
/// what there is when something is wrong.
#[derive(Debug, Serialize)]
pub(super) struct Now {
    node: String,
    cluster: String,
    version: &'static str,
    leader: Option<String>,
    index: u64,
    nodes: Vec<api::Node>,
    containers: Vec<Row>,
}

/// A container in a list.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    name: String,
    pipeline: Option<String>,
    image: String,
    state: &'static str,
    node: Option<String>,
    attempt: u32,
    exit_code: Option<i64>,
    /// Why it failed, what it waits for, or what is done before it can start.
    note: Option<String>,
    created_at: String,
    attempts: Vec<Try>,
}

/// An attempt, with how it went in one word.
#[derive(Debug, Serialize)]
struct Try {
    #[serde(flatten)]
    attempt: api::Attempt,
    /// `running`, `succeeded`, `failed` or `cancelled`.
    went: &'static str,
}

pub(super) async fn now(
    State(backend): State<Backend>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<Now>, ApiError> {
    let leader = backend.raft.metrics().borrow_watched().current_leader;
    let roles = node_roles(&backend);
    let state = backend.machine.state();
    let mut nodes: Vec<api::Node> = state.nodes().map(|node| view::node(&state, node, &roles)).collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    let mut containers: Vec<&Container> = state.containers().collect();
    containers.sort_by_key(|c| c.order);
    Ok(Json(Now {
        node: backend.node.clone(),
        cluster: hex(&backend.cluster),
        version: env!("CARGO_PKG_VERSION"),
        leader: leader.and_then(|id| state.node_name(id).map(str::to_owned)),
        index: state.applied(),
        nodes,
        containers: containers.into_iter().map(|c| row(&state, c)).collect(),
    }))
}

fn row(state: &Cluster, c: &Container) -> Row {
    let last = c.latest();
    Row {
        id: c.id.to_string(),
        name: c.name.clone(),
        pipeline: c.pipeline.clone(),
        image: c.spec.image.clone(),
        state: c.phase.word(),
        node: last.and_then(|last| state.node_name(last.session.node).map(str::to_owned)),
        attempt: c.attempt,
        exit_code: view::exit_code(&c.phase),
        note: note(c),
        created_at: view::time(c.created_ms),
        attempts: c.attempts.iter().map(|attempt| tried(state, attempt)).collect(),
    }
}

fn tried(state: &Cluster, attempt: &Attempt) -> Try {
    let went = match &attempt.end {
        None => "running",
        Some(Outcome::Exited { code: 0, .. }) => "succeeded",
        Some(Outcome::Cancelled { .. }) => "cancelled",
        Some(
            Outcome::Exited { .. }
            | Outcome::LaunchFailed { .. }
            | Outcome::NeverStarted { .. }
            | Outcome::Interrupted { .. }
            | Outcome::Lost
            | Outcome::Unknown,
        ) => "failed",
    };
    Try { attempt: view::view_attempt(state, attempt), went }
}

fn note(c: &Container) -> Option<String> {
    let waits = c.waits_for();
    if matches!(c.phase, Phase::Blocked { .. }) && !waits.is_empty() {
        return Some(format!("waits for {}", waits.join(", ")));
    }
    let preparing = || c.phase.claim().and_then(|_| c.latest()?.preparing.clone());
    view::cause(&c.phase).or_else(preparing)
}
