//! openraft's log store over sled.

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use openraft::OptionalSend;
use openraft::storage::{IOFlushed, LogState, RaftLogReader, RaftLogStorage};
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use super::flusher::{Flusher, OnFatal, SyncFile, Wish};
use super::portion::{Portion, Unsynced};
use super::recover::{self, LogError, Record, Recovered};
use super::sled_file::PAGE_BYTES;
use crate::codec::{self, LogIdV1, Schema, VoteV1};
use crate::types::{LogEntry, LogId, TypeConfig, Vote};

/// Syncs of a disk that nothing is known of yet.
const PROBES: usize = 4;
/// Records are cut into pieces of this size, so that a page of them stays within what sled syncs.
const CHUNK_BYTES: usize = 4 << 10;
/// At most, give or take. sled splits a page of more than 16 pieces when it comes by next, and merges one of less than 4
/// with another.
const CHUNKS_IN_A_PAGE: usize = 24;
const _: () = assert!(CHUNK_BYTES * CHUNKS_IN_A_PAGE < PAGE_BYTES);

/// Where things are in the one tree.
pub(super) mod keys {
    pub(in crate::log) const VOTE: &[u8] = b"m/vote";
    pub(in crate::log) const PURGED: &[u8] = b"m/purged";
    pub(in crate::log) const COMMITTED: &[u8] = b"m/committed";
    pub(in crate::log) const PROBE: &[u8] = b"m/probe";

    /// A piece of an entry's record.
    pub(in crate::log) fn chunk(index: u64, piece: u16) -> [u8; 11] {
        let mut key = [b'l'; 11];
        key[1..9].copy_from_slice(&index.to_be_bytes());
        key[9..].copy_from_slice(&piece.to_be_bytes());
        key
    }

    /// After the last possible piece.
    pub(in crate::log) fn log_end() -> [u8; 1] {
        [b'l' + 1]
    }
}

/// The log. Clones share it.
#[derive(Clone)]
pub struct LogStore {
    shared: Arc<Shared>,
}

struct Shared {
    dir: PathBuf,
    db: sled::Db,
    unsynced: Arc<Unsynced>,
    flusher: Flusher,
    known: Mutex<Recovered>,
}

impl fmt::Debug for LogStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogStore").field("dir", &self.shared.dir).finish_non_exhaustive()
    }
}

impl LogStore {
    /// Whether there is a log in `dir`, in whatever state.
    pub fn exists(dir: &Path) -> bool {
        recover::exists(dir)
    }

    /// Opens and verifies the log in `dir`. `fatal` is called when a sync fails; it should end the process.
    pub fn open(dir: &Path, fatal: OnFatal) -> Result<LogStore, LogError> {
        LogStore::open_with(dir, Box::new(File::sync_data), fatal)
    }

    /// The same on a disk that is synced in another way.
    pub fn open_with(dir: &Path, sync_file: SyncFile, fatal: OnFatal) -> Result<LogStore, LogError> {
        let open = recover::open(dir)?;
        let failed = |source| LogError::Io { act: "start the flusher of", path: dir.to_owned(), source };
        let unsynced = Arc::new(Unsynced::default());
        let flusher =
            Flusher::start(open.db.clone(), open.file, open.mark, unsynced.clone(), sync_file, fatal);
        let flusher = flusher.map_err(failed)?;
        // What a process before this one had not swept yet.
        if let Some(purged) = open.recovered.purged {
            flusher.wish(Wish::Sweep { upto: purged.index });
        }
        let known = Mutex::new(open.recovered);
        Ok(LogStore {
            shared: Arc::new(Shared { dir: dir.to_owned(), db: open.db, unsynced, flusher, known }),
        })
    }

    /// What the log holds.
    pub fn recovered(&self) -> Recovered {
        *self.known()
    }

    /// How long a sync takes: 99 of 100 of the latest took no longer; none while too few are known.
    pub fn sync_p99(&self) -> Option<Duration> {
        self.shared.flusher.sync_p99()
    }

    /// Syncs a few times to nobody's use but this: what a sync takes on this disk.
    pub async fn measure_sync(&self) -> io::Result<Duration> {
        for time in 0..PROBES {
            self.shared.db.insert(keys::PROBE, time.to_be_bytes().as_slice()).map_err(io_error)?;
            self.synced().await?;
        }
        Ok(self.shared.flusher.usual_sync(PROBES))
    }

    /// Whether nothing was ever written to it.
    pub fn is_empty(&self) -> bool {
        let known = self.known();
        known.vote.is_none() && known.last.is_none()
    }

