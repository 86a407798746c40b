//! What engines list, and what they tell as it happens.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Mutex;

use super::{RECONNECT, Saw, lock};
use crate::background::Stop;
use crate::history::EngineRun;
use crate::node::Node;
use crate::{engine, moment};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// What ended long ago is not asked for again.
    Changes,
    /// A second start of what ended shows only in a look at all.
    Everything,
}

pub(super) fn look(node: &Node, seen: &Mutex<Saw>, depth: Depth) -> anyhow::Result<()> {
    for listed in engine::list(&node.socket)? {
        let known = lock(seen).runs.get(&listed.docker_id).map(|run| run.state.clone());
        let is_over = listed.state == "exited" && known.as_deref() == Some("exited");
        if is_over && depth == Depth::Changes {
            continue;
        }
        if let Some(run) = engine::inspect(&node.socket, &node.name, &listed.docker_id)? {
            add(&mut lock(seen).runs, run);
        }
    }
    Ok(())
}

/// Until it shall end. An engine that goes away is listened to again from where it stopped: it keeps what it told.
pub(super) fn listen(node: &Node, seen: &Mutex<Saw>, stop: &Stop) {
    let mut since_ns = moment::now();
    while !stop.is_wanted() {
        let told = engine::listen(&node.socket, &node.name, since_ns, stop, |event| {
            since_ns = since_ns.max(event.at_ns);
            lock(seen).events.insert(event);
        });
        // It is away, or never was there: tried again.
        drop(told);
        stop.sleep(RECONNECT);
    }
}

fn add(runs: &mut BTreeMap<String, EngineRun>, run: EngineRun) {
    match runs.entry(run.docker_id.clone()) {
        Entry::Vacant(place) => {
            place.insert(run);
        }
        Entry::Occupied(mut known) => {
            let mut started_ns = known.get().started_ns.clone();
            started_ns.extend(run.started_ns.iter().filter(|ns| !known.get().started_ns.contains(ns)));
            known.insert(EngineRun { started_ns, ..run });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_starts_of_a_docker_container_are_both_kept_and_one_seen_twice_is_one() {
        let run = |started_ns, state: &str| EngineRun {
            node: "n1".to_owned(),
            docker_id: "d".to_owned(),
            name: "a".to_owned(),
            container: "c".to_owned(),
            attempt: 1,
            state: state.to_owned(),
            started_ns: vec![started_ns],
            finished_ns: None,
            code: 0,
            seen_ns: 9,
        };
        let mut runs = BTreeMap::new();
        add(&mut runs, run(1, "running"));
        add(&mut runs, run(1, "exited"));
        add(&mut runs, run(5, "running"));
        assert_eq!((runs["d"].started_ns.clone(), runs["d"].state.as_str()), (vec![1, 5], "running"));
    }
}
