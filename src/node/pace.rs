//! How fast this node's Raft is: openraft's timeouts cannot change while it runs. They are chosen at the start, from the
//! cluster's pace as this node saw it last, or from its own disk where it has seen none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pinode_raft::config::{FAST_SYNC_MS, Timeouts, pace_of};
use pinode_raft::{Log, Machine, seal, unseal, write_durably};

const FILE: &str = "pace";
/// So often a disk is measured that seems slow: it may only have been busy, and a lease is never made shorter again.
const TRIES: usize = 3;
/// The state's pace before anybody has said anything.
const NOBODY_SAID: u32 = 0;

/// The pace that Raft is started with, in milliseconds a sync.
pub(crate) async fn at_start(dir: &Path, log: &impl Log) -> io::Result<u32> {
    if let Some(seen) = noted(dir) {
        return Ok(seen);
    }
    let mut sync_ms = u32::MAX;
    for _ in 0..TRIES {
        sync_ms = sync_ms.min(pace_of(millis(log.measure_sync().await?)).sync_ms);
        if sync_ms <= FAST_SYNC_MS {
            break;
        }
    }
    note(dir, sync_ms)?;
    Ok(sync_ms)
}

/// How long a sync takes on this disk, for the cluster to know: as it was `lately`, or, as long as too few are known and
/// the cluster has no pace, as Raft was started with. Elections last by that, and the lease of all must be long enough for them.
pub(super) fn said(lately: Option<Duration>, started_ms: u32, agreed_ms: u32) -> Option<Duration> {
    let started = || (agreed_ms == NOBODY_SAID).then(|| Duration::from_millis(started_ms.into()));
    lately.or_else(started)
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
    async fn a_slow_disk_says_so_from_its_first_start_on_until_the_cluster_has_a_pace() {
        let dir = tempfile::tempdir().unwrap();
        let log = slow(dir.path());
        let first = at_start(dir.path(), &log).await.unwrap();
        assert!(first > FAST_SYNC_MS, "{first} ms");
        assert_eq!(at_start(dir.path(), &log).await.unwrap(), first);
        let started = Some(Duration::from_millis(first.into()));
        assert_eq!(said(None, first, NOBODY_SAID), started);
        assert_eq!(said(None, first, 200), None, "another disk's, perhaps");
        assert_eq!(said(Some(SLOW), first, NOBODY_SAID), Some(SLOW), "what it knows of late");
    }

    #[tokio::test]
    async fn a_disk_that_was_only_busy_is_no_slow_one() {
        let dir = tempfile::tempdir().unwrap();
        let mut syncs = 0;
        let sync = move |_: &fs::File| {
            syncs += 1;
            std::thread::sleep(if syncs <= 4 { SLOW } else { Duration::ZERO });
            Ok(())
        };
        let log = LogStore::open_with(&dir.path().join("log"), Box::new(sync), Box::new(|_| ())).unwrap();
        assert_eq!(at_start(dir.path(), &log).await.unwrap(), FAST_SYNC_MS);
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
