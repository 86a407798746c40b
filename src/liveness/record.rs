//! The end of a node's authority, where the next process of this boot finds it: how long the containers of a process that
//! is gone may go on is counted from its last renewal, and not from the start of who comes after it. The file is in
//! memory (a renewal a second must not wear a card), and gone with the boot, as the session is.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pinode_scheduler::NodeId;

use crate::clock::Moment;

/// Folders in memory.
const OF_ROOT: &str = "/dev/shm/pinode";
const OF_ANYBODY: &str = "/dev/shm";
/// What the kernel says of a file system in memory.
const TMPFS: u64 = 0x0102_1994;

/// The file.
#[derive(Debug, Default)]
pub struct Record {
    file: Option<(File, String)>,
}

impl Record {
    /// None is kept: what a process leaves behind has one lease from the start of the next.
    pub fn nowhere() -> Record {
        Record::default()
    }

    /// Opens the file of a node, and reads the end that an earlier process of this boot has written.
    pub fn open(node: NodeId, boot: &str) -> (Record, Option<Moment>) {
        let path = file_of(&folder(), node);
        Record::opened(&path, in_memory(&path).and_then(|()| Record::at(&path, boot)))
    }

    /// The same, in a folder of the caller's choice.
    pub fn open_in(folder: &Path, node: NodeId, boot: &str) -> (Record, Option<Moment>) {
        let path = file_of(folder, node);
        Record::opened(&path, Record::at(&path, boot))
    }

    fn opened(path: &Path, opened: io::Result<(Record, Option<Moment>)>) -> (Record, Option<Moment>) {
        match opened {
            Ok(opened) => opened,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "the end of the lease is not written down");
                (Record::nowhere(), None)
            }
        }
    }

    fn at(path: &Path, boot: &str) -> io::Result<(Record, Option<Moment>)> {
        let before = fs::read_to_string(path).ok().and_then(|text| parse(&text, boot));
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        Ok((Record { file: Some((file, boot.to_owned())) }, before))
    }

    /// Writes down until when this process may act. The text has one length, so that it is never half of two.
    pub(super) fn write(&self, until: Moment) {
        if let Some((file, boot)) = &self.file
            && let Err(error) = file.write_all_at(print(until, boot).as_bytes(), 0)
        {
            tracing::warn!(%error, "write the end of the lease down");
        }
    }
}

/// Makes the folder, and refuses one on a disk.
fn in_memory(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    fs::create_dir_all(folder)?;
    let kind = rustix::fs::statfs(folder)?.f_type;
    if u64::try_from(kind).is_ok_and(|kind| kind == TMPFS) {
        return Ok(());
    }
    Err(io::Error::other("the folder is not in memory"))
}

fn file_of(folder: &Path, node: NodeId) -> PathBuf {
    folder.join(format!("{node:016x}.lease"))
}

fn folder() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from(OF_ROOT);
    }
    let mine = std::env::var_os("XDG_RUNTIME_DIR").map(|dir| PathBuf::from(dir).join("pinode"));
    mine.unwrap_or_else(|| PathBuf::from(OF_ANYBODY))
}

fn print(until: Moment, boot: &str) -> String {
    format!("{:020} {boot}\n", until.since_boot().as_millis())
}

fn parse(text: &str, boot: &str) -> Option<Moment> {
    let (ms, of) = text.trim_end().split_once(' ')?;
    (of == boot).then_some(())?;
    Some(Moment::after_boot(Duration::from_millis(ms.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_process_of_this_boot_reads_until_when_the_one_before_could_act() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("1.lease");
        let until = Moment::after_boot(Duration::from_millis(123_456));
        let (first, before) = Record::at(&path, "boot-1").unwrap();
        assert_eq!(before, None);
        first.write(until + Duration::from_secs(1_000_000));
        first.write(until);
        assert_eq!(Record::at(&path, "boot-1").unwrap().1, Some(until));
        assert_eq!(Record::at(&path, "boot-2").unwrap().1, None);
    }
}
