//! The one thread that syncs. It takes everybody who waits, syncs once, and tells them all: group commit. What is purged it
//! deletes in between.

use std::fs::File;
use std::io;
use std::panic;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::high_water::{HighWater, MarkV1};
use super::latency::Latency;
use super::portion::{Portion, Unsynced};
use super::store::{io_error, keys};
use crate::codec::VoteV1;

/// Called when a sync failed. It must not return to normal life: what was acknowledged may be gone, and a second try
/// would be told that all is well. The process stops, and the next start distrusts what is above the mark.
pub type OnFatal = Box<dyn Fn(&io::Error) + Send>;

/// How the log's file is synced. Another than the usual one is for tests of slow and failing disks.
pub type SyncFile = Box<dyn FnMut(&File) -> io::Result<()> + Send>;

type Done = Box<dyn FnOnce(io::Result<()>) + Send>;

/// What is to be durable.
pub(super) enum Wish {
    /// Everything written to sled so far, of which the log ends here and the vote is this.
    Sync { last: Option<u64>, vote: Option<VoteV1>, done: Done },
    /// First the mark goes down, so that what is deleted next is not missed.
    Lower { last: Option<u64>, done: Done },
    /// What says that entries up to here are purged is written: once it is synced, they go, one portion after each sync.
    Sweep { upto: u64 },
}

/// The thread's other end.
pub(super) struct Flusher {
    wishes: Option<Sender<Wish>>,
    thread: Option<JoinHandle<()>>,
    latency: Arc<Latency>,
}

impl Flusher {
    pub(super) fn start(
        db: sled::Db,
        file: File,
        mark: HighWater,
        unsynced: Arc<Unsynced>,
        sync_file: SyncFile,
        fatal: OnFatal,
    ) -> io::Result<Flusher> {
        let (wishes, queue) = mpsc::channel();
        let latency = Arc::new(Latency::default());
        let worker = Worker {
            db,
            file,
            mark,
            unsynced,
            sync_file,
            fatal,
            latency: latency.clone(),
            sweeps: None,
            failed: None,
        };
        let work = move || worker.run(&queue);
        let thread = thread::Builder::new().name("log-flusher".to_owned()).spawn(work)?;
        Ok(Flusher { wishes: Some(wishes), thread: Some(thread), latency })
    }

    /// How long the latest of so many took, without the slowest.
    pub(super) fn usual_sync(&self, of: usize) -> Duration {
        self.latency.usual(of)
    }

    /// 99 of 100 of the latest syncs took no longer; none while too few are known.
    pub(super) fn sync_p99(&self) -> Option<Duration> {
        self.latency.p99()
    }

    /// Queues a wish. The queue has no limit of its own: openraft bounds what is in flight.
    pub(super) fn wish(&self, wish: Wish) {
        let refused = match &self.wishes {
            Some(wishes) => wishes.send(wish).err().map(|refused| refused.0),
            None => Some(wish),
        };
        if let Some(Wish::Sync { done, .. } | Wish::Lower { done, .. }) = refused {
            done(Err(io::Error::other("the log store is closed")));
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        drop(self.wishes.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the log flusher panicked");
        }
    }
}

struct Worker {
    db: sled::Db,
    file: File,
    mark: HighWater,
    unsynced: Arc<Unsynced>,
    sync_file: SyncFile,
    fatal: OnFatal,
    latency: Arc<Latency>,
    /// Up to where entries are purged, as long as some may still be there.
    sweeps: Option<u64>,
    /// The first sync that failed: after it nothing is ever called durable.
    failed: Option<io::Error>,
}

impl Worker {
    fn run(mut self, queue: &Receiver<Wish>) {
        while let Some(wishes) = self.next(queue) {
            // In the order they came: a lowered mark between two syncs must stay between them.
            let mut group = Vec::new();
            for wish in wishes {
                match wish {
                    Wish::Sync { last, vote, done } => group.push((last, vote, done)),
                    Wish::Lower { last, done } => {
                        self.sync(std::mem::take(&mut group));
                        let vote = self.mark.mark().vote;
                        let lowered = self.unless_failed(|worker| worker.mark.set(vote, last));
                        self.tell([done], lowered);
                    }
                    Wish::Sweep { upto } => self.sweeps = self.sweeps.max(Some(upto)),
                }
            }
            if group.is_empty() && self.sweeps.is_some() {
                let MarkV1 { last, vote, .. } = self.mark.mark();
                group.push((last, vote, Box::new(drop) as Done));
            }
            self.sync(group);
            self.sweep();
        }
    }

