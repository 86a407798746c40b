//! Writes to sled in portions, with a sync before too much is unsynced.
//!
//! sled moves what is still needed out of an old segment, and writes over that once it has written two segments more. It
//! takes what it has written for what is on the disk. A power cut that loses the moved copy, and not what was written over
//! the original, would take what was durable long before. So it never writes that much between two syncs.

use std::sync::atomic::{AtomicU64, Ordering};

use super::sled_file::SEGMENT_BYTES;

/// At most so much is unsynced.
const UNSYNCED_BYTES: u64 = SEGMENT_BYTES as u64;
/// sled writes the page around a piece again and again, and moves it: for each byte that comes or goes so many, and
const AMPLIFICATION: u64 = 4;
/// so many for each piece.
const AROUND_A_PIECE: u64 = 512;

fn cost(value: &[u8]) -> u64 {
    AMPLIFICATION * value.len() as u64 + AROUND_A_PIECE
}

/// What is written at once.
#[derive(Default)]
pub(super) struct Portion {
    batch: sled::Batch,
    bytes: u64,
}

impl Portion {
    pub(super) fn insert(&mut self, key: &[u8], value: &[u8]) {
        self.batch.insert(key, value);
        self.bytes += cost(value);
    }

    pub(super) fn remove(&mut self, (key, value): (sled::IVec, sled::IVec)) {
        self.batch.remove(key);
        self.bytes += cost(&value);
    }

    pub(super) fn write(self, db: &sled::Db) -> sled::Result<()> {
        db.apply_batch(self.batch)
    }

    /// Whether it should be written before more is added.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= UNSYNCED_BYTES / 2
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}

/// How much was written since the last sync.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    bytes: AtomicU64,
}

impl Unsynced {
    pub(super) fn has_room_for(&self, portion: &Portion) -> bool {
        self.bytes.load(Ordering::SeqCst) + portion.bytes <= UNSYNCED_BYTES
    }

    pub(super) fn write(&self, db: &sled::Db, portion: Portion) -> sled::Result<()> {
        self.bytes.fetch_add(portion.bytes, Ordering::SeqCst);
        portion.write(db)
    }

    /// Does what syncs all that was written before it.
    pub(super) fn while_synced<E>(&self, sync: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let before = self.bytes.load(Ordering::SeqCst);
        sync()?;
        self.bytes.fetch_sub(before, Ordering::SeqCst);
        Ok(())
    }
}
