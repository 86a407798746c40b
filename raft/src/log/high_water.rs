//! How far the log was durable at least: sled reads a damaged page as the end of the log, and this file is what
//! notices. Two slots, written in turn, so that one is always whole.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::codec::{self, Schema, VoteV1};
use crate::durable;

/// A sector each, so that a torn write harms one.
const SLOT_BYTES: u64 = 4_096;

/// What was durable. Frozen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkV1 {
    /// Rises with every write; the higher of two slots is the newer.
    pub sequence: u64,
    /// The vote.
    pub vote: Option<VoteV1>,
    /// Index of the last entry.
    pub last: Option<u64>,
}

/// The file.
#[derive(Debug)]
pub struct HighWater {
    file: File,
    mark: MarkV1,
}

impl HighWater {
    /// Opens the file. None if there is none; an error if there is one and neither slot is whole.
    pub fn open(path: &Path) -> io::Result<Option<HighWater>> {
        let file = match File::options().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let bytes = fs::read(path)?;
        let slots = bytes
            .chunks(SLOT_BYTES as usize)
            .filter_map(|slot| codec::decode::<MarkV1>(Schema::Mark, slot).ok());
        match slots.max_by_key(|mark| mark.sequence) {
            Some(mark) => Ok(Some(HighWater { file, mark })),
            None => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "neither slot of the high-water file is whole",
            )),
        }
    }

    /// Makes a file that says that nothing was durable yet.
    pub fn create(path: &Path) -> io::Result<HighWater> {
        let record = codec::encode(Schema::Mark, &MarkV1::default()).map_err(io::Error::other)?;
        durable::write(path, &record)?;
        let file = File::options().read(true).write(true).open(path)?;
        Ok(HighWater { file, mark: MarkV1::default() })
    }

    /// What was durable at least.
    pub fn mark(&self) -> MarkV1 {
        self.mark
    }

    /// Moves the mark, durably. Nothing is written when it stands there already.
    pub fn set(&mut self, vote: Option<VoteV1>, last: Option<u64>) -> io::Result<()> {
        if (vote, last) == (self.mark.vote, self.mark.last) {
            return Ok(());
        }
        let mark = MarkV1 { sequence: self.mark.sequence.saturating_add(1), vote, last };
        let record = codec::encode(Schema::Mark, &mark).map_err(io::Error::other)?;
        self.file.write_all_at(&record, (mark.sequence % 2) * SLOT_BYTES)?;
        self.file.sync_data()?;
        self.mark = mark;
        Ok(())
    }
}
