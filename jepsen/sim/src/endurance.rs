//! A cluster that nothing happens to, and a container every second: what it holds must stop growing.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use pinode::agent::fake::Program;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::cluster::Cluster;
use crate::history::Answer;
use crate::nemesis::Rates;
use crate::random::Random;
use crate::run::simulate;
use crate::workload::Client;
use crate::world::{Told, Trace};

/// Between two containers.
const EVERY: Duration = Duration::from_secs(1);
/// How long each runs.
const LENGTH: Duration = Duration::from_millis(500);
/// Between two looks at what is held: often enough to meet what only lives between two snapshots.
const LOOK: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
/// Machines; all of them vote.
const MACHINES: usize = 3;
const FOUNDING: Duration = Duration::from_secs(5);
/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most that was held in one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Containers that were submitted until its end.
    pub containers: u64,
    /// Of this process, all machines together, in bytes.
    pub memory: u64,
    /// Entries of the longest log.
    pub log_entries: u64,
    /// All files of all machines, in bytes.
    pub files: u64,
}

impl Held {
    /// By how much, in thousandths, the worst of it is above what was held before.
    pub fn above(&self, before: &Held) -> u64 {
        let above = |now: u64, before: u64| now.saturating_sub(before) * 1_000 / before.max(1);
        let kinds = [
            above(self.memory, before.memory),
            above(self.log_entries, before.log_entries),
            above(self.files, before.files),
        ];
        kinds.into_iter().max().unwrap_or(0)
    }

    fn most(self, other: Held) -> Held {
        Held {
            containers: self.containers.max(other.containers),
            memory: self.memory.max(other.memory),
            log_entries: self.log_entries.max(other.log_entries),
            files: self.files.max(other.files),
        }
    }
}

/// So many simulated hours; `told` hears of each.
pub fn endure(seed: u64, hours: u64, told: impl FnMut(u64, &Held)) -> anyhow::Result<Vec<Held>> {
    simulate(seed, live(seed, hours, told))
}

async fn live(seed: u64, hours: u64, mut told: impl FnMut(u64, &Held)) -> anyhow::Result<Vec<Held>> {
    let mut random = Random::new(seed);
    let cluster = Cluster::new(MACHINES, Rates(0), &mut random, Trace::new(Told::Nothing))?;
    let mut tasks = JoinSet::new();
    tasks.spawn(cluster.net.clone().carry());
    for number in 0..cluster.count() {
        cluster.start(number).await.map_err(anyhow::Error::msg)?;
    }
    sleep(FOUNDING).await;
    let began = Instant::now();
    let mut client = Client::new(cluster.clone(), random.fork());
    let mut all = Vec::new();
    let (mut submitted, mut looks) = (0, began);
    for hour in 1..=hours {
        let mut held = Held::default();
        while began.elapsed() < HOUR * u32::try_from(hour)? {
            submit(&cluster, &mut client, submitted).await?;
            submitted += 1;
            if looks.elapsed() >= LOOK {
                looks = Instant::now();
                held = held.most(look(&cluster, submitted).await?);
            }
            sleep_until(began + EVERY * u32::try_from(submitted)?).await;
        }
        told(hour, &held);
        all.push(held);
    }
    tasks.shutdown().await;
    Ok(all)
}

async fn submit(cluster: &Arc<Cluster>, client: &mut Client, number: u64) -> anyhow::Result<()> {
    let name = format!("e{number}");
    for machine in 0..cluster.count() {
        cluster.machine(machine).await.engine.on_start(&format!("{name}.only"), Program::runs_for(LENGTH));
    }
    let body = json!({ "name": name, "containers": [{ "name": "only", "image": "busybox" }] });
    let pipeline = serde_json::from_value(body)?;
    let asked = tokio::time::timeout(PATIENCE, client.submit(&name, &pipeline)).await;
    let (answer, _) = asked.with_context(|| format!("{name} got no answer"))?;
    ensure!(answer == Answer::Accepted, "{name}: {answer:?}");
    Ok(())
}

/// What the harness itself noted is let go before: it would grow.
async fn look(cluster: &Arc<Cluster>, submitted: u64) -> anyhow::Result<Held> {
    let mut log_entries = 0;
    for number in 0..cluster.count() {
        let machine = cluster.machine(number).await;
        machine.engine.forget_the_past();
        log_entries = log_entries.max(machine.disk.entries() as u64);
    }
    Ok(Held { containers: submitted, memory: resident()?, log_entries, files: size_of(cluster.folder())? })
}

/// Of this process, in bytes.
fn resident() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("read the size of this process")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("find VmRSS")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().context("read VmRSS")?;
    Ok(kilobytes * 1_024)
}

fn size_of(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { size_of(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}
