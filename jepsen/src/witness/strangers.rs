//! Containers in each engine that are none of pinode's: one of somebody else, and one that looks like another cluster's.
//! Nobody may touch them.

use std::path::Path;

use anyhow::Context;

use crate::engine::{self, STRANGE_CLUSTER};
use crate::history::Stranger;
use crate::moment;
use crate::node::Node;
use crate::testbed::Testbed;

/// What they do: nothing, for longer than any run.
const IDLE: [&str; 3] = ["busybox:local", "sleep", "100000"];

/// Starts two in every engine.
pub fn begin(bed: &Testbed, nodes: &[Node]) -> anyhow::Result<Vec<Stranger>> {
    let cluster = format!("pinode.cluster={STRANGE_CLUSTER}");
    let theirs = ["--name", "pinode-feedfacefeed-theirs-1", "--label", &cluster];
    let labels = ["pinode.container=0", "pinode.name=theirs", "pinode.attempt=1", "pinode.node=n1"];
    let theirs = theirs.into_iter().chain(labels.iter().flat_map(|label| ["--label", *label]));
    let theirs: Vec<&str> = theirs.collect();
    let mut all = Vec::new();
    for node in nodes {
        for (what, more) in [("somebody else's", &["--name", "postgres"][..]), ("another cluster's", &theirs)]
        {
            let args = [&["run", "-d", "--net=none"][..], more, &IDLE].concat();
            let id = bed.docker(node.number, &args)?.trim().to_owned();
            let (_, started_ns) =
                state(&node.socket, &id)?.context("a stranger that was just started is gone")?;
            all.push(Stranger {
                node: node.name.clone(),
                docker_id: id,
                what: what.to_owned(),
                started_ns,
                last: None,
            });
        }
    }
    Ok(all)
}

/// The last look at them.
pub fn look(nodes: &[Node], strangers: &mut [Stranger]) -> anyhow::Result<()> {
    for stranger in strangers {
        let node = nodes.iter().find(|node| node.name == stranger.node).context("a stranger has no node")?;
        stranger.last = state(&node.socket, &stranger.docker_id)?;
    }
    Ok(())
}

/// Whether it runs, and since when; none if it is gone.
fn state(socket: &Path, id: &str) -> anyhow::Result<Option<(bool, u64)>> {
    let seen = engine::get(socket, &format!("/containers/{id}/json"))?;
    if seen["Id"].is_null() {
        return Ok(None);
    }
    let started = seen["State"]["StartedAt"].as_str().and_then(moment::parse).unwrap_or_default();
    Ok(Some((seen["State"]["Running"] == true, started)))
}
