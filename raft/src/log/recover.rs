//! Opening a log: read everything, verify everything, and hold it against the high-water mark. What is missing below
//! the mark was acknowledged once; a node that lost it must never vote again as if it had not.

use std::fs::File;
use std::io;
use std::panic;
use std::path::{Path, PathBuf};

use super::high_water::HighWater;
use super::portion::Portion;
use super::sled_file::{LAYOUT, open_sled};
use super::store::{self, keys};
use crate::codec::{self, EntryV1, LogIdV1, Schema, VoteV1};
use crate::durable;

const CLEAN_STOP: &str = "clean-stop";
pub(super) const HIGH_WATER: &str = "high-water";

/// Why a log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Reading or writing failed.
    #[error("{act} the raft log in {path}")]
    Io {
        /// What was attempted.
        act: &'static str,
        /// Where.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// Something that was acknowledged is not there.
    #[error("the raft log in {path} is damaged: {what}")]
    Damaged {
        /// Where.
        path: PathBuf,
        /// What is missing.
        what: String,
    },
}

/// What a log holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The vote.
    pub vote: Option<VoteV1>,
    /// Up to where the log was purged.
    pub purged: Option<LogIdV1>,
    /// The last entry.
    pub last: Option<LogIdV1>,
    /// Up to where it is known to be committed.
    pub committed: Option<LogIdV1>,
}

/// A verified log.
pub(super) struct Open {
    pub(super) db: sled::Db,
    pub(super) file: File,
    pub(super) mark: HighWater,
    pub(super) recovered: Recovered,
}

/// The high-water file is the last thing that a first start makes, and nothing is acknowledged before it is there.
pub(super) fn exists(dir: &Path) -> bool {
    // What cannot be looked at now is not missing.
    !matches!(dir.join(HIGH_WATER).try_exists(), Ok(false))
}

pub(super) fn open(dir: &Path) -> Result<Open, LogError> {
    let failed = |act| move |source| LogError::Io { act, path: dir.to_owned(), source };
    let store = dir.join("sled");
    let clean = dir.join(CLEAN_STOP);
    let stopped_cleanly = clean.exists();
    durable::remove(&clean).map_err(failed("take the clean-stop mark off"))?;
    let db = store.join("db");
    let existed = db.exists();
    if existed {
        // What a killed process has left in memory: sled tidies up after what it reads, and syncs that.
        File::open(&db).and_then(|file| file.sync_all()).map_err(failed("sync the data file of"))?;
    }
    let db = match open_sled(&store, dir) {
        // A first start that was cut off while sled made its files.
        Err(LogError::Damaged { .. }) if !exists(dir) => {
            std::fs::remove_dir_all(&store).map_err(failed("begin anew"))?;
            open_sled(&store, dir)?
        }
        opened => opened?,
    };
    let file = File::open(store.join("db")).map_err(failed("open the data file of"))?;
    sync_geometry(&store).map_err(failed("sync the folder of"))?;
    let damaged = |what| LogError::Damaged { path: dir.to_owned(), what };
    let act = "read the high-water mark of";
    let mark = match HighWater::open(&dir.join(HIGH_WATER)).map_err(|error| unreadable(dir, act, error))? {
        Some(mark) => mark,
        None if existed && !db.is_empty() => {
            return Err(damaged("its high-water file is missing".to_owned()));
        }
        None => HighWater::create(&dir.join(HIGH_WATER)).map_err(failed("make the high-water file of"))?,
    };
    let mut open = Open { db, file, mark, recovered: Recovered::default() };
    open.recovered = open.verify(dir)?;
    if !stopped_cleanly {
        open.rewrite_tail().map_err(failed("rewrite the tail of"))?;
    }
    Ok(open)
}

/// sled syncs its data file, and neither what it says of its geometry nor the names of its files.
fn sync_geometry(store: &Path) -> io::Result<()> {
    File::open(store.join(LAYOUT))?.sync_all()?;
    durable::sync_folder(store)
}

/// Marks the folder as stopped in order; the next start takes it off again.
pub(super) fn mark_clean(dir: &Path) -> io::Result<()> {
    durable::write(&dir.join(CLEAN_STOP), b"")
}

/// A disk that cannot be read now may be read later, and is not set aside for that; one that reads something else than
/// what was written is damaged.
pub(super) fn unreadable(dir: &Path, act: &'static str, source: io::Error) -> LogError {
    if matches!(source.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) {
        LogError::Damaged { path: dir.to_owned(), what: source.to_string() }
    } else {
        LogError::Io { act, path: dir.to_owned(), source }
    }
}

