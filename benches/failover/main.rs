//! `cargo bench --bench failover`: how long nobody can submit after the leader was killed, and after all were.
//!
//! The clock runs from kill -9 to the 201 of a client that tries one survivor after the other. The killed node is
//! started again, and all is whole, before the next round. Always ends with 1 above the target.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock of the host")]

#[path = "../common/mod.rs"]
mod common;

use std::path::Path;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use common::{Asked, Figures};
use pinode_jepsen::testbed::{await_true, number};
use pinode_jepsen::{Client, Testbed};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Rounds of each kind, where nobody asks for another number.
const ROUNDS: usize = 10;
const ROUNDS_OF_ALL: usize = 3;
/// The median of a leader's death may take so long, in milliseconds.
const TARGET_MS: f64 = 3000.0;
/// Heartbeats have a rhythm: each round waits longer than the one before, so that kills fall everywhere in it.
const PHASE: Duration = Duration::from_millis(137);
/// Longest wait for one node's answer, and for any.
const ANSWER: Duration = Duration::from_secs(10);
const ANY_ANSWER: Duration = Duration::from_secs(60);
/// Between two looks at a process that ends.
const A_MOMENT: Duration = Duration::from_millis(1);
/// Pause before the next node is tried.
const AGAIN: Duration = Duration::from_millis(20);

fn main() -> anyhow::Result<ExitCode> {
    let Some(asked) = Asked::read() else { return Ok(ExitCode::SUCCESS) };
    let bed = common::machines()?;
    let mut leaders = Vec::new();
    for round in 0..asked.rounds.unwrap_or(ROUNDS) {
        sleep(PHASE.saturating_mul(u32::try_from(round)?));
        let took = leader_killed(&bed, round)?;
        println!("round {round}: {took:.0} ms after the leader's death a submit was answered");
        leaders.push(took);
    }
    let mut alls = Vec::new();
    for round in 0..asked.rounds.unwrap_or(ROUNDS_OF_ALL) {
        let took = all_killed(&bed, round)?;
        println!("round {round}: {took:.0} ms after all were killed, each answered a submit again");
        alls.push(took);
    }
    let leaders = Figures::new("a submit while the leader dies", leaders)?;
    common::print(&[
        &leaders,
        &Figures::new("three nodes killed at once, until each answers a submit again", alls)?,
    ]);
    println!("\nmedian of a leader's death: {:.0} ms (target: at most {TARGET_MS:.0} ms)", leaders.median());
    Ok(if leaders.median() <= TARGET_MS { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Milliseconds without anybody who takes work.
fn leader_killed(bed: &Testbed, round: usize) -> anyhow::Result<f64> {
    let leader = leader(bed)?;
    let pid = bed.pid(leader)?;
    let survivors: Vec<Client> =
        bed.all().filter(|k| *k != leader).map(|k| bed.client(k).within(ANSWER)).collect();
    let name = format!("leader{round}");
    let began = Instant::now();
    kill(pid)?;
    submit(&survivors, &name, began)?;
    let took = began.elapsed();
    bed.start_node(leader)?;
    bed.await_whole()?;
    Ok(milliseconds(took))
}

/// Milliseconds until each of the nodes, which are started at once, answers a submit again.
fn all_killed(bed: &Testbed, round: usize) -> anyhow::Result<f64> {
    let pids = bed.all().map(|k| bed.pid(k)).collect::<anyhow::Result<Vec<_>>>()?;
    let began = Instant::now();
    pids.iter().try_for_each(|pid| kill(*pid))?;
    // A start leaves alone what is still there.
    pids.into_iter().try_for_each(await_end)?;
    bed.start_nodes()?;
    for k in bed.all() {
        submit(&[bed.client(k).within(ANSWER)], &format!("all{round}-{k}"), began)?;
    }
    Ok(milliseconds(began.elapsed()))
}

/// As a client with several hosts does it: one after the other, under one key, until one accepts. What it submits
/// waits for ever, so that no engine has a part in the figure.
fn submit(nodes: &[Client], name: &str, began: Instant) -> anyhow::Result<()> {
    let spec = json!({
        "name": name, "image": "busybox:local", "cmd": ["true"], "network_mode": "none", "waitfor": ["container==nobody"],
    });
    let mut last = "nobody was asked".to_owned();
    for node in nodes.iter().cycle() {
        match node.post_as(name, "/api/v1/containers", &spec) {
            Ok(answer) if answer.status == 201 => return Ok(()),
            Ok(answer) if answer.status != 503 => bail!("{name} was refused: {}", answer.body),
            Ok(answer) => last = answer.message().to_owned(),
            Err(error) => last = format!("{error:#}"),
        }
        if began.elapsed() > ANY_ANSWER {
            break;
        }
        sleep(AGAIN);
    }
    bail!("nobody took {name}; the last word was: {last}")
}

/// The number of the node that all nodes take for the leader.
fn leader(bed: &Testbed) -> anyhow::Result<usize> {
    let said =
        |k: usize| bed.client(k).status().map(|status| status["leader"].clone()).unwrap_or(Value::Null);
    let mut agreed = Value::Null;
    await_true(ANY_ANSWER, || {
        agreed = said(1);
        agreed.is_string() && bed.all().all(|k| said(k) == agreed)
    })
    .context("all nodes name one leader")?;
    number(agreed.as_str().unwrap_or_default())
}

/// SIGKILL, without the time that a shell takes to come up.
fn kill(pid: u32) -> anyhow::Result<()> {
    let pid = Pid::from_raw(i32::try_from(pid)?).context("a process has a number above 0")?;
    kill_process(pid, Signal::KILL).context("kill a node")
}

/// The kernel takes a moment.
fn await_end(pid: u32) -> anyhow::Result<()> {
    let began = Instant::now();
    while Path::new("/proc").join(pid.to_string()).exists() {
        ensure!(began.elapsed() < ANSWER, "process {pid} is still there");
        sleep(A_MOMENT);
    }
    Ok(())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
