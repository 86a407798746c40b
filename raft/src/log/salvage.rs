//! Reading what is left of a log, whatever else is wrong with it. For `recover` alone: nothing here is ever voted with.

use std::path::Path;

use super::high_water::HighWater;
use super::recover::{HIGH_WATER, LogError, Record};
use super::sled_file::open_sled;
use super::store::{self, keys};
use crate::codec::{LogIdV1, Schema, VoteV1};

/// What is left of a log.
#[derive(Debug, Default)]
pub struct Salvaged {
    /// The highest vote that it shows.
    pub vote: Option<VoteV1>,
    /// Up to where it is known to be committed.
    pub committed: Option<LogIdV1>,
    /// The entries after the one asked for, without a gap.
    pub entries: Vec<Record>,
    /// What it has lost, in a sentence.
    pub lost: Option<String>,
}

/// Reads the log in `dir` from the entry after `after` on.
pub fn salvage(dir: &Path, after: Option<u64>) -> Result<Salvaged, LogError> {
    let mark = HighWater::open(&dir.join(HIGH_WATER)).ok().flatten().map(|file| file.mark());
    let mark = mark.unwrap_or_default();
    let nothing =
        |lost: &str| Salvaged { vote: mark.vote, lost: Some(lost.to_owned()), ..Salvaged::default() };
    let store = dir.join("sled");
    if !store.join("db").exists() {
        return Ok(nothing("its log is missing"));
    }
    let db = match open_sled(&store, dir) {
        Ok(db) => db,
        Err(LogError::Damaged { what, .. }) => return Ok(nothing(&what)),
        Err(error @ LogError::Io { .. }) => return Err(error),
    };
    let read = std::panic::AssertUnwindSafe(|| walk(&db, after));
    let Ok(mut left) = std::panic::catch_unwind(read) else {
        return Ok(nothing("sled panics on reading it"));
    };
    left.vote = left.vote.max(mark.vote);
    let end = left.entries.last().map(|entry| entry.id.index).or(after);
    if mark.last > end {
        let first = end.map_or(0, |index| index + 1);
        let last = mark.last.unwrap_or_default();
        left.lost = Some(format!("entries {first} to {last} were acknowledged and are not there any more"));
    }
    Ok(left)
}

fn walk(db: &sled::Db, after: Option<u64>) -> Salvaged {
    let mut left = Salvaged {
        vote: store::read_meta(db, keys::VOTE, Schema::Vote).ok().flatten(),
        committed: store::read_meta(db, keys::COMMITTED, Schema::LogId).ok().flatten(),
        ..Salvaged::default()
    };
    let mut next = after.map_or(0, |index| index + 1);
    while let Ok(Some(entry)) = store::read_entry(db, next) {
        left.entries.push(entry);
        next += 1;
    }
    left
}
