//! Who this disk is. The file is written before the first message: a node id is used by one disk only, and an empty
//! disk is a new node whatever its name.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use pinode_scheduler::NodeId;
use pinode_scheduler::mutant::{self, Mutant};
use pinode_scheduler::node::Start;
use serde::{Deserialize, Serialize};

use crate::codec::{self, BadRecord, Schema};
use crate::durable;

const FILE: &str = "identity";
const LOCK: &str = "lock";
pub(crate) const QUARANTINE: &str = "QUARANTINE";

/// What a disk knows of itself. Frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityV1 {
    /// Random, never used by another disk.
    pub node: NodeId,
    /// Hash of the founders' list; none before the founding or the first contact.
    pub cluster: Option<[u8; 32]>,
    /// Starts of a process on this disk.
    pub starts: u64,
}

/// A folder that this process holds, and who it is.
#[derive(Debug)]
pub struct Identity {
    dir: PathBuf,
    value: IdentityV1,
    mark: u64,
    /// Held until the process ends: two processes on one folder would be two voters with one vote.
    _lock: File,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Reading or writing failed.
    #[error("{act} {path}")]
    Io {
        /// What was attempted.
        act: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// Another process has it.
    #[error("{0} is in use by another pinode; stop that one, or give this one another --data-dir")]
    InUse(PathBuf),
    /// The identity file is damaged.
    #[error("the identity in {path} is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How.
        #[source]
        source: BadRecord,
    },
    /// An earlier start found damage and set the folder aside.
    #[error(
        "{path} is quarantined: {reason}. The folder is kept: move it away, and this node joins again as a new one. If the \
         disks of a majority of the voters are lost: pinode recover --data-dir {path}"
    )]
    Quarantined {
        /// The folder.
        path: PathBuf,
        /// What was found then.
        reason: String,
    },
}

impl Identity {
    /// Opens the folder, making it when there is nothing in it, and counts this start. `random` is the id of a new node, and
    /// the mark of this start.
    pub fn open(dir: &Path, random: u64) -> Result<Identity, IdentityError> {
        let failed = |act| move |source| IdentityError::Io { act, path: dir.to_owned(), source };
        durable::make_folder(dir).map_err(failed("make the folder"))?;
        let lock = lock(dir)?;
        if let Some(reason) = why_quarantined(dir)
            && !mutant::is(Mutant::OpensQuarantined)
        {
            return Err(IdentityError::Quarantined { path: dir.to_owned(), reason });
        }
        let path = dir.join(FILE);
        let before = match fs::read(&path) {
            Ok(bytes) => codec::decode::<IdentityV1>(Schema::Identity, &bytes)
                .map_err(|source| IdentityError::Damaged { path: path.clone(), source })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Who made it may not have synced its name. Where we may not look that is their affair.
                match durable::sync_folder_of(dir) {
                    Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                    synced => synced.map_err(failed("sync the folder of"))?,
                }
                IdentityV1 { node: random, cluster: None, starts: 0 }
            }
            Err(source) => return Err(IdentityError::Io { act: "read", path, source }),
        };
        let value = IdentityV1 { starts: before.starts.saturating_add(1), ..before };
        let mut identity = Identity { dir: dir.to_owned(), value, mark: random, _lock: lock };
        identity.save(value)?;
        Ok(identity)
    }

    /// Holds the folder of a stopped node for a look, or for what an operator does to it: no start is counted, and a
    /// quarantined one is looked at too.
    pub fn look(dir: &Path) -> Result<Identity, IdentityError> {
        let path = dir.join(FILE);
        let failed = |source| IdentityError::Io { act: "read", path: path.clone(), source };
        let bytes = fs::read(&path).map_err(failed)?;
        let lock = lock(dir)?;
        let value = codec::decode::<IdentityV1>(Schema::Identity, &bytes)
            .map_err(|source| IdentityError::Damaged { path: path.clone(), source })?;
        Ok(Identity { dir: dir.to_owned(), value, mark: 0, _lock: lock })
    }

    /// The node's id.
    pub fn node(&self) -> NodeId {
        self.value.node
    }

    /// The cluster's id, once there is one.
    pub fn cluster(&self) -> Option<[u8; 32]> {
        self.value.cluster
    }

    /// Which start of a process on this disk this one is.
    pub fn start(&self) -> Start {
        Start { count: self.value.starts, mark: self.mark }
    }

    /// Whether there was no identity in the folder before this start.
    pub(crate) fn is_new(&self) -> bool {
        self.value.starts == 1
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes the cluster's id durable, before anything is done in its name.
    pub fn join_cluster(&mut self, cluster: [u8; 32]) -> Result<(), IdentityError> {
        self.save(IdentityV1 { cluster: Some(cluster), ..self.value })
    }

    fn save(&mut self, value: IdentityV1) -> Result<(), IdentityError> {
        let path = self.dir.join(FILE);
        let damaged = |source| IdentityError::Damaged { path: path.clone(), source };
        let record = codec::encode(Schema::Identity, &value).map_err(damaged)?;
        let failed = |source| IdentityError::Io { act: "write", path: path.clone(), source };
        durable::write(&path, &record).map_err(failed)?;
        self.value = value;
        Ok(())
    }

    /// Sets the folder aside: it is kept, and no later start takes it for an empty one.
    pub fn quarantine(&self, reason: &str) -> Result<(), IdentityError> {
        quarantine(&self.dir, reason)
    }
}

