//! The one `TypeConfig`, and openraft's types under short names. openraft is generic; pinode is not.

use std::sync::Arc;

use pinode_scheduler::{Entry as SchedulerEntry, NodeId, Reply};
use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::runtime::Runtime;

openraft::declare_raft_types!(
    /// What pinode replicates: entries of the scheduler, answered by its replies. Shared, because openraft hands each on
    /// to the log, to every follower and to the state.
    pub TypeConfig:
        D = Arc<SchedulerEntry>,
        R = Reply,
        NodeId = NodeId,
        Node = Member,
        AsyncRuntime = Runtime,
);

/// A member of the Raft group, as its membership entries name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The node's name, for people.
    pub name: String,
    /// `host:port` where nodes reach it.
    pub peer: String,
}

/// The Raft handle.
pub type Raft = openraft::Raft<TypeConfig, Machine>;
/// Position of an entry.
pub type LogId = openraft::type_config::alias::LogIdOf<TypeConfig>;
/// Who may lead.
pub type Vote = openraft::type_config::alias::VoteOf<TypeConfig>;
/// An entry of the Raft log.
pub type LogEntry = openraft::type_config::alias::EntryOf<TypeConfig>;
/// Who votes and who learns.
pub type Membership = openraft::Membership<NodeId, Member>;
/// The same, with the entry that said so.
pub type StoredMembership = openraft::type_config::alias::StoredMembershipOf<TypeConfig>;
/// What a snapshot covers.
pub type SnapshotMeta = openraft::type_config::alias::SnapshotMetaOf<TypeConfig>;
/// A snapshot: what it covers, and its bytes.
pub type Snapshot = openraft::type_config::alias::SnapshotOf<TypeConfig, Vec<u8>>;