    /// After the last append of an orderly stop: everything is synced, and the next start need not distrust the tail.
    pub async fn close(&self) -> io::Result<()> {
        self.synced().await?;
        recover::mark_clean(&self.shared.dir)
    }

    fn known(&self) -> MutexGuard<'_, Recovered> {
        self.shared.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until everything written so far is durable.
    async fn synced(&self) -> io::Result<()> {
        let (tell, told) = oneshot::channel();
        self.when_synced(Box::new(move |result| drop(tell.send(result))));
        told.await.map_err(io::Error::other)?
    }

    fn when_synced(&self, done: Box<dyn FnOnce(io::Result<()>) + Send>) {
        // Under the lock, so that wishes reach the flusher in the order of what they know.
        let known = self.known();
        let wish = Wish::Sync { last: known.last.map(|id| id.index), vote: known.vote, done };
        self.shared.flusher.wish(wish);
    }

    async fn mark_lowered(&self, last: Option<u64>) -> io::Result<()> {
        let (tell, told) = oneshot::channel();
        let done = Box::new(move |result| drop(tell.send(result)));
        self.shared.flusher.wish(Wish::Lower { last, done });
        told.await.map_err(io::Error::other)?
    }

    /// A sync from here on makes the log durable up to this entry, if there is one.
    fn ends_at(&self, entry: Option<LogIdV1>) {
        let mut known = self.known();
        known.last = entry.or(known.last);
    }

    async fn write(&self, portion: Portion) -> io::Result<()> {
        while !self.shared.unsynced.has_room_for(&portion) {
            self.synced().await?;
        }
        self.shared.unsynced.write(&self.shared.db, portion).map_err(io_error)
    }

    async fn write_one(&self, key: &[u8], record: Vec<u8>) -> io::Result<()> {
        let mut portion = Portion::default();
        portion.insert(key, record);
        self.write(portion).await
    }
}

/// Of what kind a failure of sled is: the disk's own, or data that is not what was written.
pub(super) fn io_error(error: sled::Error) -> io::Error {
    match error {
        sled::Error::Io(error) => error,
        // Only this version of sled has ever written here: what claims to be another's is damaged.
        error @ (sled::Error::Corruption { .. }
        | sled::Error::ReportableBug(_)
        | sled::Error::Unsupported(_)) => io::Error::new(io::ErrorKind::InvalidData, error),
        error @ sled::Error::CollectionNotFound(_) => io::Error::other(error),
    }
}

/// An entry's pieces under their keys.
pub(super) fn pieces(entry: &Record) -> io::Result<Vec<([u8; 11], Vec<u8>)>> {
    let record = codec::encode(Schema::Entry, entry).map_err(io::Error::other)?;
    let pieces = record.chunks(CHUNK_BYTES).enumerate().map(|(piece, chunk)| {
        let piece = u16::try_from(piece).map_err(|_| io::ErrorKind::FileTooLarge)?;
        Ok((keys::chunk(entry.id.index, piece), chunk.to_vec()))
    });
    pieces.collect()
}

/// The entry at `index`; none if there is none, an error if it does not verify.
pub(super) fn read_entry(db: &sled::Db, index: u64) -> io::Result<Option<Record>> {
    let mut record = Vec::new();
    for piece in db.range(keys::chunk(index, 0)..keys::chunk(index.saturating_add(1), 0)).values() {
        record.extend_from_slice(&piece.map_err(io_error)?);
    }
    if record.is_empty() {
        return Ok(None);
    }
    let entry: Record = codec::decode(Schema::Entry, &record).map_err(invalid)?;
    if entry.id.index != index {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("it says that it is entry {}", entry.id.index),
        ));
    }
    Ok(Some(entry))
}

/// The entries from `first` to before `end`, in one walk over their pieces.
fn read_entries(db: &sled::Db, first: u64, end: u64) -> io::Result<Vec<Record>> {
    let mut records: Vec<Vec<u8>> = Vec::new();
    if first < end {
        for pair in db.range(keys::chunk(first, 0)..keys::chunk(end, 0)) {
            let (key, piece) = pair.map_err(io_error)?;
            match records.last_mut() {
                Some(record) if !key.ends_with(&[0, 0]) => record.extend_from_slice(&piece),
                Some(_) | None => records.push(piece.to_vec()),
            }
        }
    }
    records.iter().map(|record| codec::decode(Schema::Entry, record).map_err(invalid)).collect()
}

