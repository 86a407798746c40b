//! Nodes.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use openraft::async_runtime::WatchReceiver;
use pinode_scheduler::NodeId;

use super::backend::Backend;
use super::error::ApiError;
use super::query::{Consistency, Query};
use super::view;
use crate::api;

pub(super) async fn list(
    State(backend): State<Backend>,
    Query(consistency): Query<Consistency>,
) -> Result<Json<Vec<api::Node>>, ApiError> {
    backend.barrier(consistency.is_stale()).await?;
    let roles = roles(&backend);
    let state = backend.machine.state();
    let mut nodes: Vec<api::Node> = state.nodes().map(|node| view::node(&state, node, &roles)).collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Json(nodes))
}

/// Who leads, votes and learns.
pub(crate) fn roles(backend: &Backend) -> BTreeMap<NodeId, &'static str> {
    let metrics = backend.raft.metrics();
    let metrics = metrics.borrow_watched();
    let membership = metrics.membership_config.membership();
    let mut roles: BTreeMap<NodeId, &'static str> =
        membership.learner_ids().map(|id| (id, "learner")).collect();
    roles.extend(membership.voter_ids().map(|id| (id, "voter")));
    if let Some(leader) = metrics.current_leader {
        roles.insert(leader, "leader");
    }
    roles
}
