//! What is noted while a seed runs, outside of the nodes, for the judges.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use pinode_raft::machine::Changes;

/// What a client may believe of what it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done.
    Accepted,
    /// Not done, and never will be.
    Refused(String),
    /// Perhaps.
    Unknown,
}

/// What must have happened to another container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It succeeded.
    Container,
    /// It ended for good.
    Exited,
    /// It ended for good, and not well.
    Failed,
}

/// A container that clients asked for.
#[derive(Clone, Debug)]
pub struct Job {
    /// All containers that must have come to their end first.
    pub waits: Vec<(String, Kind)>,
    /// What its program ends with when it is left alone.
    pub code: i64,
    /// Whether it may ever be started a second time.
    pub rerun: Rerun,
    /// Somebody asked to stop it.
    pub stopped: bool,
    /// Somebody asked to run it again.
    pub retried: bool,
    /// What the cluster called it, once it was accepted, and when the client knew.
    pub accepted: Option<(String, Duration)>,
    /// Its submit was refused.
    pub refused: bool,
}

/// `rerun` of a spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rerun {
    /// At most one start.
    Never,
    /// Attempts never overlap.
    Fenced,
    /// They may.
    Eager,
}

/// A start or an end that an engine really carried out.
#[derive(Clone, Debug)]
pub struct Deed {
    /// Which machine.
    pub machine: usize,
    /// When.
    pub at: Duration,
    /// The engine's id.
    pub docker_id: String,
    /// Full name.
    pub name: String,
    /// Attempt.
    pub attempt: u32,
    /// The end's code, and whether the program came to it by itself; none for a start.
    pub ended: Option<(i64, bool)>,
}

/// A span in which a machine could not have kept its promises: nobody was there to fence, or the engine did not obey.
#[derive(Clone, Copy, Debug)]
pub struct Unattended {
    /// Which machine.
    pub machine: usize,
    /// From when.
    pub from: Duration,
    /// Until when; none: it goes on.
    pub to: Option<Duration>,
}

/// A container as a node's state shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// Plain word.
    pub state: &'static str,
    /// It ended for good.
    pub terminal: bool,
    /// The latest attempt.
    pub attempt: u32,
    /// The present run.
    pub run: u32,
    /// The program's code, where the state has one.
    pub code: Option<i64>,
    /// What the code does not say.
    pub cause: Option<String>,
}

/// A node's state at one moment.
#[derive(Clone, Debug)]
pub struct View {
    /// Whose.
    pub machine: usize,
    /// The last entry in it.
    pub applied: u64,
    /// Its digest, where it was taken.
    pub digest: Option<String>,
    /// All containers, by name.
    pub containers: BTreeMap<String, Shown>,
}

/// All of it.
#[derive(Debug, Default)]
pub struct History {
    /// By full name.
    pub jobs: BTreeMap<String, Job>,
    /// What the engines did, in order of time.
    pub deeds: Vec<Deed>,
    /// When machines could not keep promises.
    pub unattended: Vec<Unattended>,
    /// The last look at each node, after everything was mended.
    pub last: Vec<View>,
    /// What each entry did, by index, as the first node told it, and which node that was.
    pub entries: BTreeMap<u64, (Arc<Changes>, usize)>,
    /// What went wrong in the sight of the harness itself: kept as violations.
    pub seen_wrong: BTreeSet<String>,
    /// Faults that took place.
    pub faults: u64,
    /// Requests that were answered.
    pub answered: u64,
}

impl History {
    /// Whether, at some moment from `from` to `to`, a machine could not keep promises.
    pub fn was_unattended(&self, machine: usize, from: Duration, to: Duration) -> bool {
        self.unattended.iter().any(|span| {
            span.machine == machine && span.from <= to && span.to.is_none_or(|until| until >= from)
        })
    }
}
