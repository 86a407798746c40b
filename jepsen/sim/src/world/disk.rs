//! The disk under a simulated Raft log. What is written is read back at once; what was not synced may be gone when the
//! power comes back, any suffix of it.

use std::collections::BTreeMap;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use openraft::OptionalSend;
use openraft::storage::{IOFlushed, LogState, RaftLogReader, RaftLogStorage};
use pinode_raft::codec::{LogIdV1, VoteV1};
use pinode_raft::host::here;
use pinode_raft::log::latency::Latency;
use pinode_raft::types::{LogEntry, LogId, Vote};
use pinode_raft::{Log, TypeConfig};
use pinode_scheduler::mutant::{self, Mutant};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::lock;
use crate::random::Random;

/// Syncs of a disk that nothing is known of yet.
const PROBES: usize = 4;

/// What one sync may make durable.
#[derive(Clone, Debug)]
enum Write {
    Vote(Vote),
    Committed(LogId),
    Append(Arc<LogEntry>),
    /// Everything after that index goes.
    Truncate(Option<LogId>),
    /// Everything up to that index goes.
    Purge(LogId),
}

#[derive(Clone, Debug, Default)]
struct Content {
    vote: Option<Vote>,
    committed: Option<LogId>,
    purged: Option<LogId>,
    last: Option<LogId>,
    /// Shared by what is written, what is durable, and copies of the disk.
    entries: BTreeMap<u64, Arc<LogEntry>>,
}

impl Content {
    fn take(&mut self, write: Write) {
        match write {
            Write::Vote(vote) => self.vote = Some(vote),
            Write::Committed(id) => self.committed = Some(id),
            Write::Append(entry) => {
                self.last = Some(entry.log_id);
                self.entries.insert(entry.log_id.index, entry);
            }
            Write::Truncate(last) => {
                self.entries.split_off(&last.map_or(0, |id| id.index.saturating_add(1)));
                self.last = last.or(self.purged);
            }
            Write::Purge(upto) => {
                self.entries = self.entries.split_off(&upto.index.saturating_add(1));
                self.purged = Some(upto);
                if self.last.is_none_or(|last| last.index < upto.index) {
                    self.last = Some(upto);
                }
            }
        }
    }
}

type Done = Box<dyn FnOnce(io::Result<()>) + Send>;

struct Inner {
    /// As reads show it.
    written: Content,
    /// As the next power cut leaves it, at least.
    durable: Content,
    /// Written and not durable, oldest first.
    unsynced: Vec<Write>,
    /// Who waits for what was written so far.
    waiting: Vec<Done>,
    syncing: bool,
    kind: Kind,
    /// How long a sync takes, in milliseconds, from and to.
    sync_ms: (u64, u64),
    /// The next sync fails.
    failing: bool,
    failed: bool,
    /// As the process that has it open measures it.
    latency: Arc<Latency>,
    /// A log was opened on it before: there is one, even if nothing is in it.
    used: bool,
    random: Random,
}

/// A disk; it outlives the processes that use it.
#[derive(Clone)]
pub struct Disk(Arc<Mutex<Inner>>);

/// The log on it, as one process has it open.
#[derive(Clone)]
pub struct DiskLog {
    disk: Disk,
}

impl std::fmt::Debug for DiskLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DiskLog").finish_non_exhaustive()
    }
}

/// What a machine has for a disk. A cluster of SD cards beats its heart more slowly, and has longer leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sync takes no time to speak of.
    Ssd,
    /// A sync takes as long as an SD card's usual ones.
    SdCard,
}

impl Kind {
    /// How long a sync takes, in milliseconds, from and to.
    fn sync_ms(self) -> (u64, u64) {
        match self {
            Kind::Ssd => (0, 1),
            Kind::SdCard => (20, 80),
        }
    }
}

