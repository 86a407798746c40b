//! From the state to what people see.

use std::collections::BTreeMap;

use pinode_scheduler::container::{Container, Phase};
use pinode_scheduler::dependency::Verdict;
use pinode_scheduler::{NodeId, State};

use crate::api;

/// Exit code of what never ran, as Docker's own errors.
pub(crate) const NEVER_RAN: i64 = 125;

/// Milliseconds since 1970 as RFC 3339.
pub(crate) fn time(ms: u64) -> String {
    let at = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.unwrap_or_default().to_string()
}

/// A container in full.
pub(super) fn container(state: &State, c: &Container) -> api::Container {
    let last = c.latest();
    let blocked = matches!(c.phase, Phase::Blocked { .. });
    api::Container {
        id: c.id.to_string(),
        name: c.name.clone(),
        pipeline: c.pipeline.clone(),
        image: c.spec.image.clone(),
        state: c.phase.word().to_owned(),
        waitfor: c.dependencies.iter().map(term).collect(),
        waits_for: if blocked { c.waits_for() } else { Vec::new() },
        attempt: c.attempt,
        node: last.and_then(|last| node_name(state, last.session.node)),
        exit_code: exit_code(&c.phase),
        cause: cause(&c.phase),
        created_at: time(c.created_ms),
        started_at: last.and_then(|last| last.started_at.clone()),
        finished_at: last.and_then(|last| last.finished_at.clone()),
        attempts: c.attempts.iter().map(|attempt| view_attempt(state, attempt)).collect(),
        labels: c.spec.labels.clone(),
        create: serde_json::from_str(&c.spec.create).unwrap_or_default(),
    }
}

/// An attempt.
pub(crate) fn view_attempt(state: &State, attempt: &pinode_scheduler::Attempt) -> api::Attempt {
    api::Attempt {
        number: attempt.number,
        node: node_name(state, attempt.session.node),
        started_at: attempt.started_at.clone(),
        finished_at: attempt.finished_at.clone(),
        end: attempt.end.as_ref().map(pinode_scheduler::Outcome::sentence),
    }
}

fn node_name(state: &State, id: NodeId) -> Option<String> {
    state.node_name(id).map(str::to_owned)
}

fn term(dependency: &pinode_scheduler::Dependency) -> api::WaitTerm {
    let waitfor = &dependency.waitfor;
    api::WaitTerm {
        kind: waitfor.kind.as_str().to_owned(),
        op: waitfor.op.as_str().to_owned(),
        expr: waitfor.expr.to_string(),
        met: dependency.verdict(false) == Verdict::Met,
        matches: dependency.edges.values().map(|edge| edge.name.clone()).collect(),
    }
}

/// The program's code, where there is one.
pub(crate) fn exit_code(phase: &Phase) -> Option<i64> {
    match phase {
        Phase::Succeeded => Some(0),
        Phase::Failed(failure) => failure.code,
        Phase::Cancelled { code } => *code,
        Phase::Created
        | Phase::Blocked { .. }
        | Phase::Ready
        | Phase::Claimed(_)
        | Phase::Running(_)
        | Phase::Backoff
        | Phase::Unknown(_)
        | Phase::Skipped { .. } => None,
    }
}

/// What the code does not say.
pub(crate) fn cause(phase: &Phase) -> Option<String> {
    match phase {
        Phase::Failed(failure) => failure.reason.clone(),
        Phase::Skipped { cause } => Some(cause.join(", because ")),
        Phase::Succeeded
        | Phase::Cancelled { .. }
        | Phase::Created
        | Phase::Blocked { .. }
        | Phase::Ready
        | Phase::Claimed(_)
        | Phase::Running(_)
        | Phase::Backoff
        | Phase::Unknown(_) => None,
    }
}

/// How it ended, once it has.
pub(super) fn waited(c: &Container) -> Option<api::Waited> {
    c.phase.is_terminal().then(|| api::Waited {
        name: c.name.clone(),
        state: c.phase.word().to_owned(),
        exit_code: exit_code(&c.phase).unwrap_or(NEVER_RAN),
        cause: cause(&c.phase),
    })
}

/// A node; `roles` says who leads, votes and learns.
pub(crate) fn node(
    state: &State,
    node: &pinode_scheduler::Node,
    roles: &BTreeMap<NodeId, &'static str>,
) -> api::Node {
    let cpus = |milli: u64| milli as f64 / 1000.0;
    let word = match (node.is_open(), node.is_suspected(), node.ailments.is_empty(), node.drain) {
        (false, ..) => "lost",
        (true, ..) if state.away_ms(node.session_id()).is_some() => "away",
        (true, true, ..) => "suspected",
        (true, false, _, Some(_)) => "draining",
        (true, false, false, None) => "ailing",
        (true, false, true, None) => "up",
    };
    let draining = node.drain.map(|drain| drain.sentence());
    api::Node {
        name: node.facts.name.clone(),
        id: format!("{:016x}", node.id),
        state: word.to_owned(),
        problems: draining.into_iter().chain(node.ailments.values().cloned()).collect(),
        draining_since: node.drain.map(|drain| time(drain.at_ms)),
        role: roles.get(&node.id).unwrap_or(&"none").to_string(),
        address: node.facts.api.clone(),
        peer_address: node.facts.peer.clone(),
        containers: u32::try_from(node.holds.len()).unwrap_or(u32::MAX),
        slots: node.facts.capacity.slots,
        cpus_reserved: cpus(node.reserved.cpu_milli),
        cpus: cpus(node.facts.capacity.cpu_milli),
        memory_reserved: node.reserved.memory,
        memory: node.facts.capacity.memory,
        labels: node.labels(),
        engine: node.facts.engine.clone(),
        session: node.session,
        shared: node.facts.shared_id.is_some() && node.facts.shared_id.as_deref() == state.shared_id(),
    }
}
