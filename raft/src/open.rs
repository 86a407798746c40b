//! A node's whole folder, verified: identity, log, newest snapshot. Anything that was acknowledged and is not there
//! quarantines the folder; it is kept, and it is never taken for an empty one.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::identity::{self, Identity, IdentityError};
use crate::log::{LogError, LogStore, OnFatal, SyncFile};
use crate::machine::Machine;
use crate::snapshot::Snapshots;

/// A folder, ready for Raft.
#[derive(Debug)]
pub struct Opened {
    /// Who it is.
    pub identity: Identity,
    /// Its log.
    pub log: LogStore,
    /// Its state, as of the newest snapshot; Raft applies the log to it.
    pub machine: Machine,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Its log could not be read or written.
    #[error(transparent)]
    Log(LogError),
    /// Its snapshots could not be read.
    #[error("read the snapshots in {path}")]
    Snapshots {
        /// Where.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// It has lost something it had acknowledged, and was set aside just now.
    #[error("{path} lost what it had acknowledged and is quarantined: {reason}")]
    Quarantined {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
}

/// Opens `dir`, drawing on `random` for what must be its alone. `fatal` is called when a sync of the log fails.
pub fn open(dir: &Path, random: u64, fatal: OnFatal) -> Result<Opened, OpenError> {
    open_with(dir, random, Box::new(File::sync_data), fatal)
}

/// The same on a disk that is synced in another way.
pub fn open_with(dir: &Path, random: u64, sync_file: SyncFile, fatal: OnFatal) -> Result<Opened, OpenError> {
    let identity = Identity::open(dir, random)?;
    let aside = |reason: String| match identity::quarantine(dir, &reason) {
        Ok(()) => OpenError::Quarantined { path: dir.to_owned(), reason },
        Err(error) => OpenError::Identity(error),
    };
    let log_dir = dir.join("log");
    // A disk that belongs to a cluster has voted or acknowledged something, and knows its cluster no earlier than its log
    // is there: without it, it must not come back as one that never did.
    if identity.cluster().is_some() && !LogStore::exists(&log_dir) {
        return Err(aside("its log, or the high-water mark of it, is missing".to_owned()));
    }
    // The identity is there before the log, so a disk that has a log and no identity has lost it; under a new id it would
    // vote as if it never had.
    if identity.is_new() && LogStore::exists(&log_dir) {
        return Err(aside("its identity is missing".to_owned()));
    }
    let log = LogStore::open_with(&log_dir, sync_file, fatal).map_err(|error| match error {
        LogError::Damaged { what, .. } => aside(what),
        LogError::Io { .. } => OpenError::Log(error),
    })?;
    let path = dir.join("snapshots");
    let failed = |source| OpenError::Snapshots { path: path.clone(), source };
    let machine = Snapshots::open(&path).and_then(Machine::open).map_err(failed)?;
    let covered = machine.last_applied().map(|id| id.index);
    if let Some(purged) = log.recovered().purged
        && covered < Some(purged.index)
    {
        return Err(aside(format!("entries up to {} are in no valid snapshot", purged.index)));
    }
    Ok(Opened { identity, log, machine })
}
