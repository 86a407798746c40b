//! What must hold after every entry. Tests ask after each; a node could, if it were free.

use std::collections::{BTreeMap, BTreeSet};

use crate::container::{Container, Phase};
use crate::dependency::{EdgeState, Op, Scope, Verdict};
use crate::id::ContainerId;
use crate::spec::{Needs, OnUpstreamFailure};
use crate::state::State;
use crate::timer::Timer;

/// Every invariant that does not hold, as a sentence. Empty is good.
pub fn check(state: &State) -> Vec<String> {
    let mut broken = Vec::new();
    for container in state.containers.values() {
        phase(state, container, &mut broken);
        edges(state, container, &mut broken);
    }
    indexes(state, &mut broken);
    nodes(state, &mut broken);
    broken
}

fn phase(state: &State, c: &Container, broken: &mut Vec<String>) {
    let name = &c.name;
    let mut must = |holds: bool, sentence: &str| {
        if !holds {
            broken.push(format!("{name} ({}): {sentence}", c.phase.word()));
        }
    };
    must(
        state.ready.contains_key(&c.order) == (c.phase == Phase::Ready),
        "in the ready queue if and only if ready",
    );
    must(c.ended.is_some() == c.phase.is_terminal(), "has an end if and only if terminal");
    must(
        c.stop.is_none() || matches!(c.phase, Phase::Claimed(_) | Phase::Running(_)),
        "only what is claimed is stopped",
    );
    must(c.attempts.windows(2).all(|pair| pair[0].number < pair[1].number), "attempts only rise");
    must(c.latest().is_none_or(|last| last.number == c.attempt), "the latest attempt has the latest number");
    if let Some(claim) = c.phase.claim() {
        must(claim.attempt == c.attempt, "the claim is of the latest attempt");
        let node = state.nodes.get(&claim.session.node);
        must(node.is_some(), "the claimant exists");
        must(node.is_some_and(|n| n.kept.contains(&(c.id, claim.attempt))), "the claimant keeps the attempt");
    }
    if let Phase::Blocked { unmet } = &c.phase {
        let forgive = c.spec.on_upstream_failure == OnUpstreamFailure::Run;
        let count = c.dependencies.iter().filter(|d| d.verdict(forgive) != Verdict::Met).count();
        must(*unmet as usize == count, "the unmet counter is right");
        must(count > 0, "blocked means that something is unmet");
    }
}

fn edges(state: &State, c: &Container, broken: &mut Vec<String>) {
    for dependency in &c.dependencies {
        if !dependency.counters_are_right() {
            broken.push(format!("{}: the counters of {} are wrong", c.name, dependency.waitfor));
        }
        for (parent, edge) in &dependency.edges {
            let existing = state.containers.get(parent);
            let blocked = matches!(c.phase, Phase::Blocked { .. });
            let indexed = state.dependents.get(parent).is_some_and(|children| children.contains(&c.id));
            if blocked && existing.is_some() && !indexed {
                broken.push(format!("{} has an edge to {} that the index does not know", c.name, edge.name));
            }
            let fresh = existing.map(|parent| crate::unblock::edge_state(dependency.waitfor.kind, parent));
            if blocked && edge.state != EdgeState::Met && fresh.is_some_and(|fresh| fresh != edge.state) {
                broken.push(format!("{} has not heard how {} stands", c.name, edge.name));
            }
            if blocked && existing.is_none() && edge.state == EdgeState::Open {
                broken.push(format!("{} waits for {}, which is gone", c.name, edge.name));
            }
        }
    }
}

fn indexes(state: &State, broken: &mut Vec<String>) {
    let names: BTreeMap<&String, ContainerId> = state.containers.values().map(|c| (&c.name, c.id)).collect();
    if !state.names.iter().map(|(name, id)| (name, *id)).eq(names) {
        broken.push("the index of names is not the containers' names".to_owned());
    }
    let ended: BTreeSet<(u64, ContainerId)> =
        state.containers.values().filter_map(|c| c.ended.map(|ended| (ended.index, c.id))).collect();
    if ended != state.ended {
        broken.push("the index of the ended is not the ended".to_owned());
    }
    for (parent, children) in &state.dependents {
        let live = |id: &ContainerId| state.containers.contains_key(id);
        if !live(parent) || children.is_empty() || !children.iter().all(live) {
            broken.push(format!("the dependents of {parent} name what is gone"));
        }
    }
    let listening = |c: &&Container| matches!(c.phase, Phase::Blocked { .. });
    for c in state.containers.values().filter(listening) {
        let live = c.dependencies.iter().filter(|d| d.waitfor.op == Op::Is && d.scope == Scope::Cluster);
        for dependency in live {
            let known = match dependency.waitfor.expr.only_name() {
                Some(name) => state.awaited_names.get(name).is_some_and(|waiters| waiters.contains(&c.id)),
                None => state.awaited_patterns.contains(&c.id),
            };
            if !known {
                broken.push(format!("{} listens for {} and nobody knows", c.name, dependency.waitfor));
            }
        }
    }
    for timer in state.timers.keys() {
        if timer.container().is_some_and(|container| !state.containers.contains_key(&container)) {
            broken.push(format!("a timer of a container that is gone: {timer:?}"));
        }
        if let Timer::DrainDeadline { node, since } = timer {
            let drain = state.nodes.get(node).and_then(|node| node.drain);
            if drain.is_none_or(|drain| drain.since != *since || drain.stopping) {
                broken.push(format!("a deadline of a drain that is over: {timer:?}"));
            }
        }
    }
    if state.requests.len() != state.request_order.len() {
        broken.push("the order of requests is not the requests".to_owned());
    }
}

fn nodes(state: &State, broken: &mut Vec<String>) {
    for node in state.nodes.values() {
        let mut sum = Needs::default();
        for needs in node.holds.values() {
            sum.cpu_milli += needs.cpu_milli;
            sum.memory += needs.memory;
        }
        let name = &node.facts.name;
        if sum != node.reserved {
            broken.push(format!("{name}: what is reserved is not the sum of the holds"));
        }
        if !node.ports.values().all(|holder| node.holds.contains_key(holder)) {
            broken.push(format!("{name}: a port is taken by what holds nothing"));
        }
        let held = node.holds.keys().filter_map(|(id, attempt)| {
            let container = state.containers.get(id)?;
            Some((&container.spec.host_ports, (*id, *attempt)))
        });
        for (ports, holder) in held {
            if !ports.iter().all(|port| node.ports.get(port) == Some(&holder)) {
                broken.push(format!("{name}: two hold one port"));
            }
        }
        let all = node.facts.capacity;
        if sum.cpu_milli > all.cpu_milli || sum.memory > all.memory || node.holds.len() > all.slots as usize {
            broken.push(format!("{name}: more is reserved than it has"));
        }
    }
    if state.nodes.keys().any(|id| state.removed.contains(id)) {
        broken.push("a node that was removed is back".to_owned());
    }
    for (id, away) in &state.later.away {
        let open = state.nodes.get(id).is_some_and(|node| node.is_open() && node.session == away.session);
        if !open {
            broken.push(format!("{id} is away, and its session is not open"));
        }
    }
    let names: BTreeSet<&String> = state.nodes.values().map(|node| &node.facts.name).collect();
    if names.len() != state.nodes.len() {
        broken.push("two nodes share a name".to_owned());
    }
}
