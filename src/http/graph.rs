//! Who waits for whom.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use pinode_scheduler::dependency::EdgeState;
use pinode_scheduler::{Container, ContainerId, State as Cluster};
use serde::Deserialize;

use super::backend::Backend;
use super::error::ApiError;
use super::query::{Freshness, Query};
use super::view;
use crate::api;

/// Query of a graph.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    pipeline: Option<String>,
    #[serde(default)]
    consistency: Freshness,
}

pub(super) async fn graph(
    State(backend): State<Backend>,
    Query(Which { pipeline, consistency }): Query<Which>,
) -> Result<Json<api::Graph>, ApiError> {
    backend.barrier(consistency.is_stale()).await?;
    picture(&backend.machine.state(), pipeline.as_deref()).map(Json)
}

/// The graph of one pipeline, or of whatever has not ended and is connected with it.
pub(crate) fn picture(state: &Cluster, pipeline: Option<&str>) -> Result<api::Graph, ApiError> {
    let chosen: Vec<&Container> = match pipeline {
        Some(name) => {
            let members = state.pipeline(name);
            if members.is_empty() {
                let message = format!("no such pipeline: {name}");
                return Err(ApiError::new(axum::http::StatusCode::NOT_FOUND, "no_such_pipeline", message));
            }
            members
        }
        None => connected(state.containers()),
    };
    let nodes = chosen.iter().map(|c| {
        let seen = view::container(state, c);
        api::GraphNode { name: seen.name, state: seen.state, node: seen.node, exit_code: seen.exit_code }
    });
    Ok(api::Graph { nodes: nodes.collect(), edges: chosen.iter().flat_map(|c| edges(c)).collect() })
}

fn edges(container: &Container) -> Vec<api::GraphEdge> {
    let mut edges = Vec::new();
    for dependency in &container.dependencies {
        let kind = dependency.waitfor.kind.as_str().to_owned();
        let edge =
            |to: String, met| api::GraphEdge { from: container.name.clone(), to, kind: kind.clone(), met };
        if dependency.edges.is_empty() {
            edges.push(edge(dependency.waitfor.expr.to_string(), false));
        }
        edges.extend(dependency.edges.values().map(|e| edge(e.name.clone(), e.state == EdgeState::Met)));
    }
    edges
}

/// Whoever has not ended, and everybody connected with them.
fn connected<'a>(all: impl Iterator<Item = &'a Container>) -> Vec<&'a Container> {
    let all: BTreeMap<ContainerId, &Container> = all.map(|c| (c.id, c)).collect();
    let mut neighbours: BTreeMap<ContainerId, BTreeSet<ContainerId>> = BTreeMap::new();
    for container in all.values() {
        for parent in container.dependencies.iter().flat_map(|d| d.edges.keys()) {
            neighbours.entry(container.id).or_default().insert(*parent);
            neighbours.entry(*parent).or_default().insert(container.id);
        }
    }
    let mut queue: Vec<ContainerId> = all.values().filter(|c| !c.phase.is_terminal()).map(|c| c.id).collect();
    let mut reached: BTreeSet<ContainerId> = queue.iter().copied().collect();
    while let Some(id) = queue.pop() {
        let next = neighbours.get(&id).into_iter().flatten().filter(|next| all.contains_key(next));
        queue.extend(next.filter(|next| reached.insert(**next)).copied());
    }
    let mut chosen: Vec<&Container> = all.into_values().filter(|c| reached.contains(&c.id)).collect();
    chosen.sort_by_key(|c| c.order);
    chosen
}
