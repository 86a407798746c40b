//! How sled is opened: with what geometry, by whom, and what it says of files that it cannot read.

use std::fs::{File, TryLockError};
use std::panic;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::recover::{LogError, unreadable};
use super::store;

/// sled takes room and gives it back in segments. The smaller they are, the less its file is above what is in it, and the
/// less is written between two syncs (`portion.rs`).
pub(super) const SEGMENT_BYTES: usize = 256 << 10;
/// Of files that were made before.
const SEGMENT_BYTES_AT_FIRST: usize = 512 << 10;
/// sled writes a page of its tree as one, and one that is larger than this to a file of its own, which it does not sync.
pub(super) const PAGE_BYTES: usize = SEGMENT_BYTES / 4 - 64;

/// How long the file may still be held by what has just ended: sled's own threads, or the process before this one.
const PATIENCE: Duration = Duration::from_secs(1);
const BETWEEN_TWO_TRIES: Duration = Duration::from_millis(5);

/// sled panics on some damage instead of saying so. A disk that is full, or files that somebody else still holds, are no
/// damage: they must not set the folder aside for ever.
pub(crate) fn open_sled(path: &Path, dir: &Path) -> Result<sled::Db, LogError> {
    wait_for_the_lock(&path.join("db"));
    let open = |segment_bytes| {
        let config = sled::Config::new().path(path).flush_every_ms(None);
        config.mode(sled::Mode::HighThroughput).segment_size(segment_bytes).open()
    };
    // The geometry is the file's for life.
    let open = || match open(SEGMENT_BYTES) {
        Err(sled::Error::Unsupported(_)) => open(SEGMENT_BYTES_AT_FIRST),
        opened => opened,
    };
    match panic::catch_unwind(panic::AssertUnwindSafe(open)) {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(error)) => Err(unreadable(dir, "open", store::io_error(error))),
        Err(_) => Err(LogError::Damaged { path: dir.to_owned(), what: "sled panics on it".to_owned() }),
    }
}

/// sled tries once. Whatever else is wrong with the file, sled finds as well, and says it.
fn wait_for_the_lock(db: &Path) {
    let Ok(file) = File::open(db) else { return };
    let mut waited = Duration::ZERO;
    while waited < PATIENCE && matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        thread::sleep(BETWEEN_TWO_TRIES);
        waited += BETWEEN_TWO_TRIES;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_still_held_for_a_moment_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sled");
        let first = open_sled(&path, dir.path()).unwrap();
        let ends = thread::spawn(move || {
            thread::sleep(Duration::from_millis(200));
            drop(first);
        });
        open_sled(&path, dir.path()).unwrap();
        ends.join().unwrap();
    }

    #[test]
    fn a_file_that_somebody_else_holds_is_no_damage() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sled");
        let _first = open_sled(&path, dir.path()).unwrap();
        let error = open_sled(&path, dir.path()).unwrap_err();
        assert!(matches!(error, LogError::Io { .. }), "{error:?}");
    }

    #[test]
    fn a_file_with_the_segments_of_before_is_opened_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sled");
        let before = sled::Config::new().path(&path).segment_size(SEGMENT_BYTES_AT_FIRST).open().unwrap();
        before.insert("key", "value").unwrap();
        drop(before);
        let now = open_sled(&path, dir.path()).unwrap();
        assert_eq!(now.get("key").unwrap().as_deref(), Some(b"value".as_slice()));
    }
}
