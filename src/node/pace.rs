//! How fast this node's Raft is: openraft's timeouts cannot change while it runs. They are chosen at the start, from the
//! cluster's pace as this node saw it last, or from its own disk where it has seen none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pinode_raft::config::{Timeouts, pace_of};
use pinode_raft::{Log, Machine, seal, unseal, write_durably};

const FILE: &str = "pace";
/// The state's pace before anybody has said anything.
const NOBODY_SAID: u32 = 0;

/// The pace that Raft is started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AtStart {
    /// In milliseconds a sync.
    pub sync_ms: u32,
    /// It is this disk's, measured at its first start, and not the cluster's.
    own: bool,
}

impl AtStart {
    /// How long a sync takes on this disk, as the cluster is told: as it was lately, or at the first start as long as too
    /// few are known. Elections here last by that already, and the lease of all must be long enough for them.
    pub(super) fn sync(self, lately: Option<Duration>) -> Option<Duration> {
        lately.or(self.own.then(|| Duration::from_millis(self.sync_ms.into())))
    }
}

pub(crate) async fn at_start(dir: &Path, log: &impl Log) -> io::Result<AtStart> {
    if let Some(sync_ms) = noted(dir) {
        return Ok(AtStart { sync_ms, own: false });
    }
    let sync_ms = pace_of(millis(log.measure_sync().await?)).sync_ms;
    note(dir, sync_ms)?;
    Ok(AtStart { sync_ms, own: true })
}

/// openraft's timeouts for it.
pub(crate) fn timeouts(sync_ms: u32) -> Timeouts {
    Timeouts::for_sync(sync_ms)
}

/// The longest that the cluster is without a leader, with those.
pub(super) fn failover(sync_ms: u32) -> Duration {
    Duration::from_millis(timeouts(sync_ms).failover_ms(sync_ms))
}

/// As a renewal says it.
pub(crate) fn millis(sync: Duration) -> u32 {
    u32::try_from(sync.as_millis()).unwrap_or(u32::MAX)
}

/// Notes what the cluster agrees on for the next start. Whoever is connected to this process should not notice: a busy
/// quarter of an hour makes a disk slow too, and the lease, which is the longer one from now on, bears it. Never returns.
pub(super) async fn keep_noted(machine: Machine, dir: PathBuf, mut noted_ms: u32) {
    let mut applied = machine.applied();
    loop {
        let agreed_ms = machine.state().pace().sync_ms;
        if agreed_ms != NOBODY_SAID && agreed_ms != noted_ms {
            match note(&dir, agreed_ms) {
                Ok(()) => {
                    noted_ms = agreed_ms;
                    tracing::info!(
                        sync_ms = agreed_ms,
                        "disks have another pace; elections follow at the next start"
                    );
                }
                Err(error) => tracing::warn!(%error, "note the pace for the next start"),
            }
        }
        if applied.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// Durably: what the next start begins with.
fn note(dir: &Path, sync_ms: u32) -> io::Result<()> {
    write_durably(&dir.join(FILE), &seal(&format!("{sync_ms}\n")))
}

/// None if nothing was, or if it is damaged: the disk is measured then.
fn noted(dir: &Path) -> Option<u32> {
    unseal(&fs::read(dir.join(FILE)).ok()?)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use pinode_raft::LogStore;

    use super::*;
    use crate::damage::every_flip;

    const SLOW: Duration = Duration::from_millis(30);

    fn slow(dir: &Path) -> LogStore {
        let sync = |file: &fs::File| {
            std::thread::sleep(SLOW);
            file.sync_data()
        };
        LogStore::open_with(&dir.join("log"), Box::new(sync), Box::new(|_| ())).unwrap()
    }

    #[tokio::test]
    async fn a_slow_disk_says_so_from_its_first_start_on() {
        let dir = tempfile::tempdir().unwrap();
        let log = slow(dir.path());
        assert_eq!(log.sync_p99(), None, "too few are known");
        let first = at_start(dir.path(), &log).await.unwrap();
        let said = first.sync(log.sync_p99()).unwrap();
        assert!(said >= SLOW, "{said:?}");
        assert_eq!(pace_of(millis(said)).sync_ms, first.sync_ms, "what its elections last by");
        assert_eq!(first.sync(Some(SLOW * 2)), Some(SLOW * 2), "what it knows of late");
    }

    #[tokio::test]
    async fn what_the_cluster_has_said_is_no_word_of_this_disk() {
        let dir = tempfile::tempdir().unwrap();
        let log = slow(dir.path());
        note(dir.path(), 400).unwrap();
        let start = at_start(dir.path(), &log).await.unwrap();
        assert_eq!((start.sync_ms, start.sync(None)), (400, None));
    }

    #[test]
    fn a_damaged_note_is_none() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(noted(dir.path()), None);
        note(dir.path(), 400).unwrap();
        assert_eq!(noted(dir.path()), Some(400));
        let path = dir.path().join(FILE);
        for (bit, flipped) in every_flip(&fs::read(&path).unwrap()) {
            fs::write(&path, flipped).unwrap();
            assert_eq!(noted(dir.path()), None, "bit {bit}");
        }
        fs::write(&path, "200\n").unwrap();
        assert_eq!(noted(dir.path()), Some(200), "as earlier versions wrote it");
    }
}
