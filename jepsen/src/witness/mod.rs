//! Looks at the engines and the nodes while they work, and asks pinode for nothing that an engine can tell.
//!
//! | room | what is looked at |
//! | --- | --- |
//! | `engines` | what engines list, and what they tell as it happens |
//! | `nodes` | what nodes show, and digests of their states |
//! | `strangers` | containers that are none of pinode's, and must be left alone |

mod engines;
mod nodes;
pub mod strangers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;

use crate::background::Background;
use crate::history::{Digest, EngineEvent, EngineRun, History, Read, Sighting};
use crate::node::Node;

/// Between two looks at an engine.
const ENGINE_LOOK: Duration = Duration::from_millis(200);
/// Between two looks at a node.
const NODE_LOOK: Duration = Duration::from_secs(1);
/// Before an engine's stream of events is opened again.
const RECONNECT: Duration = Duration::from_millis(200);
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
    events: BTreeSet<EngineEvent>,
    digests: Vec<Digest>,
    sightings: nodes::Sightings,
    reads: Vec<Read>,
    busy: Arc<AtomicUsize>,
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
                    drop(engines::look(&at, &saw, engines::Depth::Changes));
                    stop.sleep(ENGINE_LOOK);
                }
            });
            let (at, saw) = (node.clone(), Arc::clone(&seen));
            threads.run(move |stop| engines::listen(&at, &saw, stop));
            let (at, saw) = (node.clone(), Arc::clone(&seen));
            threads.run(move |stop| {
                while !stop.is_wanted() {
                    nodes::look(&at, &saw);
                    stop.sleep(NODE_LOOK);
                }
            });
        }
        Witness { seen, _threads: threads }
    }

    /// Looks at everything in an engine, whatever is known of it.
    pub fn look(&self, node: &Node) -> anyhow::Result<()> {
        engines::look(node, &self.seen, engines::Depth::Everything)
            .with_context(|| format!("look at the engine of {}", node.name))
    }

    /// What the engines have shown so far.
    pub fn runs(&self) -> Vec<EngineRun> {
        lock(&self.seen).runs.values().cloned().collect()
    }

    /// How many containers had not ended when a node was last asked.
    pub fn busy(&self) -> Arc<AtomicUsize> {
        Arc::clone(&lock(&self.seen).busy)
    }

    /// Tells the history everything that was seen.
    pub fn tell(&self, history: &mut History) {
        let saw = lock(&self.seen);
        history.engine_runs = saw.runs.values().cloned().collect();
        history.engine_events = saw.events.iter().cloned().collect();
        history.digests.extend(saw.digests.iter().cloned());
        history.sightings = saw.sightings.all().cloned().collect::<Vec<Sighting>>();
        history.reads = saw.reads.clone();
    }
}

fn lock(seen: &Mutex<Saw>) -> MutexGuard<'_, Saw> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
