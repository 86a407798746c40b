//! A machine as the log knows it: who it is, its session, what it has, what ails it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::id::{ContainerId, NodeId, SessionId};
use crate::spec::{HostPort, Needs};

/// What a node says of itself when it opens or resumes a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFacts {
    /// Unique among nodes whose session lives.
    pub name: String,
    /// Where people reach it: `host:port` of its HTTP.
    pub api: String,
    /// Where nodes reach it.
    pub peer: String,
    /// The kernel's boot id: a session never survives it.
    pub boot_id: String,
    /// Which start of a process on its disk this is.
    pub start: Start,
    /// What it offers in all.
    pub capacity: Capacity,
    /// Found and given labels: `arch`, `model`, `os`, `storage`, …
    pub labels: BTreeMap<String, String>,
    /// The id in the shared folder it sees; none if it sees none.
    pub shared_id: Option<String>,
    /// The newest feature level it speaks.
    pub feature: u16,
    /// Its Docker Engine's version, for people.
    pub engine: String,
}

/// One start of a process on a disk. A disk that was put back from an old copy counts anew what was counted before; the
/// mark tells it from the start it repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Rises by one with each.
    pub count: u64,
    /// Random.
    pub mark: u64,
}

impl Start {
    /// Whether the disk that shows this start cannot be the one on which `seen` was.
    pub fn is_of_an_older_copy_than(self, seen: Start) -> bool {
        self.count < seen.count || self.count == seen.count && self.mark != seen.mark
    }
}

/// What a node offers in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// Thousandths of a CPU.
    pub cpu_milli: u64,
    /// Bytes.
    pub memory: u64,
    /// Containers at once.
    pub slots: u32,
}

/// Whether the node may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionState {
    /// It may.
    Open {
        /// The leader has not heard from it for a while: no new claims.
        suspected: bool,
    },
    /// It never may again under this number.
    Lost,
}

/// An image of a node's engine, under one of its names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// A name with its tag, or the id.
    pub name: String,
    /// What machine it is made for, as Docker calls it; empty if the engine does not say.
    pub arch: String,
}

/// What may ail a whole node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Ailment {
    /// Its Docker Engine does not answer.
    Engine,
    /// Its disk is nearly full.
    Disk,
    /// It is too hot.
    Heat,
    /// Its pinode is being stopped.
    Leaving,
    /// Its pinode is away, and its containers go on.
    Away,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// What it said of itself last.
    pub facts: NodeFacts,
    /// The number of its latest session.
    pub session: u64,
    /// Whether that session lives.
    pub state: SessionState,
    /// What ails it, each with a sentence.
    pub ailments: BTreeMap<Ailment, String>,
    /// What is reserved, by whom.
    pub holds: BTreeMap<(ContainerId, u32), Needs>,
    /// The sum of `holds`.
    pub reserved: Needs,
    /// Which of `holds` has which of its ports.
    pub ports: BTreeMap<HostPort, (ContainerId, u32)>,
    /// Names and ids of the images that its engine has, as far as it said so, each with what machine it is made for.
    pub images: BTreeMap<String, String>,
    /// Attempts whose Docker container may still be on its engine.
    pub kept: BTreeSet<(ContainerId, u32)>,
    /// Index of the entry that gave it its latest claim: spread prefers who waited longest.
    pub last_claim: u64,
    /// An operator wants nothing new on it.
    pub drain: Option<Drain>,
    /// Labels that an operator gave it; they win over its own.
    pub given: BTreeMap<String, String>,
}

/// An operator wants nothing new on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drain {
    /// Index of the entry that said so first.
    pub since: u64,
    /// Its wall time, for display only.
    pub at_ms: u64,
    /// What may run elsewhere is stopped here.
    pub stopping: bool,
}

impl Drain {
    /// As people read it.
    pub fn sentence(&self) -> String {
        format!("draining: by an operator since {}", crate::duration::utc(self.at_ms))
    }
}

impl Node {
    /// Its latest session.
    pub fn session_id(&self) -> SessionId {
        SessionId { node: self.id, number: self.session }
    }

    /// Whether its latest session lives.
    pub fn is_open(&self) -> bool {
        matches!(self.state, SessionState::Open { .. })
    }

    /// Whether the leader has not heard from it for a while.
    pub fn is_suspected(&self) -> bool {
        self.state == SessionState::Open { suspected: true }
    }

    /// One of its labels: what an operator gave counts before what it says of itself.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.given.get(key).or_else(|| self.facts.labels.get(key)).map(String::as_str)
    }

    /// All its labels.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.facts.labels.clone();
        labels.extend(self.given.clone());
        labels
    }

    /// Reserves for an attempt, whose ports are free.
    pub(crate) fn hold(&mut self, id: ContainerId, attempt: u32, needs: Needs, ports: &BTreeSet<HostPort>) {
        self.release(id, attempt);
        self.reserved.cpu_milli = self.reserved.cpu_milli.saturating_add(needs.cpu_milli);
        self.reserved.memory = self.reserved.memory.saturating_add(needs.memory);
        self.holds.insert((id, attempt), needs);
        self.ports.extend(ports.iter().map(|port| (*port, (id, attempt))));
    }

    /// Gives an attempt's reservation back.
    pub(crate) fn release(&mut self, id: ContainerId, attempt: u32) {
        if let Some(needs) = self.holds.remove(&(id, attempt)) {
            self.reserved.cpu_milli = self.reserved.cpu_milli.saturating_sub(needs.cpu_milli);
            self.reserved.memory = self.reserved.memory.saturating_sub(needs.memory);
            self.ports.retain(|_, holder| *holder != (id, attempt));
        }
    }
}
