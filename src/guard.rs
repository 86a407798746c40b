//! What a node leaves behind when it means to come back: a process of its own, in a session of its own, that outlives
//! it. It kills what is fenced when the time is up, unless the node is back, and an engine that does not do so with it. It
//! decides nothing, never talks to the cluster, and never starts anything.

mod plan;
mod watch;

pub use plan::{Force, Found, Plan, Told};
pub use watch::watch;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// This very program, also where the file was replaced by a newer one meanwhile.
const MYSELF: &str = "/proc/self/exe";
/// What a guard says when it watches.
const READY: &str = "ready";
/// Longest wait for that.
const READY_WITHIN: Duration = Duration::from_secs(2);

/// Writes the plan down, and starts a guard that carries it out. Returns when it watches.
pub async fn post(dir: &Path, plan: &Plan) -> anyhow::Result<()> {
    plan.write(dir).context("write the guard's plan")?;
    let mut guard = Command::new(MYSELF);
    guard.arg("guard").arg("--data-dir").arg(dir).args(["--mark", &plan.mark]);
    guard.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(false);
    let mut guard = guard.spawn().context("start a guard")?;
    let said = guard.stdout.take().context("hear the guard")?;
    let mut lines = BufReader::new(said).lines();
    let line = timeout(READY_WITHIN, lines.next_line()).await.context("hear the guard in time")??;
    ensure!(line.as_deref() == Some(READY), "the guard does not watch");
    Ok(())
}