    /// All that are queued. None when nobody is left to wish; what is not swept then is at the next start.
    fn next(&self, queue: &Receiver<Wish>) -> Option<Vec<Wish>> {
        if self.sweeps.is_some() {
            let first = match queue.try_recv() {
                Ok(first) => Some(first),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => return None,
            };
            return Some(first.into_iter().chain(queue.try_iter()).collect());
        }
        Some(std::iter::once(queue.recv().ok()?).chain(queue.try_iter()).collect())
    }

    /// Deletes a portion of what is purged, if there is room for it.
    fn sweep(&mut self) {
        let Some(upto) = self.sweeps else { return };
        match self.purged(upto) {
            Some(portion) if portion.is_empty() => self.sweeps = None,
            Some(portion) if self.unsynced.has_room_for(&portion) => {
                let swept =
                    self.unless_failed(|worker| worker.unsynced.write(&worker.db, portion).map_err(io_error));
                self.tell([], swept);
            }
            Some(_) => {}
            // Nobody misses them, so that they are no damage.
            None => {
                tracing::warn!(upto, "entries that are purged cannot be read, and are left where they are");
                self.sweeps = None;
            }
        }
    }

    /// Pieces of purged entries; none if they cannot be read.
    fn purged(&self, upto: u64) -> Option<Portion> {
        let read = || {
            let mut portion = Portion::default();
            let mut pieces = self.db.range(keys::chunk(0, 0)..keys::chunk(upto.saturating_add(1), 0));
            while !portion.is_swept_enough()
                && let Some(piece) = pieces.next()
            {
                portion.remove(piece.ok()?);
            }
            Some(portion)
        };
        panic::catch_unwind(panic::AssertUnwindSafe(read)).ok().flatten()
    }

    fn sync(&mut self, group: Vec<(Option<u64>, Option<VoteV1>, Done)>) {
        let Some((last, vote, _)) = group.last() else { return };
        let (last, vote) = (*last, *vote);
        let synced = self.unless_failed(|worker| worker.sync_once(last, vote));
        self.tell(group.into_iter().map(|(_, _, done)| done), synced);
    }

    /// sled's own flush does not fsync on Linux; its data file is synced here, then the mark.
    fn sync_once(&mut self, last: Option<u64>, vote: Option<VoteV1>) -> io::Result<()> {
        #[expect(
            clippy::disallowed_methods,
            reason = "how long a sync takes decides nothing here; it is measured"
        )]
        let began = Instant::now();
        self.unsynced.while_synced(|| {
            self.db.flush().map_err(io_error)?;
            (self.sync_file)(&self.file)
        })?;
        self.mark.set(vote, last)?;
        self.latency.note(began.elapsed());
        Ok(())
    }

    /// The kernel may have dropped what it could not write, and would say of a second sync that all is well.
    fn unless_failed(&mut self, act: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        let done = if let Some(error) = &self.failed { Err(copy(error)) } else { act(self) };
        if let Err(error) = &done {
            self.failed.get_or_insert_with(|| copy(error));
            // There will never be room for it again.
            self.sweeps = None;
        }
        done
    }

    fn tell(&self, waiting: impl IntoIterator<Item = Done>, result: io::Result<()>) {
        if let Err(error) = &result {
            (self.fatal)(error);
        }
        for done in waiting {
            done(result.as_ref().copied().map_err(copy));
        }
    }
}

fn copy(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}
