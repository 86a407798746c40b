//! One run, whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Digest, EngineRun, Fault, Film, Job, Operation, Record, Seen, View};
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

    /// The views of one moment.
    pub fn views_of<'a>(&'a self, moment: &'a str) -> impl Iterator<Item = &'a View> + 'a {
        self.views.iter().filter(move |view| view.moment == moment)
    }

    /// A moment as people read it: seconds since the run began.
    pub fn at(&self, ns: u64) -> String {
        format!("{:.3} s", moment::seconds(self.began_ns, ns))
    }
}
