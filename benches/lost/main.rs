//! `cargo bench --bench lost`: how long until the work of a machine that lost its power runs elsewhere.
//!
//! Of a follower the clock runs from the cut, which is later than its last renewal; of a leader from the moment in which
//! a survivor first names another one, which is later than that one's election by at most one look. Ends with 1 if any
//! round took longer than (L+K+M)·(1+2ρ) + 3 s.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock of the host")]

#[path = "../common/mod.rs"]
mod common;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use common::{Asked, Figures};
use pinode_jepsen::testbed::{await_true, name, number};
use pinode_jepsen::{Client, Testbed};
use serde_json::{Value, json};

/// Rounds of each kind, where nobody asks for another number.
const ROUNDS: usize = 3;
/// The lease, the time to kill, and the margin, with clocks that are one per cent off; and three seconds for a launch.
const BOUND: Duration = Duration::from_millis((10_000 + 5_000 + 3_000) * 102 / 100 + 3_000);
/// How long anything may take before the round counts as failed.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Clone, Copy)]
enum Victim {
    Follower,
    Leader,
}

fn main() -> anyhow::Result<ExitCode> {
    let Some(asked) = Asked::read() else { return Ok(ExitCode::SUCCESS) };
    let bed = common::machines()?;
    let rounds = |what: &str, victim: Victim| -> anyhow::Result<(Figures, bool)> {
        let mut took = Vec::new();
        for round in 0..asked.rounds.unwrap_or(ROUNDS) {
            let elsewhere = lost(&bed, victim, &format!("{}{round}", what.replace(' ', "-")))?;
            println!(
                "{what}, round {round}: its container ran elsewhere after {:.1} s",
                elsewhere.as_secs_f64()
            );
            took.push(elsewhere);
        }
        let in_time = took.iter().all(|took| *took <= BOUND);
        Ok((Figures::new(what, took.iter().map(|took| took.as_secs_f64() * 1000.0).collect())?, in_time))
    };
    let (followers, followers_in_time) = rounds("follower lost", Victim::Follower)?;
    let (leaders, leaders_in_time) = rounds("leader lost", Victim::Leader)?;
    common::print(&[&followers, &leaders]);
    let in_time = followers_in_time && leaders_in_time;
    println!("\nthe bound is {:.2} s: {}", BOUND.as_secs_f64(), if in_time { "kept" } else { "NOT kept" });
    Ok(if in_time { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// From the cut, or from the election after it, until the container runs on another machine.
fn lost(bed: &Testbed, victim: Victim, container: &str) -> anyhow::Result<Duration> {
    let leader = agreed_leader(bed)?;
    let k = match victim {
        Victim::Leader => leader,
        Victim::Follower => bed.all().find(|k| *k != leader).context("somebody follows")?,
    };
    let spec = json!({
        "name": container, "image": "busybox:local", "cmd": ["sleep", "600"], "network_mode": "none",
        "constraints": [format!("node==~{}", name(k))],
    });
    bed.client(k).submit(&spec)?;
    let other = bed.all().find(|other| *other != k).context("somebody survives")?;
    let survivor = bed.client(other);
    let here = |node: &str| {
        let shown = survivor.container(container).unwrap_or(Value::Null);
        shown["state"] == "running" && shown["node"] == node
    };
    await_true(PATIENCE, || here(&name(k))).context("it runs where it shall be lost")?;
    bed.cut(k)?;
    let mut began = Instant::now();
    if let Victim::Leader = victim {
        await_other_leader(&survivor, &name(k), began)?;
        began = Instant::now();
    }
    let took = await_elsewhere(&survivor, container, &name(k), began)?;
    survivor.delete(&format!("/api/v1/containers/{container}?force=true"))?.ok()?;
    bed.power(k)?;
    bed.start_node(k)?;
    bed.await_whole()?;
    Ok(took)
}

fn await_elsewhere(
    survivor: &Client,
    container: &str,
    lost: &str,
    began: Instant,
) -> anyhow::Result<Duration> {
    while began.elapsed() < PATIENCE {
        let shown = survivor.container(container).unwrap_or(Value::Null);
        if shown["state"] == "running" && shown["node"] != lost {
            return Ok(began.elapsed());
        }
        std::thread::sleep(LOOK);
    }
    bail!("{container} did not start elsewhere: {:#}", survivor.container(container)?)
}

fn await_other_leader(survivor: &Client, lost: &str, began: Instant) -> anyhow::Result<()> {
    while began.elapsed() < PATIENCE {
        let leader = survivor.status().map(|status| status["leader"].clone()).unwrap_or(Value::Null);
        if leader.as_str().is_some_and(|leader| leader != lost) {
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
    bail!("nobody leads after {lost}")
}

/// The number of the node that all nodes take for the leader.
fn agreed_leader(bed: &Testbed) -> anyhow::Result<usize> {
    let said =
        |k: usize| bed.client(k).status().map(|status| status["leader"].clone()).unwrap_or(Value::Null);
    let mut agreed = Value::Null;
    await_true(PATIENCE, || {
        agreed = said(1);
        agreed.is_string() && bed.all().all(|k| said(k) == agreed)
    })
    .context("all nodes name one leader")?;
    number(agreed.as_str().unwrap_or_default())
}
