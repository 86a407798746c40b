//! The nodes and what holds for all of them, as people read it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// 16 hex digits.
    pub id: String,
    /// `up`, `away`, `suspected`, `draining`, `ailing`, `lost`.
    pub state: String,
    /// What keeps it from taking work.
    pub problems: Vec<String>,
    /// Since when an operator wants nothing new on it.
    pub draining_since: Option<String>,
    /// `leader`, `voter`, `learner`, `none`.
    pub role: String,
    /// Where people reach it.
    pub address: String,
    /// Where nodes reach it.
    pub peer_address: String,
    /// Containers it has now.
    pub containers: u32,
    /// Containers it can have at once.
    pub slots: u32,
    /// CPUs reserved.
    pub cpus_reserved: f64,
    /// CPUs.
    pub cpus: f64,
    /// Bytes reserved.
    pub memory_reserved: u64,
    /// Bytes.
    pub memory: u64,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Its Docker Engine's version.
    pub engine: String,
    /// Its session's number.
    pub session: u64,
    /// Whether it sees the shared folder that most see.
    pub shared: bool,
}

/// What holds for the whole cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Most voters.
    pub voters: u8,
    /// How long a voter may be lost before a learner takes its place, `300s`.
    pub replace_voter_after: String,
}

/// What is to be changed of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeSettings {
    /// Most voters: an odd number from 1 to 7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voters: Option<u8>,
    /// How long a voter may be lost before a learner takes its place, `10m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replace_voter_after: Option<String>,
}

/// The cluster as one node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Who answers.
    pub node: String,
    /// 64 hex digits.
    pub cluster_id: String,
    /// The leader's name.
    pub leader: Option<String>,
    /// Raft's term.
    pub term: u64,
    /// Index of the last applied entry.
    pub applied_index: u64,
    /// Digest of the state at that index.
    pub state_hash: String,
    /// Who votes and who learns.
    pub members: Vec<Member>,
    /// Containers by state.
    pub containers: BTreeMap<String, usize>,
    /// Nodes that see another shared folder than most.
    pub shared_odd: Vec<String>,
    /// What an operator should know, in sentences.
    pub attention: Vec<String>,
    /// What came of the last time that all nodes lost power: for a day, and until nothing of it is open.
    pub blackout: Option<Blackout>,
}

/// What came of a blackout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blackout {
    /// When power was back.
    pub at: String,
    /// Names of nodes that are back.
    pub back: Vec<String>,
    /// Names of those that are not.
    pub missing: Vec<String>,
    /// What ran, by name, and what became of it.
    pub ran: BTreeMap<String, String>,
    /// What waits now, by name, and for what.
    pub waits: BTreeMap<String, String>,
}

/// A member of the Raft group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// 16 hex digits.
    pub id: String,
    /// Its peer address.
    pub address: String,
    /// Whether it votes.
    pub voter: bool,
}
