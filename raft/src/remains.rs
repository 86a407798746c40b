//! What is left of a cluster on one disk, when a majority of its voters is lost for good. An operator looks at it, and
//! makes it a cluster of one. What a lost majority had committed and this disk never saw is gone.

use std::path::{Path, PathBuf};
use std::{fs, io};

use pinode_scheduler::State;

use crate::alone::{Alone, LOG, SNAPSHOTS};
use crate::codec::{EntryV1, LogIdV1, MemberV1, MembershipV1, PayloadV1, SnapshotV1, VoteV1};
use crate::durable;
use crate::identity::{Identity, IdentityError, QUARANTINE, next_generation};
use crate::log::{LogError, salvage};
use crate::snapshot::Snapshots;

/// Founders of the cluster that was; see the binary's founding.
const FOUNDERS: &str = "founders";

/// Why nothing can be recovered from a folder.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// Its identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Its log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// It has never been in a cluster, or has nothing of it.
    #[error("{0} holds nothing of a cluster; there is nothing to recover")]
    Nothing(PathBuf),
    /// Reading or writing failed.
    #[error("{act} {path}")]
    Io {
        /// What was attempted.
        act: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

/// What one disk has of its cluster.
#[derive(Debug)]
pub struct Remains {
    identity: Identity,
    cluster: [u8; 32],
    /// The state, with every entry of the log applied, committed or not: what is not known to be lost is kept.
    pub state: State,
    /// The last entry.
    pub last: LogIdV1,
    /// Up to where the log is known to be committed.
    pub committed: Option<LogIdV1>,
    /// Who was a member.
    pub membership: MembershipV1,
    /// The highest vote.
    pub vote: Option<VoteV1>,
    /// What the folder itself has lost, in a sentence.
    pub lost: Option<String>,
}

impl Remains {
    /// Reads the folder of a stopped node, quarantined or not. Changes nothing.
    pub fn of(dir: &Path) -> Result<Remains, RecoverError> {
        let identity = Identity::look(dir)?;
        let Some(cluster) = identity.cluster() else { return Err(RecoverError::Nothing(dir.to_owned())) };
        let snapshots = dir.join(SNAPSHOTS);
        let failed =
            |source| RecoverError::Io { act: "read the snapshots in", path: snapshots.clone(), source };
        let snapshot = Snapshots::open(&snapshots).and_then(|all| all.newest()).map_err(failed)?;
        let covered = snapshot.as_ref().and_then(|snapshot| snapshot.meta.last);
        let left = salvage(&dir.join(LOG), covered.map(|id| id.index))?;
        let begun = snapshot.map(|SnapshotV1 { meta, state }| (state, meta.membership));
        let (mut state, mut membership) = begun.unwrap_or_default();
        let last = left.entries.last().map(|entry| entry.id).or(covered);
        let last = last.ok_or_else(|| RecoverError::Nothing(dir.to_owned()))?;
        for EntryV1 { id, payload } in left.entries {
            match payload {
                PayloadV1::Blank => {}
                PayloadV1::Normal(entry) => drop(state.apply(id.index, &entry)),
                PayloadV1::Membership(changed) => membership = changed,
            }
        }
        let committed = left.committed.max(covered);
        Ok(Remains {
            identity,
            cluster,
            state,
            last,
            committed,
            membership,
            vote: left.vote,
            lost: left.lost,
        })
    }

    /// The node whose disk it is.
    pub fn node(&self) -> pinode_scheduler::NodeId {
        self.identity.node()
    }

    /// The cluster that it was.
    pub fn cluster(&self) -> [u8; 32] {
        self.cluster
    }

    /// Makes the folder a cluster of one, with another id: who belongs to the old one, or to another recovery of it, is
    /// a stranger from now on. What was there is kept beside it; where, is answered.
    pub async fn make_alone(mut self, random: u64) -> Result<PathBuf, RecoverError> {
        let dir = self.identity.dir().to_owned();
        let (fresh, aside) = (dir.join("recovered"), unused(&dir));
        let failed = |act, path: &Path| {
            let path = path.to_owned();
            move |source| RecoverError::Io { act, path, source }
        };
        let node = self.node();
        let known = self.membership.members.iter().find(|(id, _)| *id == node);
        let unknown = MemberV1 { name: String::new(), peer: String::new() };
        let member = known.map_or(unknown, |(_, member)| member.clone());
        // The vote of the new log is in the term of its last entry: it must not be lower than any that was given.
        let term = self.last.term.max(self.vote.map_or(0, |vote| vote.term));
        let last = LogIdV1 { term, ..self.last };
        let alone = Alone { node, member, state: self.state, last };
        // Left over from a try that failed.
        if fresh.exists() {
            fs::remove_dir_all(&fresh).map_err(failed("empty", &fresh))?;
        }
        durable::make_folder(&fresh).map_err(failed("make", &fresh))?;
        alone.write(&fresh).await.map_err(failed("write", &fresh))?;
        durable::make_folder(&aside).map_err(failed("make", &aside))?;
        for name in [FOUNDERS, QUARANTINE, LOG, SNAPSHOTS] {
            move_over(&dir.join(name), &aside.join(name)).map_err(failed("set aside", &dir.join(name)))?;
        }
        durable::sync_folder(&aside).map_err(failed("sync", &aside))?;
        self.identity.join_cluster(next_generation(self.cluster, random))?;
        for name in [SNAPSHOTS, LOG] {
            move_over(&fresh.join(name), &dir.join(name)).map_err(failed("move", &fresh.join(name)))?;
        }
        fs::remove_dir(&fresh).map_err(failed("remove", &fresh))?;
        durable::sync_folder(&dir).map_err(failed("sync", &dir))?;
        Ok(aside)
    }
}

/// A name that no earlier recovery has used.
fn unused(dir: &Path) -> PathBuf {
    let mut names = (1_u32..).map(|number| dir.join(format!("before-recovery-{number}")));
    names.find(|path| !path.exists()).unwrap_or_else(|| dir.join("before-recovery"))
}

fn move_over(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        moved => moved,
    }
}
