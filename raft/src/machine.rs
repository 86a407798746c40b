//! The thin adapter between openraft and `State::apply`. The state lives in memory and is derived: newest valid
//! snapshot, then the log. Nothing here decides anything.

use std::io;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use futures_util::{Stream, TryStreamExt};
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::{EntryPayload, RaftSnapshotBuilder};
#[cfg(feature = "mutants")]
use pinode_scheduler::mutant::{self, Mutant};
use pinode_scheduler::{Change, Reply, State};
use sha2::{Digest, Sha256};
use tokio::sync::{broadcast, watch};

use crate::codec::{self, SnapshotV1};
use crate::host;
use crate::snapshot::Snapshots;
use crate::types::{LogId, Snapshot, SnapshotMeta, StoredMembership, TypeConfig};

/// Entries' changes that a slow watcher may fall behind; then it is told that it missed some.
pub const CHANGES_BUFFERED: usize = 4_096;

/// What one entry did, for who watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The entry's index.
    pub index: u64,
    /// The leader's wall time when it took it.
    pub at_ms: u64,
    /// In order.
    pub changes: Vec<Change>,
}

/// The replicated state of this node. Clones share it.
#[derive(Clone, Debug)]
pub struct Machine {
    core: Arc<RwLock<Core>>,
    applied: watch::Sender<u64>,
    changes: broadcast::Sender<Arc<Changes>>,
    snapshots: Snapshots,
}

#[derive(Debug, Default)]
struct Core {
    state: State,
    last: Option<LogId>,
    membership: StoredMembership,
}

/// A look at the state; hold it briefly, `apply` waits meanwhile. Never wait for anything while holding it, and never
/// take it while holding Raft's metrics or another such look: a writer that queues between two readers stops them all.
pub struct StateGuard<'a>(RwLockReadGuard<'a, Core>);

impl std::ops::Deref for StateGuard<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0.state
    }
}

impl StateGuard<'_> {
    /// The digest of this very state, in hex: equal on nodes that applied the same entries.
    pub fn hash(&self) -> io::Result<String> {
        let bytes = codec::encode_state(&self.0.state).map_err(io::Error::other)?;
        Ok(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl Machine {
    /// The state of the newest valid snapshot, or an empty one.
    pub fn open(snapshots: Snapshots) -> io::Result<Machine> {
        let core = snapshots.newest()?.map(Core::of).unwrap_or_default();
        let applied = watch::Sender::new(core.last.map_or(0, |id| id.index));
        let changes = broadcast::Sender::new(CHANGES_BUFFERED);
        Ok(Machine { core: Arc::new(RwLock::new(core)), applied, changes, snapshots })
    }

    /// The state as it is now.
    pub fn state(&self) -> StateGuard<'_> {
        StateGuard(self.read())
    }

    /// The state as it is now, with what it covers.
    pub fn snapshot(&self) -> SnapshotV1 {
        self.read().snapshot()
    }

    /// Index of the last applied entry, and a wake-up at each change of it.
    pub fn applied(&self) -> watch::Receiver<u64> {
        self.applied.subscribe()
    }

    /// What entries do from now on.
    pub fn changes(&self) -> broadcast::Receiver<Arc<Changes>> {
        self.changes.subscribe()
    }

    /// The last entry that this state contains.
    pub fn last_applied(&self) -> Option<LogId> {
        self.read().last
    }

    // A panic inside `apply` would poison the lock. `apply` is total; should it panic all the same, the state may be
    // half changed, and a node that stops is better than one that goes on with it: openraft's core ends with the task.
    fn read(&self) -> RwLockReadGuard<'_, Core> {
        self.core.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Core> {
        self.core.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply_one(&self, entry: crate::types::LogEntry) -> Reply {
        let index = entry.log_id.index;
        let mut core = self.write();
        core.last = Some(entry.log_id);
        match entry.payload {
            EntryPayload::Blank => Reply::Done,
            EntryPayload::Membership(membership) => {
                core.membership = StoredMembership::new(Some(entry.log_id), membership);
                Reply::Done
            }
            EntryPayload::Normal(entry) => {
                let applied = core.state.apply(index, &entry);
                drop(core);
                if !applied.changes.is_empty() {
                    let changes = Changes { index, at_ms: entry.at_ms, changes: applied.changes };
                    // An error says that nobody watches, which is none.
                    drop(self.changes.send(Arc::new(changes)));
                }
                applied.reply
            }
        }
    }
}

impl Core {
    fn of(snapshot: SnapshotV1) -> Core {
        let meta = SnapshotMeta::from(snapshot.meta);
        Core { state: snapshot.state, last: meta.last_log_id, membership: meta.last_membership }
    }

    fn snapshot(&self) -> SnapshotV1 {
        let meta = SnapshotMeta { last_log_id: self.last, last_membership: self.membership.clone() };
        #[cfg(feature = "mutants")]
        if mutant::is(Mutant::ForgetsRequests) {
            return SnapshotV1 { meta: (&meta).into(), state: self.state.clone().without_requests() };
        }
        SnapshotV1 { meta: (&meta).into(), state: self.state.clone() }
    }
}

impl RaftStateMachine<TypeConfig> for Machine {
    type SnapshotData = Vec<u8>;
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        let core = self.read();
        Ok((core.last, core.membership.clone()))
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> Result<(), io::Error>
    where
        Strm: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + Send,
    {
        while let Some((entry, responder)) = entries.try_next().await? {
            let index = entry.log_id.index;
            let reply = self.apply_one(entry);
            self.applied.send_replace(index);
            if let Some(responder) = responder {
                responder.send(reply);
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, record: Vec<u8>) -> Result<(), io::Error> {
        let (snapshots, said) = (self.snapshots.clone(), meta.clone());
        let snapshot = blocking(move || {
            let snapshot = codec::decode_snapshot(&record).map_err(io::Error::other)?;
            if SnapshotMeta::from(snapshot.meta.clone()) != said {
                return Err(io::Error::other("the snapshot covers something else than its sender said"));
            }
            snapshots.save_record(&snapshot, &record)?;
            Ok(snapshot)
        })
        .await?;
        let core = Core::of(snapshot);
        let index = core.last.map_or(0, |id| id.index);
        *self.write() = core;
        self.applied.send_replace(index);
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, io::Error> {
        let snapshots = self.snapshots.clone();
        let newest = blocking(move || snapshots.newest_record()).await?;
        Ok(newest.map(|(meta, record)| Snapshot { meta: meta.into(), snapshot: record }))
    }
}

impl RaftSnapshotBuilder<TypeConfig> for Machine {
    type SnapshotData = Vec<u8>;

    async fn build_snapshot(&mut self) -> Result<Snapshot, io::Error> {
        let snapshot = self.read().snapshot();
        let snapshots = self.snapshots.clone();
        blocking(move || {
            let record = snapshots.save(&snapshot)?;
            Ok(Snapshot { meta: snapshot.meta.into(), snapshot: record })
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    host::blocking(work).await.map_err(io::Error::other)?
}
