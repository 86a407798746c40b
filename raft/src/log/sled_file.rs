//! How sled is opened: with what geometry, by whom, and what it says of files that it cannot read.

use std::fs::{self, File, TryLockError};
use std::io;
use std::panic;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::recover::{LogError, unreadable};
use super::store;
use crate::durable;

/// sled takes room and gives it back in segments, and this is the size of those of a new file. As soon as more than five of
/// them are in use, sled also empties segments that are full of what lives, and its file grows by the week
/// (raft/DESIGN.md). What the log keeps, a few megabytes, is in fewer of these than that.
const SEGMENT_BYTES: usize = 2 << 20;
/// Those of the first version's files, which keep them for life. What goes between two syncs must suit them too.
pub(super) const SMALLEST_SEGMENT_BYTES: usize = 512 << 10;
/// sled writes a page of its tree as one, and one that is larger than this to a file of its own, which it does not sync.
pub(super) const PAGE_BYTES: usize = SMALLEST_SEGMENT_BYTES / 4 - 64;
/// Where sled says how its file is laid out.
pub(super) const LAYOUT: &str = "conf";

/// How long the file may still be held by what has just ended: sled's own threads, or the process before this one.
const PATIENCE: Duration = Duration::from_secs(1);
const BETWEEN_TWO_TRIES: Duration = Duration::from_millis(5);

/// sled panics on some damage instead of saying so. A disk that is full, or files that somebody else still holds, are no
/// damage: they must not set the folder aside for ever.
pub(crate) fn open_sled(path: &Path, dir: &Path) -> Result<sled::Db, LogError> {
    let failed = |act| move |source| LogError::Io { act, path: dir.to_owned(), source };
    let damaged = |what: &str| LogError::Damaged { path: dir.to_owned(), what: what.to_owned() };
    durable::make_folder(path).map_err(failed("make a folder for"))?;
    let db = path.join("db");
    wait_for_the_lock(&db);
    forget_half_written(path).map_err(failed("tidy up in the folder of"))?;
    let written = fs::metadata(&db).is_ok_and(|file| file.len() > 0);
    let segment_bytes = match segment_bytes_of(path).map_err(failed("read the layout of"))? {
        Some(bytes) => bytes,
        None if written => return Err(damaged("what says how its file is laid out is missing")),
        None => SEGMENT_BYTES,
    };
    let config = sled::Config::new().path(path).flush_every_ms(None);
    let config = config.mode(sled::Mode::HighThroughput).segment_size(segment_bytes);
    match panic::catch_unwind(panic::AssertUnwindSafe(|| config.open())) {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(error)) => Err(unreadable(dir, "open", store::io_error(error))),
        Err(_) => Err(damaged("sled panics on it")),
    }
}

/// The size is a file's for life, and another version of pinode may have chosen another. sled verifies what it reads there.
fn segment_bytes_of(path: &Path) -> io::Result<Option<usize>> {
    let layout = match fs::read(path.join(LAYOUT)) {
        Ok(layout) => layout,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let layout = String::from_utf8_lossy(&layout);
    let said = layout.lines().find_map(|line| line.strip_prefix("segment_size: "));
    // sled panics on sizes that it does not take.
    let bytes = said.and_then(|bytes| bytes.trim().parse().ok());
    Ok(bytes.filter(|bytes: &usize| bytes.is_power_of_two() && (256..=16 << 20).contains(bytes)))
}

/// At its start sled notes where its pages are, in a file that it renames once it is whole. One that is not, after a power
/// cut or on a full disk, it would take for the newest, and for damage.
fn forget_half_written(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "generating") {
            fs::remove_file(file)?;
        }
    }
    Ok(())
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
    fn a_file_with_other_segments_is_opened_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sled");
        let before = sled::Config::new().path(&path).segment_size(SMALLEST_SEGMENT_BYTES).open().unwrap();
        before.insert("key", "value").unwrap();
        drop(before);
        let now = open_sled(&path, dir.path()).unwrap();
        assert_eq!(now.get("key").unwrap().as_deref(), Some(b"value".as_slice()));
    }

    #[test]
    fn what_sled_had_half_written_at_its_start_is_no_damage() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sled");
        let before = open_sled(&path, dir.path()).unwrap();
        before.insert("key", "value").unwrap();
        drop(before);
        fs::write(path.join("snap.7FFFFFFFFFFFFFFF.generating"), b"half").unwrap();
        let now = open_sled(&path, dir.path()).unwrap();
        assert_eq!(now.get("key").unwrap().as_deref(), Some(b"value".as_slice()));
    }

    #[test]
    fn a_file_without_what_says_how_it_is_laid_out_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sled");
        drop(open_sled(&path, dir.path()).unwrap());
        fs::remove_file(path.join(LAYOUT)).unwrap();
        let error = open_sled(&path, dir.path()).unwrap_err();
        assert!(matches!(error, LogError::Damaged { .. }), "{error:?}");
    }
}
