//! One run, whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Digest, EngineEvent, EngineRun, Fault, Film, Job, Operation, OwnEnd, Read, Record, Seen, Sighting,
    Stranger, Verb, View,
};
use crate::moment;

/// One run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Which scenario.
    pub scenario: String,
    /// All choices follow from it.
    pub seed: u64,
    /// The line that runs it again.
    pub again: String,
    /// When it began.
    pub began_ns: u64,
    /// When the last look was taken.
    pub ended_ns: u64,
    /// How long a node may act without hearing from a majority.
    #[serde(default)]
    pub lease_ns: u64,
    /// When the last harm was undone; none where a scenario's harm stays until the end.
    #[serde(default)]
    pub healed_ns: Option<u64>,
    /// When everything was first seen to have ended after that.
    #[serde(default)]
    pub ended_all_ns: Option<u64>,
    /// When all nodes were first seen to agree after that.
    #[serde(default)]
    pub agreed_ns: Option<u64>,
    /// Names of the nodes.
    pub nodes: Vec<String>,
    /// What clients asked for.
    pub operations: Vec<Operation>,
    /// The containers that those asked for, by full name.
    pub jobs: BTreeMap<String, Job>,
    /// What was done to the machines.
    pub faults: Vec<Fault>,
    /// What the programs inside the containers wrote down themselves.
    pub records: Vec<Record>,
    /// What the engines showed.
    pub engine_runs: Vec<EngineRun>,
    /// What the engines told while it happened.
    #[serde(default)]
    pub engine_events: Vec<EngineEvent>,
    /// Containers that are none of pinode's.
    #[serde(default)]
    pub strangers: Vec<Stranger>,
    /// Each state in which a container was shown, by node.
    #[serde(default)]
    pub sightings: Vec<Sighting>,
    /// Each list of all containers that a node gave out.
    #[serde(default)]
    pub reads: Vec<Read>,
    /// Each pinode that ended and that nobody had ended.
    #[serde(default)]
    pub own_ends: Vec<OwnEnd>,
    /// What each node showed, at several moments.
    pub views: Vec<View>,
    /// Digests of each node's state.
    pub digests: Vec<Digest>,
    /// The film, in scenarios that have one.
    pub film: Option<Film>,
}

impl History {
    /// Notes an operation with the containers that it asked for.
    pub fn ask(&mut self, operation: Operation, jobs: BTreeMap<String, Job>) {
        let number = self.operations.len();
        self.operations.push(operation);
        self.jobs.extend(jobs.into_iter().map(|(name, job)| (name, Job { operation: number, ..job })));
    }

    /// What is known of a container in the last view that has it.
    pub fn last_seen(&self, name: &str) -> Option<&Seen> {
        self.views.iter().rev().find_map(|view| view.containers.iter().find(|seen| seen.name == name))
    }

    /// What was asked about a container: to stop it, or to remove it.
    pub fn ends_asked_for<'a>(&'a self, container: &'a str) -> impl Iterator<Item = &'a Operation> + 'a {
        self.operations.iter().filter(move |operation| match &operation.verb {
            Verb::Stop(name) | Verb::Remove(name) => name == container,
            Verb::Submit | Verb::Look | Verb::Read(_) => false,
        })
    }

    /// The views of one moment.
    pub fn views_of<'a>(&'a self, moment: &'a str) -> impl Iterator<Item = &'a View> + 'a {
        self.views.iter().filter(move |view| view.moment == moment)
    }

    /// A moment as people read it: seconds since the run began.
    pub fn at(&self, ns: u64) -> String {
        format!("{:.3} s", moment::seconds(self.began_ns, ns))
    }
}
