//! How fast this node's Raft is: openraft's timeouts cannot change while it runs. They are chosen at the start, from the
//! cluster's pace as this node saw it last, or from its own disk where it has seen none; and when the pace has changed the
//! process begins anew.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pinode_raft::config::{FAST_SYNC_MS, Timeouts, pace_of};
use pinode_raft::{Log, Machine, write_durably};
use pinode_scheduler::NodeId;
use tokio::time::sleep;

const FILE: &str = "pace";
/// This very program, also where its file was replaced meanwhile.
const MYSELF: &str = "/proc/self/exe";
/// Between two nodes that begin anew, so that a majority is always there: several elections of the slowest pace but one.
const TURN: Duration = Duration::from_secs(20);

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

/// As a renewal says it.
pub(crate) fn millis(sync: Duration) -> u32 {
    u32::try_from(sync.as_millis()).unwrap_or(u32::MAX)
}

/// Returns when the cluster has agreed on another pace, and it is this node's turn to begin anew with it: first the
/// others by their ids, last who leads.
pub(super) async fn until_changed(
    machine: &Machine,
    me: NodeId,
    leads: impl Fn() -> bool,
    now_ms: u32,
) -> u32 {
    let mut applied = machine.applied();
    loop {
        let (wanted, turn) = {
            let state = machine.state();
            let before = state.nodes().filter(|node| node.id < me).count();
            let turn = if leads() { state.nodes().count() } else { before };
            (state.pace().sync_ms.max(FAST_SYNC_MS), turn)
        };
        if wanted != now_ms {
            sleep(TURN * u32::try_from(turn + 1).unwrap_or(u32::MAX)).await;
            if machine.state().pace().sync_ms.max(FAST_SYNC_MS) == wanted && !(leads() && turn == 0) {
                return wanted;
            }
        } else if applied.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// Durably: what the next start begins with.
pub(super) fn note(dir: &Path, sync_ms: u32) -> io::Result<()> {
    write_durably(&dir.join(FILE), format!("{sync_ms}\n").as_bytes())
}

/// The same process, the same command line, from the beginning. Returns only if it could not.
pub(super) fn begin_anew() -> io::Error {
    Command::new(MYSELF).args(std::env::args_os().skip(1)).exec()
}
