//! How fast this node's Raft is: openraft's timeouts cannot change while it runs. They are chosen at the start, from the
//! cluster's pace as this node saw it last, or from its own disk where it has seen none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pinode_raft::config::{Timeouts, pace_of};
use pinode_raft::{Log, Machine, write_durably};

const FILE: &str = "pace";
/// The state's pace before anybody has said anything.
const NOBODY_SAID: u32 = 0;

/// The pace that Raft is started with, in milliseconds a sync.
pub(crate) async fn at_start(dir: &Path, log: &impl Log) -> io::Result<u32> {
    if let Some(seen) = fs::read_to_string(dir.join(FILE)).ok().and_then(|text| text.trim().parse().ok()) {
        return Ok(seen);
    }
    let sync_ms = pace_of(millis(log.measure_sync().await?)).sync_ms;
    note(dir, sync_ms)?;
    Ok(sync_ms)
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
    write_durably(&dir.join(FILE), format!("{sync_ms}\n").as_bytes())
}
