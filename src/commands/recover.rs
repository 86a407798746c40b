//! `recover`: from what one disk has of a cluster that lost its majority for good, a cluster of one.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail};
use pinode_raft::Remains;
use pinode_scheduler::spec::Rerun;
use pinode_scheduler::{NodeId, Phase, State};
use serde::Serialize;

use super::listing;
use crate::cli::{Format, RecoverArgs};
use crate::config::data_dir;
use crate::random;
use crate::transport::wire::cluster_name;

pub(super) async fn recover(args: &RecoverArgs, format: Format) -> anyhow::Result<()> {
    let dir = data_dir(args.data_dir.clone());
    let remains = Remains::of(&dir).with_context(|| format!("look for what is left in {}", dir.display()))?;
    let plan = Plan::of(&remains);
    if format == Format::Json {
        listing::json(&plan)?;
    } else {
        plan.print();
    }
    if !args.yes {
        bail!(
            "nothing was changed; if the others are gone for good, stop pinode on those that are left, and say --yes"
        );
    }
    let aside = remains.make_alone(random::number()?).await?;
    if format != Format::Json {
        anstream::println!("done; what was there before is kept in {}", aside.display());
        anstream::println!(
            "start it with pinode join, then the other nodes with empty data folders and --peers naming this one"
        );
    }
    Ok(())
}

/// What will be, and what may be lost.
#[derive(Debug, Serialize)]
struct Plan {
    node: String,
    id: String,
    cluster: String,
    last_index: u64,
    last_term: u64,
    committed_index: Option<u64>,
    /// Names, sorted; who else votes.
    dropped_voters: Vec<String>,
    dropped_learners: Vec<String>,
    /// What the folder itself has lost.
    damage: Option<String>,
    containers: BTreeMap<String, usize>,
    /// Claimed elsewhere: they run again when their nodes are declared lost.
    runs_again: Vec<String>,
    /// Claimed elsewhere, and must not run twice: their ends stay unknown.
    unknown: Vec<String>,
}

impl Plan {
    fn of(remains: &Remains) -> Plan {
        let me = remains.node();
        let members = &remains.membership;
        let voters: BTreeSet<NodeId> = members.voters.iter().flatten().copied().collect();
        let name = |id: NodeId| {
            let member = members.members.iter().find(|(other, _)| *other == id);
            member.map_or_else(|| format!("{id:016x}"), |(_, member)| member.name.clone())
        };
        let others = |votes: bool| {
            let all = members.members.iter().map(|(id, _)| *id);
            let mut names: Vec<String> =
                all.filter(|id| *id != me && voters.contains(id) == votes).map(name).collect();
            names.sort();
            names
        };
        let claimed = |never: bool| claimed_elsewhere(&remains.state, me, never);
        Plan {
            node: name(me),
            id: format!("{me:016x}"),
            cluster: cluster_name(Some(&remains.cluster())),
            last_index: remains.last.index,
            last_term: remains.last.term,
            committed_index: remains.committed.map(|id| id.index),
            dropped_voters: others(true),
            dropped_learners: others(false),
            damage: remains.lost.clone(),
            containers: count_phases(&remains.state),
            runs_again: claimed(false),
            unknown: claimed(true),
        }
    }

    fn print(&self) {
        let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let committed = self.committed_index.map_or_else(|| "nothing".to_owned(), |at| format!("up to {at}"));
        anstream::println!("this disk  {} ({}) of {}", self.node, self.id, self.cluster);
        anstream::println!(
            "its log    ends at entry {} of term {}; known to be committed: {committed}",
            self.last_index,
            self.last_term
        );
        anstream::println!(
            "voters     {} will vote alone; dropped: {}",
            self.node,
            list(&self.dropped_voters)
        );
        if !self.dropped_learners.is_empty() {
            anstream::println!("learners   dropped: {}", list(&self.dropped_learners));
        }
        if let Some(damage) = &self.damage {
            anstream::println!("damage     {damage}");
        }
        for (state, count) in &self.containers {
            anstream::println!("{state:<10} {count}");
        }
        if !self.runs_again.is_empty() {
            anstream::println!("elsewhere  {}: ends unknown; run again here", list(&self.runs_again));
        }
        if !self.unknown.is_empty() {
            anstream::println!(
                "elsewhere  {}: ends unknown, and must not run twice; pinode node rm their nodes to fail them",
                list(&self.unknown)
            );
        }
        anstream::println!(
            "lost       whatever the others committed after entry {}: submits that were answered, ends that were told",
            self.last_index
        );
        anstream::println!(
            "warning    a majority of the others that comes back goes on as the old cluster: be sure that none will"
        );
    }
}

/// Names of what other nodes have claimed, and on which.
fn claimed_elsewhere(state: &State, me: NodeId, never: bool) -> Vec<String> {
    let claimed = state.containers().filter_map(|c| {
        let node = c.phase.claim()?.session.node;
        let wanted = node != me && (c.spec.rerun == Rerun::Never) == never;
        wanted.then(|| format!("{} on {}", c.name, state.node_name(node).unwrap_or("a node that is gone")))
    });
    claimed.collect()
}

/// Containers by the word of their state.
pub(super) fn count_phases(state: &State) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for phase in state.containers().map(|container| &container.phase) {
        *counts.entry(Phase::word(phase).to_owned()).or_default() += 1;
    }
    counts
}