impl Open {
    fn verify(&self, dir: &Path) -> Result<Recovered, LogError> {
        let walk = panic::AssertUnwindSafe(|| self.walk(dir));
        panic::catch_unwind(walk).unwrap_or_else(|_| {
            let what = "sled panics on reading it".to_owned();
            Err(LogError::Damaged { path: dir.to_owned(), what })
        })
    }

    fn walk(&self, dir: &Path) -> Result<Recovered, LogError> {
        let mark = self.mark.mark();
        let failed = |error| unreadable(dir, "read", error);
        let damaged = |what| LogError::Damaged { path: dir.to_owned(), what };
        let vote: Option<VoteV1> = store::read_meta(&self.db, keys::VOTE, Schema::Vote).map_err(failed)?;
        let purged: Option<LogIdV1> =
            store::read_meta(&self.db, keys::PURGED, Schema::LogId).map_err(failed)?;
        let committed = store::read_meta(&self.db, keys::COMMITTED, Schema::LogId).map_err(failed)?;
        if vote < mark.vote {
            return Err(damaged(format!("the vote {:?} was acknowledged, {vote:?} is there", mark.vote)));
        }
        let mut last = purged;
        loop {
            let index = last.map_or(0, |id: LogIdV1| id.index + 1);
            match store::read_entry(&self.db, index).map_err(failed) {
                Ok(Some(entry)) => last = Some(entry.id),
                Ok(None) => break,
                // Above the mark nothing was acknowledged: a torn tail is an end.
                Err(LogError::Damaged { .. }) if mark.last.is_none_or(|durable| index > durable) => break,
                Err(LogError::Damaged { what, .. }) => {
                    return Err(damaged(format!("entry {index}: {what}")));
                }
                Err(error @ LogError::Io { .. }) => return Err(error),
            }
        }
        if mark.last > last.map(|id| id.index) {
            let missing = last.map_or(0, |id| id.index + 1);
            return Err(damaged(format!(
                "entry {missing} is missing, entries up to {} were acknowledged",
                mark.last.unwrap_or(0)
            )));
        }
        Ok(Recovered { vote, purged, last, committed })
    }

    /// After anything but a clean stop, what is above the mark may be in memory only: it is written again and synced,
    /// and what does not verify is deleted.
    fn rewrite_tail(&mut self) -> io::Result<()> {
        let first =
            self.mark.mark().last.or(self.recovered.purged.map(|id| id.index)).map_or(0, |index| index + 1);
        let end = self.recovered.last.map_or(0, |id| id.index + 1);
        let mut portion = Portion::default();
        // From the end on, as in a truncation.
        for piece in self.db.range(keys::chunk(end, 0).as_slice()..&keys::log_end()).rev() {
            portion.remove(piece.map_err(store::io_error)?);
            self.write_if_full(&mut portion)?;
        }
        for index in first..end {
            if let Some(entry) = store::read_entry(&self.db, index)? {
                for (key, piece) in store::pieces(&entry)? {
                    portion.insert(&key, piece);
                    self.write_if_full(&mut portion)?;
                }
            }
        }
        if let Some(vote) = &self.recovered.vote {
            portion.insert(keys::VOTE, codec::encode(Schema::Vote, vote).map_err(io::Error::other)?);
        }
        self.write(portion)?;
        self.mark.set(self.recovered.vote, self.recovered.last.map(|id| id.index))
    }

    fn write_if_full(&self, portion: &mut Portion) -> io::Result<()> {
        if portion.is_full() { self.write(std::mem::take(portion)) } else { Ok(()) }
    }

    fn write(&self, portion: Portion) -> io::Result<()> {
        portion.write(&self.db).map_err(store::io_error)?;
        self.db.flush().map_err(store::io_error)?;
        self.file.sync_data()
    }
}

/// The type that the log's chain is made of; named here for the reader.
pub(super) type Record = EntryV1;

#[cfg(test)]
mod tests {
    use super::*;

    fn is_damage(error: sled::Error) -> bool {
        matches!(unreadable(Path::new("log"), "read", store::io_error(error)), LogError::Damaged { .. })
    }

    #[test]
    fn a_disk_that_cannot_be_read_now_is_not_a_damaged_one() {
        let failing = io::Error::from_raw_os_error(5);
        assert!(!is_damage(sled::Error::Io(failing)));
        assert!(!is_damage(sled::Error::Io(io::ErrorKind::StorageFull.into())));
    }

    #[test]
    fn bytes_that_are_not_what_was_written_are_damage() {
        assert!(is_damage(sled::Error::Corruption { at: None, bt: () }));
        assert!(is_damage(sled::Error::Io(io::ErrorKind::UnexpectedEof.into())));
    }
}