pub(super) fn read_meta<T: DeserializeOwned>(
    db: &sled::Db,
    key: &[u8],
    schema: Schema,
) -> io::Result<Option<T>> {
    let Some(record) = db.get(key).map_err(io_error)? else { return Ok(None) };
    codec::decode(schema, &record).map(Some).map_err(invalid)
}

/// A record whose checksum fits was written so: by another version, if this one cannot read it.
fn invalid(error: codec::BadRecord) -> io::Error {
    let kind =
        if error.is_of_another_version() { io::ErrorKind::Unsupported } else { io::ErrorKind::InvalidData };
    io::Error::new(kind, error)
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB>(&mut self, range: RB) -> Result<Vec<LogEntry>, io::Error>
    where
        RB: RangeBounds<u64> + Clone + fmt::Debug + OptionalSend,
    {
        let after = |bound: Bound<&u64>, default: u64| match bound {
            Bound::Included(index) => (*index, index.saturating_add(1)),
            Bound::Excluded(index) => (index.saturating_add(1), *index),
            Bound::Unbounded => (default, default),
        };
        let (first, _) = after(range.start_bound(), 0);
        let first = first.max(self.known().purged.map_or(0, |purged| purged.index.saturating_add(1)));
        let (_, end) = after(range.end_bound(), u64::MAX);
        Ok(read_entries(&self.shared.db, first, end)?.into_iter().map(Into::into).collect())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.known().vote.map(Into::into))
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        let known = self.known();
        Ok(LogState {
            last_purged_log_id: known.purged.map(Into::into),
            last_log_id: known.last.map(Into::into),
        })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        let vote = VoteV1::from(vote);
        let record = codec::encode(Schema::Vote, &vote).map_err(io::Error::other)?;
        self.write_one(keys::VOTE, record).await?;
        self.known().vote = Some(vote);
        self.synced().await
    }

    /// Not synced: a lower mark after a crash costs a moment at the start and nothing else.
    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        let Some(committed) = committed.as_ref().map(LogIdV1::from) else { return Ok(()) };
        let record = codec::encode(Schema::LogId, &committed).map_err(io::Error::other)?;
        self.write_one(keys::COMMITTED, record).await?;
        self.known().committed = Some(committed);
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        // Never beyond the log: the mark may have been written by an append that was not.
        let known = self.known();
        let committed = known.committed.filter(|id| Some(id.index) <= known.last.map(|last| last.index));
        Ok(committed.map(Into::into))
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = LogEntry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut portion = Portion::default();
        let mut whole = None;
        for entry in entries {
            let entry = Record::from(&entry);
            for (key, piece) in pieces(&entry)? {
                if portion.is_full() {
                    self.write(std::mem::take(&mut portion)).await?;
                    self.ends_at(whole);
                }
                portion.insert(&key, piece);
            }
            whole = Some(entry.id);
        }
        self.write(portion).await?;
        self.ends_at(whole);
        self.when_synced(Box::new(move |result| callback.io_completed(result)));
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> Result<(), io::Error> {
        let wanted = last.as_ref().map(LogIdV1::from);
        // A truncation beyond the end must not raise the mark.
        let have = self.known().last;
        let last = if have.map(|id| id.index) <= wanted.map(|id| id.index) { have } else { wanted };
        self.mark_lowered(last.map(|id| id.index)).await?;
        // At once: the syncs on the way would raise the mark again.
        self.known().last = last;
        // From the end on, so that what is left of it is whole at any time.
        let first = keys::chunk(last.map_or(0, |id| id.index.saturating_add(1)), 0);
        let mut portion = Portion::default();
        for piece in self.shared.db.range(first.as_slice()..&keys::log_end()).rev() {
            if portion.is_full() {
                self.write(std::mem::take(&mut portion)).await?;
            }
            portion.remove(piece.map_err(io_error)?);
        }
        self.write(portion).await?;
        self.synced().await
    }

    /// openraft purges what a snapshot covers, and ours are synced before they are named. From now on nobody sees the
    /// entries; the flusher deletes them, after what says so is synced.
    async fn purge(&mut self, upto: LogId) -> Result<(), io::Error> {
        let upto = LogIdV1::from(&upto);
        let record = codec::encode(Schema::LogId, &upto).map_err(io::Error::other)?;
        self.write_one(keys::PURGED, record).await?;
        let mut known = self.known();
        known.purged = Some(upto);
        if known.last.is_none_or(|last| last.index < upto.index) {
            known.last = Some(upto);
        }
        self.shared.flusher.wish(Wish::Sweep { upto: upto.index });
        Ok(())
    }
}
