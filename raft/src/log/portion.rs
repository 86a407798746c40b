//! Writes to sled in portions, with a sync before too much is unsynced.
//!
//! sled moves what is still needed out of an old segment, cuts that off its file when it is the last one, and writes over it
//! later. It takes what it has written for what is on the disk. A power cut that loses the moved copy, and not what was done
//! to the original, would take what was durable long before. Between the two sled writes a segment at least: so it never
//! writes as much between two syncs.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sled::IVec;

use super::sled_file::SMALLEST_SEGMENT_BYTES;

/// So much is unsynced at most, as it is reckoned here.
const UNSYNCED_BYTES: u64 = SMALLEST_SEGMENT_BYTES as u64 / 4 * 3;
/// So much comes at once,
const PORTION_BYTES: u64 = UNSYNCED_BYTES / 3;
/// and so much goes, if it is purged: as fast as it can come, and beside it there is room for what comes.
const SWEPT_BYTES: u64 = UNSYNCED_BYTES / 2;
/// sled writes the page around a piece again and again, and moves it: for each byte that comes or goes so many, and
const AMPLIFICATION: u64 = 4;
/// so many for each piece.
const AROUND_A_PIECE: u64 = 512;

/// What is written at once: pieces that come, and pieces that go.
#[derive(Default)]
pub(super) struct Portion {
    pieces: Vec<(IVec, Option<IVec>)>,
    bytes: u64,
}

fn reckon(value: &[u8]) -> u64 {
    AMPLIFICATION * value.len() as u64 + AROUND_A_PIECE
}

impl Portion {
    pub(super) fn insert(&mut self, key: impl Into<IVec>, value: impl Into<IVec>) {
        let value = value.into();
        self.bytes += reckon(&value);
        self.pieces.push((key.into(), Some(value)));
    }

    pub(super) fn remove(&mut self, (key, value): (IVec, IVec)) {
        self.bytes += reckon(&value);
        self.pieces.push((key, None));
    }

    pub(super) fn write(self, db: &sled::Db) -> sled::Result<()> {
        match <[_; 1]>::try_from(self.pieces) {
            // A batch of one makes sled write its buffer out, twice.
            Ok([(key, Some(value))]) => db.insert(key, value).map(drop),
            Ok([(key, None)]) => db.remove(key).map(drop),
            Err(pieces) if pieces.is_empty() => Ok(()),
            Err(pieces) => {
                let mut batch = sled::Batch::default();
                for (key, value) in pieces {
                    match value {
                        Some(value) => batch.insert(key, value),
                        None => batch.remove(key),
                    }
                }
                db.apply_batch(batch)
            }
        }
    }

    /// Whether it should be written before more is added.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= PORTION_BYTES
    }

    /// The same of what is purged.
    pub(super) fn is_swept_enough(&self) -> bool {
        self.bytes >= SWEPT_BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }
}

/// How much was written since the last sync.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    bytes: Mutex<u64>,
}

impl Unsynced {
    fn bytes(&self) -> MutexGuard<'_, u64> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After a sync there always is.
    pub(super) fn has_room_for(&self, portion: &Portion) -> bool {
        let bytes = *self.bytes();
        bytes == 0 || bytes + portion.bytes <= UNSYNCED_BYTES
    }

    pub(super) fn write(&self, db: &sled::Db, portion: Portion) -> sled::Result<()> {
        // Held until it is written: a sync that begins meanwhile would count what it does not sync.
        let mut bytes = self.bytes();
        *bytes += portion.bytes;
        portion.write(db)
    }

    /// Does what syncs all that was written before it.
    pub(super) fn while_synced<E>(&self, sync: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let before = *self.bytes();
        sync()?;
        *self.bytes() -= before;
        Ok(())
    }
}
