//! `nodes`: list nodes.

use super::listing;
use crate::api::Node;
use crate::cli::{Format, ListArgs};
use crate::client::Client;

pub(super) async fn nodes(client: &Client, args: &ListArgs, format: Format) -> anyhow::Result<()> {
    let nodes: Vec<Node> = client.get("/api/v1/nodes").await?;
    if args.quiet {
        nodes.iter().for_each(|node| anstream::println!("{}", node.name));
        return Ok(());
    }
    if format == Format::Json {
        return listing::json(&nodes);
    }
    let row = |node: &Node| {
        let state = if node.problems.is_empty() {
            node.state.clone()
        } else {
            format!("{} ({})", node.state, node.problems.join("; "))
        };
        vec![
            node.name.clone(),
            state,
            node.role.clone(),
            format!("{}/{}", node.containers, node.slots),
            format!("{}/{}", node.cpus_reserved, node.cpus),
            format!("{}/{} MiB", node.memory_reserved >> 20, node.memory >> 20),
            node.labels.get("arch").cloned().unwrap_or_default(),
            node.address.clone(),
        ]
    };
    listing::table(
        &["NAME", "STATE", "ROLE", "CONTAINERS", "CPUS", "MEMORY", "ARCH", "ADDRESS"],
        nodes.iter().map(row),
    );
    Ok(())
}
