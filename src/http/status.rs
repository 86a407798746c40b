//! The cluster as this node sees it, and whether this node is fit.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use openraft::async_runtime::WatchReceiver;
use pinode_scheduler::NodeId;
use pinode_scheduler::blackout::aftermath;

use super::backend::{Backend, hex};
use super::error::ApiError;
use super::query::{Nothing, Query};
use super::view;
use crate::{api, clock};

/// How long a blackout is news, in milliseconds.
const BLACKOUT_SHOWN_MS: u64 = 86_400_000;

/// Never waits for a quorum: it is what people ask when something is wrong.
pub(super) async fn status(
    State(backend): State<Backend>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<api::Status>, ApiError> {
    let failed = |error: std::io::Error| {
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", error.to_string())
    };
    let (term, leader, membership) = {
        let metrics = backend.raft.metrics();
        let metrics = metrics.borrow_watched();
        (metrics.current_term, metrics.current_leader, metrics.membership_config.membership().clone())
    };
    // One look for the index and the digest: an entry between two would show healthy nodes as different.
    let state = backend.machine.state();
    let state_hash = state.hash().map_err(failed)?;
    let voters: Vec<NodeId> = membership.voter_ids().collect();
    let member = |(id, member): (&NodeId, &pinode_raft::Member)| api::Member {
        name: member.name.clone(),
        id: format!("{id:016x}"),
        address: member.peer.clone(),
        voter: voters.contains(id),
    };
    let mut containers: BTreeMap<String, usize> = BTreeMap::new();
    for container in state.containers() {
        *containers.entry(container.phase.word().to_owned()).or_default() += 1;
    }
    let shared = state.shared_id();
    let odd = state.nodes().filter(|node| node.facts.shared_id.as_deref() != shared);
    Ok(Json(api::Status {
        node: backend.node.clone(),
        cluster_id: hex(&backend.cluster),
        leader: leader.and_then(|id| membership.get_node(&id).map(|leader| leader.name.clone())),
        term,
        applied_index: state.applied(),
        state_hash,
        members: membership.nodes().map(member).collect(),
        containers,
        attention: attention(&state),
        blackout: blackout(&state),
        shared_odd: odd.map(|node| node.facts.name.clone()).collect(),
    }))
}

/// What an operator should know of the nodes.
fn attention(state: &pinode_scheduler::State) -> Vec<String> {
    let draining = state.nodes().filter_map(|node| {
        let (name, drain) = (&node.facts.name, node.drain?);
        let claims = state.claims_of(node.id).count();
        Some(format!("{name} is {}; {claims} containers left on it", drain.sentence()))
    });
    draining.collect()
}

/// News for a day, and for as long as anything of it is open.
fn blackout(state: &pinode_scheduler::State) -> Option<api::Blackout> {
    let aftermath = aftermath(state)?;
    let old = clock::wall_ms().saturating_sub(aftermath.at_ms) > BLACKOUT_SHOWN_MS;
    (!old || !aftermath.settled).then(|| api::Blackout {
        at: view::time(aftermath.at_ms),
        back: aftermath.back,
        missing: aftermath.missing,
        ran: aftermath.ran.into_iter().collect(),
        waits: aftermath.waits.into_iter().collect(),
    })
}

/// The process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// It has a quorum and an engine.
pub(super) async fn readyz(State(backend): State<Backend>) -> Result<&'static str, ApiError> {
    backend.barrier(false).await?;
    let problem = backend.agent.engine().borrow().clone();
    match problem {
        None => Ok("ready\n"),
        Some(problem) => Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "engine_away", problem)),
    }
}