impl Disk {
    /// An empty one.
    pub fn new(kind: Kind, random: Random) -> Disk {
        Disk(Arc::new(Mutex::new(Inner {
            kind,
            written: Content::default(),
            durable: Content::default(),
            unsynced: Vec::new(),
            waiting: Vec::new(),
            syncing: false,
            sync_ms: kind.sync_ms(),
            failing: false,
            failed: false,
            latency: Arc::default(),
            used: false,
            random,
        })))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut lock(&self.0))
    }

    /// A process opens the log.
    pub fn open(&self) -> DiskLog {
        self.with(|disk| (disk.failed, disk.used, disk.latency) = (false, true, Arc::default()));
        DiskLog { disk: self.clone() }
    }

    /// How long a sync takes from now on, in milliseconds; none: as fast as it is made for.
    pub fn slow_down(&self, ms: Option<(u64, u64)>) {
        self.with(|disk| disk.sync_ms = ms.unwrap_or(disk.kind.sync_ms()));
    }

    /// The next sync fails.
    pub fn fail_next_sync(&self) {
        self.with(|disk| disk.failing = true);
    }

    /// No sync fails any more.
    pub fn mend(&self) {
        self.with(|disk| disk.failing = false);
    }

    /// Whether a sync has failed since the log was opened: the process must end now.
    pub fn has_failed(&self) -> bool {
        self.with(|disk| disk.failed)
    }

    /// The process, or the machine, is gone: some suffix of what was not synced is lost, and nobody hears of it.
    pub fn lose_unsynced(&self) -> usize {
        self.with(|disk| {
            let unsynced = std::mem::take(&mut disk.unsynced);
            let kept = disk.random.below(unsynced.len() + 1);
            let lost = unsynced.len() - kept;
            unsynced.into_iter().take(kept).for_each(|write| disk.durable.take(write));
            disk.written = disk.durable.clone();
            disk.waiting.clear();
            disk.syncing = false;
            lost
        })
    }

    /// A copy of what is durable on it now.
    pub fn copy(&self, random: Random) -> Disk {
        let (kind, durable, used) = self.with(|disk| (disk.kind, disk.durable.clone(), disk.used));
        let copy = Disk::new(kind, random);
        copy.with(|disk| (disk.written, disk.durable, disk.used) = (durable.clone(), durable, used));
        copy
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.with(|disk| disk.kind)
    }

    /// Whether there is a log on it, in whatever state.
    pub fn has_log(&self) -> bool {
        self.with(|disk| disk.used)
    }

    /// How many entries the log has.
    pub fn entries(&self) -> usize {
        self.with(|disk| disk.written.entries.len())
    }

    /// Up to where the log was purged.
    pub fn purged(&self) -> Option<u64> {
        self.with(|disk| disk.written.purged.map(|id| id.index))
    }

    fn write(&self, write: Write) {
        self.with(|disk| {
            disk.written.take(write.clone());
            disk.unsynced.push(write);
        });
    }

    /// Calls back when everything written so far is durable. All who come while a sync is under way share the next.
    fn when_synced(&self, done: Done) {
        if mutant::is(Mutant::AcknowledgesUnsynced) {
            return done(Ok(()));
        }
        self.with(|disk| disk.waiting.push(done));
        self.sync();
    }

    fn sync(&self) {
        let begun = self.with(|disk| {
            if disk.syncing || disk.waiting.is_empty() || disk.failed {
                return None;
            }
            disk.syncing = true;
            let (low, high) = disk.sync_ms;
            let takes = Duration::from_millis(disk.random.between(low, high));
            Some((takes, disk.unsynced.len(), std::mem::take(&mut disk.waiting)))
        });
        let Some((takes, covers, waiting)) = begun else { return };
        let disk = self.clone();
        tokio::spawn(here(async move {
            if !takes.is_zero() {
                sleep(takes).await;
            }
            let failed = disk.with(|disk| {
                disk.syncing = false;
                disk.latency.note(takes);
                disk.failed |= std::mem::take(&mut disk.failing);
                if !disk.failed {
                    let synced: Vec<Write> = disk.unsynced.drain(..covers.min(disk.unsynced.len())).collect();
                    synced.into_iter().for_each(|write| disk.durable.take(write));
                }
                disk.failed
            });
            // After a failed sync the process aborts before anybody is told anything.
            if !failed {
                waiting.into_iter().for_each(|done| done(Ok(())));
                disk.sync();
            }
        }));
    }

    async fn synced(&self) -> io::Result<()> {
        let (tell, told) = oneshot::channel();
        self.when_synced(Box::new(move |result| drop(tell.send(result))));
        match told.await {
            Ok(result) => result,
            // The process is about to end, and must not go on as if it knew.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Log for DiskLog {
    fn last(&self) -> Option<LogIdV1> {
        self.disk.with(|disk| disk.written.last.as_ref().map(Into::into))
    }

    fn vote(&self) -> Option<VoteV1> {
        self.disk.with(|disk| disk.written.vote.as_ref().map(Into::into))
    }

    fn close(&self) -> BoxFuture<'_, io::Result<()>> {
        self.disk.synced().boxed()
    }

    fn sync_p99(&self) -> Option<Duration> {
        self.disk.with(|disk| disk.latency.p99())
    }

    fn measure_sync(&self) -> BoxFuture<'_, io::Result<Duration>> {
        async move {
            for _ in 0..PROBES {
                self.disk.synced().await?;
            }
            Ok(self.disk.with(|disk| disk.latency.usual(PROBES)))
        }
        .boxed()
    }
}

impl RaftLogReader<TypeConfig> for DiskLog {
    async fn try_get_log_entries<RB>(&mut self, range: RB) -> Result<Vec<LogEntry>, io::Error>
    where
        RB: RangeBounds<u64> + Clone + std::fmt::Debug + OptionalSend,
    {
        let first = match range.start_bound() {
            Bound::Included(index) => *index,
            Bound::Excluded(index) => index.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(index) => index.saturating_add(1),
            Bound::Excluded(index) => *index,
            Bound::Unbounded => u64::MAX,
        };
        let range = first..end.max(first);
        Ok(self.disk.with(|disk| {
            disk.written.entries.range(range).map(|(_, entry)| LogEntry::clone(entry)).collect()
        }))
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.disk.with(|disk| disk.written.vote))
    }
}

impl RaftLogStorage<TypeConfig> for DiskLog {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        Ok(self.disk.with(|disk| LogState {
            last_purged_log_id: disk.written.purged,
            last_log_id: disk.written.last,
        }))
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        self.disk.write(Write::Vote(*vote));
        self.disk.synced().await
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        if let Some(committed) = committed {
            self.disk.write(Write::Committed(committed));
        }
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        Ok(self.disk.with(|disk| {
            let last = disk.written.last.map(|id| id.index);
            disk.written.committed.filter(|id| Some(id.index) <= last)
        }))
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = LogEntry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        for entry in entries {
            self.disk.write(Write::Append(Arc::new(entry)));
        }
        self.disk.when_synced(Box::new(move |result| callback.io_completed(result)));
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> Result<(), io::Error> {
        let have = self.disk.with(|disk| disk.written.last);
        if have.map(|id| id.index) > last.map(|id| id.index) {
            self.disk.write(Write::Truncate(last));
        }
        self.disk.synced().await
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), io::Error> {
        self.disk.write(Write::Purge(upto));
        Ok(())
    }
}
