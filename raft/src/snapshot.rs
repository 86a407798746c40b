//! Snapshots as files of our own: sled does not fsync large values. Written beside, synced, renamed; the newest that
//! verifies wins, and a damaged one is passed over for the one before it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::codec::{self, BadRecord, SnapshotMetaV1, SnapshotV1};
use crate::durable;

/// Snapshots kept on disk: the newest, and one to fall back to.
const KEPT: usize = 2;
const EXTENSION: &str = "snapshot";

/// The folder of snapshots.
#[derive(Clone, Debug)]
pub struct Snapshots {
    dir: PathBuf,
}

impl Snapshots {
    /// Opens the folder, making it when missing.
    pub fn open(dir: &Path) -> io::Result<Snapshots> {
        durable::make_folder(dir)?;
        Ok(Snapshots { dir: dir.to_owned() })
    }

    /// Makes a snapshot durable; older ones go once it is. Returns the bytes, which travel to other nodes as they are.
    pub fn save(&self, snapshot: &SnapshotV1) -> io::Result<Vec<u8>> {
        let record = codec::encode_snapshot(snapshot).map_err(io::Error::other)?;
        self.save_record(snapshot, &record)?;
        Ok(record)
    }

    /// The same for a record that came from another node and was verified.
    pub fn save_record(&self, snapshot: &SnapshotV1, record: &[u8]) -> io::Result<()> {
        let last = snapshot.meta.last.map_or(0, |id| id.index);
        durable::write(&self.dir.join(format!("{last:020}.{EXTENSION}")), record)?;
        for old in self.files()?.into_iter().skip(KEPT) {
            fs::remove_file(old)?;
        }
        Ok(())
    }

    /// The newest snapshot that verifies.
    pub fn newest(&self) -> io::Result<Option<SnapshotV1>> {
        self.newest_as(|record| codec::decode_snapshot(&record))
    }

    /// The same as bytes, with what it covers.
    pub fn newest_record(&self) -> io::Result<Option<(SnapshotMetaV1, Vec<u8>)>> {
        self.newest_as(|record| Ok((codec::decode_snapshot_meta(&record)?, record)))
    }

    fn newest_as<T>(&self, decode: impl Fn(Vec<u8>) -> Result<T, BadRecord>) -> io::Result<Option<T>> {
        for path in self.files()? {
            match decode(fs::read(&path)?) {
                Ok(decoded) => return Ok(Some(decoded)),
                Err(error) => tracing::warn!(path = %path.display(), %error, "a snapshot does not verify"),
            }
        }
        Ok(None)
    }

    /// Newest first; the name is the last index, padded, so names sort.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                files.push(path);
            }
        }
        files.sort_unstable_by(|a, b| b.cmp(a));
        Ok(files)
    }
}
