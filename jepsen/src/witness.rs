//! Looks at the engines and the nodes while they work, and asks pinode for nothing that an engine can tell.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;

use crate::background::Background;
use crate::engine;
use crate::history::{Digest, EngineRun};
use crate::node::Node;

/// Between two looks at an engine.
const ENGINE_LOOK: Duration = Duration::from_millis(200);
/// Between two looks at a node's digest.
const DIGEST_LOOK: Duration = Duration::from_secs(1);
/// The moment of those.
const MEANWHILE: &str = "meanwhile";

/// Looks until it is dropped.
#[derive(Debug)]
pub struct Witness {
    seen: Arc<Mutex<Saw>>,
    _threads: Background,
}

#[derive(Debug, Default)]
struct Saw {
    runs: BTreeMap<String, EngineRun>,
    digests: Vec<Digest>,
}

impl Witness {
    /// From now on.
    pub fn begin(nodes: &[Node]) -> Witness {
        let seen: Arc<Mutex<Saw>> = Arc::default();
        let mut threads = Background::default();
        for node in nodes {
            let (at, saw) = (node.clone(), Arc::clone(&seen));
            threads.run(move |stop| {
                while !stop.is_wanted() {
                    // An engine that is being cut does not answer. The last look must succeed, and sees what was missed.
                    drop(look(&at, &saw, Depth::Changes));
                    stop.sleep(ENGINE_LOOK);
                }
            });
            let (at, saw) = (node.clone(), Arc::clone(&seen));
            threads.run(move |stop| {
                while !stop.is_wanted() {
                    // Who does not answer, or changes just now, is asked again soon.
                    if let Ok(digest) = at.digest(MEANWHILE) {
                        let mut saw = lock(&saw);
                        if !saw.digests.contains(&digest) {
                            saw.digests.push(digest);
                        }
                    }
                    stop.sleep(DIGEST_LOOK);
                }
            });
        }
        Witness { seen, _threads: threads }
    }

    /// Looks at everything in an engine, whatever is known of it.
    pub fn look(&self, node: &Node) -> anyhow::Result<()> {
        look(node, &self.seen, Depth::Everything)
            .with_context(|| format!("look at the engine of {}", node.name))
    }

    /// What the engines have shown so far.
    pub fn runs(&self) -> Vec<EngineRun> {
        lock(&self.seen).runs.values().cloned().collect()
    }

    /// The digests so far.
    pub fn digests(&self) -> Vec<Digest> {
        lock(&self.seen).digests.clone()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// What ended long ago is not asked for again.
    Changes,
    /// A second start of what ended shows only in a look at all.
    Everything,
}

fn look(node: &Node, seen: &Mutex<Saw>, depth: Depth) -> anyhow::Result<()> {
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

fn lock(seen: &Mutex<Saw>) -> MutexGuard<'_, Saw> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
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
