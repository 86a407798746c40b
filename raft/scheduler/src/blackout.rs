//! A blackout: all nodes lost power, so nobody was left to notice. What ran then, and what becomes of it.
//!
//! It is read from the log: nodes come back from another boot, and nothing was heard meanwhile from one that did not. It
//! is for people; nothing is decided by it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::container::{Container, Phase};
use crate::id::{ContainerId, NodeId};
use crate::state::State;

/// Attempts that are remembered of one blackout.
pub(crate) const RAN_MAX: usize = 1_000;

/// What was so when the power went, and who is back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blackout {
    /// Wall time of the first entry after it, for display only.
    pub at_ms: u64,
    /// Nodes whose session lived.
    pub witnesses: BTreeSet<NodeId>,
    /// Those of them that have come back from another boot.
    pub back: BTreeSet<NodeId>,
    /// Attempts that were claimed, at most [`RAN_MAX`].
    pub ran: Vec<(ContainerId, u32)>,
}

/// What came of a blackout, so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aftermath {
    /// When it was over, by the leader's wall time.
    pub at_ms: u64,
    /// Names of nodes that are back.
    pub back: Vec<String>,
    /// Names of those that are not.
    pub missing: Vec<String>,
    /// What ran, and a few words on what becomes of it.
    pub ran: Vec<(String, String)>,
    /// What waits now, and for what.
    pub waits: Vec<(String, String)>,
    /// Nothing of what ran is open any more.
    pub settled: bool,
}

/// The last blackout, if there was one.
pub fn aftermath(state: &State) -> Option<Aftermath> {
    let blackout = state.blackout.as_ref()?;
    let name = |id: &NodeId| state.node_name(*id).map(str::to_owned);
    let (back, missing): (Vec<_>, Vec<_>) =
        blackout.witnesses.iter().partition(|id| blackout.back.contains(id));
    let containers = || blackout.ran.iter().filter_map(|(id, at)| Some((state.find_container(*id)?, *at)));
    let waits = state.waiting().map(|c| {
        let for_what = if c.phase == Phase::Ready { "a node".to_owned() } else { c.waits_for().join(", ") };
        (c.name.clone(), for_what)
    });
    Some(Aftermath {
        at_ms: blackout.at_ms,
        back: back.into_iter().filter_map(name).collect(),
        missing: missing.into_iter().filter_map(name).collect(),
        ran: containers().map(|(c, attempt)| (c.name.clone(), fate(state, c, attempt))).collect(),
        waits: waits.collect(),
        settled: containers().all(|(c, _)| c.phase.is_terminal()),
    })
}

/// What became of the attempt that ran when the power went.
fn fate(state: &State, c: &Container, attempt: u32) -> String {
    let word = c.phase.word();
    let node = c.phase.claim().and_then(|claim| state.node_name(claim.session.node));
    let on = node.map(|node| format!(" on {node}")).unwrap_or_default();
    match &c.phase {
        Phase::Claimed(_) | Phase::Running(_) if c.attempt > attempt => {
            format!("is run again as attempt {}{on}", c.attempt)
        }
        Phase::Claimed(_) | Phase::Running(_) => format!("was{on}, which has not said yet how it ended"),
        Phase::Unknown(_) => format!("was{on}, and must not run twice: it waits for that node"),
        Phase::Ready | Phase::Backoff | Phase::Blocked { .. } | Phase::Created => {
            format!("is to run again, and is {word}")
        }
        Phase::Succeeded | Phase::Failed(_) | Phase::Skipped { .. } | Phase::Cancelled { .. }
            if c.attempt > attempt =>
        {
            format!("was run again, and has {word}")
        }
        Phase::Succeeded | Phase::Failed(_) => format!("has {word}"),
        Phase::Skipped { .. } | Phase::Cancelled { .. } => format!("was {word}"),
    }
}
