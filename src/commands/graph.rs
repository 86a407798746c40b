//! `graph`: who waits for whom.

use std::collections::BTreeMap;

use super::{listing, piece};
use crate::api::{Graph, GraphEdge};
use crate::cli::{Format, GraphArgs};
use crate::client::Client;

pub(super) async fn graph(client: &Client, args: &GraphArgs, format: Format) -> anyhow::Result<()> {
    let path = match &args.pipeline {
        Some(name) => format!("/api/v1/graph?pipeline={}", piece(name)),
        None => "/api/v1/graph".to_owned(),
    };
    let graph: Graph = client.get(&path).await?;
    match format {
        Format::Json => listing::json(&graph)?,
        Format::Dot => dot(&graph),
        Format::Table => text(&graph),
    }
    Ok(())
}

fn dot(graph: &Graph) {
    anstream::println!("digraph pinode {{\n  rankdir=LR;");
    for node in &graph.nodes {
        anstream::println!("  {:?} [label=\"{}\\n{}\"];", node.name, node.name, node.state);
    }
    for edge in &graph.edges {
        let style = if edge.met { "solid" } else { "dashed" };
        anstream::println!("  {:?} -> {:?} [label=\"{}\", style={style}];", edge.to, edge.from, edge.kind);
    }
    anstream::println!("}}");
}

/// Everybody once, in the order of the submits, with what he waits for below.
fn text(graph: &Graph) {
    let mut edges: BTreeMap<&str, Vec<&GraphEdge>> = BTreeMap::new();
    for edge in &graph.edges {
        edges.entry(&edge.from).or_default().push(edge);
    }
    for node in &graph.nodes {
        let on = node.node.as_deref().map(|node| format!(" on {node}")).unwrap_or_default();
        anstream::println!("{} ({}{on})", node.name, node.state);
        let own = edges.get(node.name.as_str()).map(Vec::as_slice).unwrap_or_default();
        for (at, edge) in own.iter().enumerate() {
            let branch = if at + 1 == own.len() { "└─" } else { "├─" };
            let mark = if edge.met { "✓" } else { "…" };
            anstream::println!("  {branch} {mark} {}=={}", edge.kind, edge.to);
        }
    }
}