/// The part of a cluster's id that stays when it is recovered or restored, in bytes: what its Docker containers are
/// known by.
const FAMILY_BYTES: usize = 24;

/// The part of a cluster's id that stays for ever.
pub fn family(cluster: &[u8; 32]) -> &[u8] {
    &cluster[..FAMILY_BYTES]
}

/// The id of a cluster that was recovered or restored: of the same family, and a stranger to who belongs to the old one.
pub(crate) fn next_generation(cluster: [u8; 32], random: u64) -> [u8; 32] {
    let mut next = cluster;
    next[FAMILY_BYTES..].copy_from_slice(&random.to_be_bytes());
    next
}

/// Sets a folder aside.
pub(crate) fn quarantine(dir: &Path, reason: &str) -> Result<(), IdentityError> {
    let path = dir.join(QUARANTINE);
    durable::write(&path, reason.as_bytes()).map_err(|source| IdentityError::Io {
        act: "write",
        path,
        source,
    })
}

/// Why a folder was set aside; none if it was not. A mark that cannot be read is one.
fn why_quarantined(dir: &Path) -> Option<String> {
    match fs::read(dir.join(QUARANTINE)) {
        Ok(reason) => Some(String::from_utf8_lossy(&reason).trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(format!("the reason cannot be read: {error}")),
    }
}

/// Holds a folder for as long as the file is not dropped; refused while another process does.
pub fn lock(dir: &Path) -> Result<File, IdentityError> {
    let path = dir.join(LOCK);
    let failed = |act, source| IdentityError::Io { act, path: path.clone(), source };
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|source| failed("open", source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(IdentityError::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed("lock", source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_drawn_once_and_each_start_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        let first = Identity::open(dir.path(), 7).unwrap();
        assert_eq!((first.node(), first.start()), (7, Start { count: 1, mark: 7 }));
        drop(first);
        let second = Identity::open(dir.path(), 8).unwrap();
        assert_eq!((second.node(), second.start(), second.cluster()), (7, Start { count: 2, mark: 8 }, None));
    }

    #[test]
    fn a_folder_has_one_process() {
        let dir = tempfile::tempdir().unwrap();
        let _held = Identity::open(dir.path(), 7).unwrap();
        assert!(matches!(Identity::open(dir.path(), 8), Err(IdentityError::InUse(_))));
    }

    #[test]
    fn a_quarantined_folder_whose_mark_cannot_be_read_stays_quarantined() {
        let dir = tempfile::tempdir().unwrap();
        drop(Identity::open(dir.path(), 7).unwrap());
        fs::write(dir.path().join(QUARANTINE), b"entry 5 \xff missing").unwrap();
        assert!(matches!(Identity::open(dir.path(), 8), Err(IdentityError::Quarantined { .. })));
        fs::remove_file(dir.path().join(QUARANTINE)).unwrap();
        fs::create_dir(dir.path().join(QUARANTINE)).unwrap();
        assert!(
            matches!(Identity::open(dir.path(), 8), Err(IdentityError::Quarantined { .. })),
            "an error of the disk"
        );
    }

    #[test]
    fn a_quarantined_folder_is_never_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        Identity::open(dir.path(), 7).unwrap().quarantine("entry 5 is missing").unwrap();
        let error = Identity::open(dir.path(), 8).unwrap_err().to_string();
        assert!(error.contains("is quarantined: entry 5 is missing"), "{error}");
        assert!(error.contains("pinode recover --data-dir"), "{error}");
    }

    #[test]
    fn a_damaged_identity_is_not_replaced_by_a_new_one() {
        let dir = tempfile::tempdir().unwrap();
        drop(Identity::open(dir.path(), 7).unwrap());
        fs::write(dir.path().join(FILE), b"pnd1 nonsense").unwrap();
        assert!(matches!(Identity::open(dir.path(), 8), Err(IdentityError::Damaged { .. })));
    }
}
