//! A folder as a cluster of one: `recover` makes it from the remains of a folder, `restore` from a backup. Nothing of what
//! was there before is used any more, so no old vote and no old log can speak again.

use std::io;
use std::path::Path;

use openraft::storage::RaftLogStorage;
use pinode_scheduler::{NodeId, State};

use crate::codec::{LogIdV1, MemberV1, MembershipV1, SnapshotMetaV1, SnapshotV1, VoteV1};
use crate::log::LogStore;
use crate::snapshot::Snapshots;

/// Where the log is in a node's folder.
pub(crate) const LOG: &str = "log";
/// Where the snapshots are.
pub(crate) const SNAPSHOTS: &str = "snapshots";

/// A cluster of one, of which nothing is on a disk yet.
#[derive(Debug)]
pub struct Alone {
    /// Its only member.
    pub node: NodeId,
    /// What others call it, and where they reach it; what is wrong here is put right when it starts.
    pub member: MemberV1,
    /// The state it begins with.
    pub state: State,
    /// The last entry that made that state.
    pub last: LogIdV1,
}

impl Alone {
    /// Writes a log that has been purged up to a snapshot of the state, into a folder that has neither.
    pub async fn write(self, dir: &Path) -> io::Result<()> {
        let membership =
            MembershipV1 { voters: vec![vec![self.node]], members: vec![(self.node, self.member)] };
        let meta = SnapshotMetaV1 { last: Some(self.last), membership_at: Some(self.last), membership };
        Snapshots::open(&dir.join(SNAPSHOTS))?.save(&SnapshotV1 { meta, state: self.state })?;
        let fatal = Box::new(|error: &io::Error| tracing::error!(%error, "the new log could not be synced"));
        let mut log = LogStore::open(&dir.join(LOG), fatal).map_err(io::Error::other)?;
        let vote = VoteV1 { term: self.last.term, node: self.node, committed: false };
        log.save_vote(&vote.into()).await?;
        log.purge(self.last.into()).await?;
        log.close().await
    }
}
