//! Nodes: look, drain, label, remove.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use openraft::async_runtime::WatchReceiver;
use pinode_scheduler::command::Request;
use pinode_scheduler::duration::parse_ms;
use pinode_scheduler::{Command, NodeId};
use serde::Deserialize;

use super::backend::Backend;
use super::body::Body;
use super::containers::Removal;
use super::error::ApiError;
use super::key::Key;
use super::query::{Consistency, Nothing, Query};
use super::view;
use crate::api;

/// Longest key, and longest value, of a label that an operator gives.
const LABEL_MAX_BYTES: usize = 255;

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

/// What is to become of the node's containers.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hurry {
    /// Stop what may run elsewhere at once.
    #[serde(default)]
    now: bool,
    /// Stop it after so long, `10m`.
    deadline: Option<String>,
}

impl Hurry {
    fn deadline_ms(&self) -> Result<Option<u64>, ApiError> {
        match (self.now, &self.deadline) {
            (true, Some(_)) => Err(ApiError::bad("deadline", "now and deadline exclude each other")),
            (true, None) => Ok(Some(0)),
            (false, Some(text)) => {
                let ms = parse_ms(text).map_err(|error| ApiError::bad("deadline", error.to_string()))?;
                Ok(Some(ms))
            }
            (false, None) => Ok(None),
        }
    }
}

pub(super) async fn drain(
    State(backend): State<Backend>,
    Path(name): Path<String>,
    Query(hurry): Query<Hurry>,
    key: Key,
) -> Result<StatusCode, ApiError> {
    let deadline_ms = hurry.deadline_ms()?;
    let request = key.request(&("drain", &name, deadline_ms))?;
    act(&backend, request, &name, |request, node| Command::Drain { request, node, deadline_ms }).await
}

pub(super) async fn undrain(
    State(backend): State<Backend>,
    Path(name): Path<String>,
    Query(Nothing {}): Query<Nothing>,
    key: Key,
) -> Result<StatusCode, ApiError> {
    let request = key.request(&("undrain", &name))?;
    act(&backend, request, &name, |request, node| Command::Undrain { request, node }).await
}

pub(super) async fn remove(
    State(backend): State<Backend>,
    Path(name): Path<String>,
    Query(Removal { force }): Query<Removal>,
    key: Key,
) -> Result<StatusCode, ApiError> {
    let request = key.request(&("node rm", &name, force))?;
    act(&backend, request, &name, |request, node| Command::RemoveNode { request, node, force }).await
}

pub(super) async fn label(
    State(backend): State<Backend>,
    Path(name): Path<String>,
    Query(Nothing {}): Query<Nothing>,
    key: Key,
    Body(labels): Body<BTreeMap<String, Option<String>>>,
) -> Result<StatusCode, ApiError> {
    for (label, value) in &labels {
        let length = label.len().max(value.as_ref().map_or(0, String::len));
        if label.is_empty() || length > LABEL_MAX_BYTES {
            let why = format!("a label's key has 1 to {LABEL_MAX_BYTES} bytes, and its value no more");
            return Err(ApiError::bad(label, why));
        }
    }
    let request = key.request(&("label", &name, &labels))?;
    act(&backend, request, &name, |request, node| Command::LabelNode { request, node, labels }).await
}

/// Does something to one node.
async fn act(
    backend: &Backend,
    request: Request,
    name: &str,
    command: impl FnOnce(Request, NodeId) -> Command,
) -> Result<StatusCode, ApiError> {
    backend.act(request, |backend| resolve(backend, name), command).await
}

/// A node by its name, or by its id; also one that is a member and has never opened a session.
fn resolve(backend: &Backend, name: &str) -> Result<NodeId, ApiError> {
    let members = members(backend);
    let state = backend.machine.state();
    let by_id = NodeId::from_str_radix(name, 16).ok().filter(|_| name.len() == 16);
    let by_id = by_id.filter(|id| state.find_node(*id).is_some() || members.contains_key(id));
    let member = || members.iter().find(|(_, member)| *member == name).map(|(id, _)| *id);
    let found = state.find_node_named(name).map(|node| node.id).or(by_id).or_else(member);
    found.ok_or_else(|| {
        let names: Vec<&str> = state.nodes().map(|node| node.facts.name.as_str()).collect();
        let message = format!("no such node: {name}; there are {}", names.join(", "));
        ApiError::new(StatusCode::NOT_FOUND, "no_such_node", message)
    })
}

/// Names of the members. Raft's metrics are not held while the state is looked at.
fn members(backend: &Backend) -> BTreeMap<NodeId, String> {
    let metrics = backend.raft.metrics();
    let metrics = metrics.borrow_watched();
    let members = metrics.membership_config.membership().nodes();
    members.map(|(id, member)| (*id, member.name.clone())).collect()
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
