//! What one node must do now: a projection of the state, not a queue of messages. After a crash, a replay or a new
//! leader nothing special happens; the node asks again.

use std::collections::BTreeMap;

use crate::container::{Claim, Container, Outcome, Phase, Stop};
use crate::id::{ContainerId, NodeId};
use crate::node::Node;
use crate::spec::Rerun;
use crate::state::State;

/// One duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// See to it that this attempt has been started exactly once, watch it, and report how it ends.
    Run(Work),
    /// The same, but it is to end: signal it if it runs, do not start it if it does not.
    Stop(Work, Stop),
    /// An attempt of a session that is over: never start it; kill what runs; report how it ended.
    Resolve(Work),
    /// Nobody needs this attempt's Docker container any more: remove it, killing it if it runs.
    Remove {
        /// Whose.
        container: ContainerId,
        /// Which attempt.
        attempt: u32,
    },
    /// The attempt ended and was reported: leave its Docker container alone.
    Keep {
        /// Whose.
        container: ContainerId,
        /// Which attempt.
        attempt: u32,
    },
}

/// What the agent needs to know of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// Whose.
    pub container: ContainerId,
    /// Full name.
    pub name: String,
    /// What its Docker containers are called on an engine.
    pub engine_name: String,
    /// Session and number.
    pub claim: Claim,
    /// The JSON body of Docker's "create a container".
    pub create: String,
    /// Grace between SIGTERM and SIGKILL, in seconds.
    pub stop_timeout_s: u32,
    /// Whether it must be dead when the lease runs out.
    pub fenced: bool,
    /// The state already says that it started.
    pub started: bool,
    /// The state already says that it was healthy.
    pub healthy: bool,
    /// Somebody is attached and wants its first words.
    pub attached: bool,
    /// Whose volumes, links or network it uses: the name as written, and what follows the cluster's in the name of the
    /// Docker container that is meant.
    pub beside: BTreeMap<String, String>,
}

/// Everything that `me` owes, by container and attempt. Costs what the node keeps, not what the cluster has.
pub fn owed(state: &State, me: NodeId) -> BTreeMap<(ContainerId, u32), Duty> {
    let Some(node) = state.nodes.get(&me) else { return BTreeMap::new() };
    node.kept.iter().map(|&(id, attempt)| ((id, attempt), duty(state, node, id, attempt))).collect()
}

fn duty(state: &State, node: &Node, id: ContainerId, attempt: u32) -> Duty {
    let remove = Duty::Remove { container: id, attempt };
    let keep = Duty::Keep { container: id, attempt };
    let Some(container) = state.containers.get(&id) else { return remove };
    if container.attempt != attempt {
        return remove;
    }
    match &container.phase {
        Phase::Claimed(claim) | Phase::Running(claim) => {
            let work = work(state, container, *claim);
            if claim.session != node.session_id() {
                Duty::Resolve(work)
            } else if let Some(stop) = &container.stop {
                let stop_timeout_s = stop.grace_s.unwrap_or(work.stop_timeout_s);
                Duty::Stop(Work { stop_timeout_s, ..work }, stop.clone())
            } else {
                Duty::Run(work)
            }
        }
        Phase::Unknown(claim) => Duty::Resolve(work(state, container, *claim)),
        Phase::Created | Phase::Blocked { .. } | Phase::Backoff => keep,
        Phase::Ready => match container.latest() {
            Some(last) if last.end == Some(Outcome::Lost) => {
                Duty::Resolve(work(state, container, Claim { session: last.session, attempt }))
            }
            Some(_) | None => keep,
        },
        Phase::Succeeded | Phase::Failed(_) | Phase::Skipped { .. } | Phase::Cancelled { .. } => {
            if container.discarded { remove } else { keep }
        }
    }
}

fn beside(state: &State, container: &Container) -> BTreeMap<String, String> {
    let names = container.spec.beside.iter();
    let found = names.filter_map(|name| {
        let other = state.resolve(name).ok()?;
        Some((name.clone(), format!("{}-{}", other.engine_name(), other.attempt)))
    });
    found.collect()
}

fn work(state: &State, container: &Container, claim: Claim) -> Work {
    Work {
        container: container.id,
        name: container.name.clone(),
        engine_name: container.engine_name(),
        claim,
        create: container.spec.create.clone(),
        stop_timeout_s: container.spec.stop_timeout_s,
        fenced: container.spec.rerun != Rerun::Never,
        started: matches!(container.phase, Phase::Running(_)),
        healthy: container.tally.healthy,
        attached: container.attached,
        beside: beside(state, container),
    }
}
