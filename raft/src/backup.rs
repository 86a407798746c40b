//! The whole state as one record that outlives its cluster, and a folder made from it.

use std::io;
use std::path::Path;

use pinode_scheduler::State;
use serde::{Deserialize, Serialize};

use crate::alone::Alone;
use crate::codec::{self, BadRecord, LogIdV1, MemberV1, Schema, SnapshotMetaV1, SnapshotV1};
use crate::identity::{Identity, IdentityError, next_generation};

/// A state, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupV1 {
    /// The cluster.
    pub cluster: [u8; 32],
    /// Wall time when it was taken, for display only.
    pub at_ms: u64,
    /// The last entry that is in it, and who was a member.
    pub meta: SnapshotMetaV1,
    /// The state.
    pub state: State,
}

/// Why a backup is not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// There is something in the folder.
    #[error("{0} is not empty; restore into a folder that is, or does not exist yet")]
    NotEmpty(std::path::PathBuf),
    /// Nothing was ever committed.
    #[error("the backup has no entry in it")]
    Nothing,
    /// The new identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Reading or writing failed.
    #[error("write the restored state")]
    Io(#[from] io::Error),
}

impl BackupV1 {
    /// Of a state as it stands.
    pub fn of(cluster: [u8; 32], at_ms: u64, snapshot: SnapshotV1) -> BackupV1 {
        BackupV1 { cluster, at_ms, meta: snapshot.meta, state: snapshot.state }
    }

    /// As a file.
    pub fn encode(&self) -> Result<Vec<u8>, BadRecord> {
        codec::encode(Schema::Backup, self)
    }

    /// From a file that is whole.
    pub fn decode(record: &[u8]) -> Result<BackupV1, BadRecord> {
        codec::decode(Schema::Backup, record)
    }

    /// Makes `dir`, which is empty or not there, the folder of a new node: a cluster of one with this state, of the same
    /// family and a stranger to the old one. `random` becomes its id. Answers the state that it begins with.
    pub async fn restore(mut self, dir: &Path, random: u64) -> Result<State, RestoreError> {
        let there = match std::fs::read_dir(dir) {
            Ok(mut entries) => entries.next().is_some(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error.into()),
        };
        if there {
            return Err(RestoreError::NotEmpty(dir.to_owned()));
        }
        let last = self.meta.last.ok_or(RestoreError::Nothing)?;
        let index = self.state.close_all_sessions(last.index, self.at_ms);
        let last = LogIdV1 { term: last.term + 1, node: random, index };
        let mut identity = Identity::open(dir, random)?;
        let unknown = MemberV1 { name: String::new(), peer: String::new() };
        let state = self.state.clone();
        Alone { node: random, member: unknown, state: self.state, last }.write(dir).await?;
        identity.join_cluster(next_generation(self.cluster, random))?;
        Ok(state)
    }
}

#[cfg(test)]
mod tests;
