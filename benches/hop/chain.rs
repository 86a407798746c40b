//! Containers that wait for one another, submitted to pinode.

use anyhow::{Context, ensure};
use jiff::Timestamp;
use pinode_jepsen::Testbed;
use pinode_jepsen::testbed::number;
use serde_json::json;

use crate::engine::Engine;

/// A chain that has run.
pub(crate) struct Chain {
    /// When each link ended, by its engine.
    pub(crate) ends: Vec<Timestamp>,
    /// Where each link ran.
    pub(crate) nodes: Vec<String>,
}

/// Submits the last link first, so that with the first one all have been there for a while, and waits for the end.
pub(crate) fn run(bed: &Testbed, engines: &[Engine], chain: &str, links: usize) -> anyhow::Result<Chain> {
    let name = |link: usize| format!("{chain}-{link}");
    for link in (0..links).rev() {
        let mut spec = json!({
            "name": name(link), "image": "busybox:local", "cmd": ["true"], "network_mode": "none",
        });
        if let Some(before) = link.checked_sub(1) {
            spec["waitfor"] = json!([format!("container=={}", name(before))]);
        }
        bed.client(link % engines.len() + 1).submit(&spec)?;
    }
    let last = name(links - 1);
    let ended = bed.client(1).wait(&last)?;
    ensure!(ended["state"] == "succeeded", "{last} has {ended}");
    let (mut ends, mut nodes) = (Vec::new(), Vec::new());
    for link in (0..links).map(name) {
        let container = bed.client(1).container(&link)?;
        let node = container["node"].as_str().with_context(|| format!("no node in {container}"))?;
        let engine = engines.get(number(node)? - 1).with_context(|| format!("no engine of {node}"))?;
        ends.push(engine.end_of_labelled(&format!("pinode.name={link}"))?);
        nodes.push(node.to_owned());
    }
    Ok(Chain { ends, nodes })
}
