//! The last step of the ladder. An engine that does not end what is fenced within K is not asked any more: the programs
//! of its containers are killed by the kernel, which knows them by their control groups, and the engine with them, so that
//! nothing that was asked of it before is carried out after.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use pinode_scheduler::ContainerId;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{sleep, timeout};

use super::Agent;
use super::runtime::{ContainerRuntime, Status};

/// An engine that answers so late does not answer.
const ANSWER: Duration = Duration::from_secs(1);
/// Between two looks at what is left.
const LOOK: Duration = Duration::from_millis(100);
/// Looks at the kernel's processes; a program that forks faster than it is killed is left to the next round.
const ROUNDS: usize = 20;
/// As short as the engine prints an id. Anything shorter may be in the name of any control group.
const SHORT_ID: usize = 12;
/// Where the kernel shows its processes.
const PROC: &str = "/proc";

/// Waits for fences, and sees to it that they are carried out within `kill` of the lease's end. `engine` is the file with
/// the engine's process id. Never returns.
pub async fn enforce(
    agent: Arc<Agent>,
    kill: Duration,
    engine: PathBuf,
    spared: impl Fn(ContainerId) -> bool + Send + Sync,
) {
    let runtime = agent.runtime();
    let mut fenced = agent.fenced();
    loop {
        if fenced.wait_for(|fenced| *fenced).await.is_err() {
            return;
        }
        let mut resort = LastResort::new(&*runtime, agent.cluster(), &engine);
        while *fenced.borrow() {
            sleep(patience(kill)).await;
            if *fenced.borrow() {
                resort.take(&known(&agent, &spared), &spared).await;
            }
            sleep(LOOK).await;
        }
    }
}

/// So long an engine is asked, of the time that there is to kill.
pub fn patience(kill: Duration) -> Duration {
    kill.saturating_sub(ANSWER)
}

/// Whether something may run here that is not spared: by the engine's word, or, if it gives none, by what was intended.
pub async fn may_run(agent: &Agent, spared: &(impl Fn(ContainerId) -> bool + Send + Sync)) -> bool {
    match running(&*agent.runtime(), agent.cluster(), spared).await {
        Some(running) => !running.is_empty(),
        None => agent.started().into_iter().any(|(id, _)| !spared(id)),
    }
}

/// The engine's ids of what was to be started here and is not spared, as it last said them.
pub fn known(agent: &Agent, spared: &impl Fn(ContainerId) -> bool) -> BTreeSet<String> {
    let ids = agent.known_ids();
    let started = agent.started().into_iter().filter(|(id, _)| !spared(*id));
    started.filter_map(|key| ids.get(&key).cloned()).collect()
}

/// What is done to an engine that does not do as it is told, and for it.
pub struct LastResort<'a> {
    engine: &'a dyn ContainerRuntime,
    cluster: &'a str,
    pid_file: &'a Path,
    /// The engine was killed. One that stands in its place was asked for nothing before, and may need its time to begin.
    killed: bool,
}

impl<'a> LastResort<'a> {
    /// For one fence. `pid_file` holds the engine's process id.
    pub fn new(engine: &'a dyn ContainerRuntime, cluster: &'a str, pid_file: &'a Path) -> LastResort<'a> {
        LastResort { engine, cluster, pid_file, killed: false }
    }

    /// Kills what runs and is not spared, and the engine with it, once. Where the engine does not say what runs, that is
    /// all that is known.
    pub async fn take(
        &mut self,
        known: &BTreeSet<String>,
        spared: &(impl Fn(ContainerId) -> bool + Send + Sync),
    ) {
        let left = running(self.engine, self.cluster, spared).await.unwrap_or_else(|| known.clone());
        // An engine that is silent, and by all that is known has nothing of ours, is left alone.
        if left.is_empty() {
            return;
        }
        if !self.killed {
            let path = self.pid_file.display();
            tracing::error!(containers = left.len(), engine = %path, "the engine does not end what must be dead; killing it, and them");
            let ended = end_process_of(self.pid_file);
            self.killed = ended.is_ok();
            if let Err(error) = ended {
                tracing::error!(%path, %error, "kill the engine");
            }
        }
        end_programs_of(&left).await;
    }
}

impl std::fmt::Debug for LastResort<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LastResort").field("pid_file", &self.pid_file).finish_non_exhaustive()
    }
}

/// The engine's ids of what runs and is not spared; none if it does not answer.
async fn running(
    engine: &dyn ContainerRuntime,
    cluster: &str,
    spared: &(impl Fn(ContainerId) -> bool + Send + Sync),
) -> Option<BTreeSet<String>> {
    let seen = timeout(ANSWER, engine.list(cluster)).await.ok()?.ok()?;
    let runs = seen.into_iter().filter(|seen| seen.status == Status::Running);
    let fenced = runs.filter(|seen| !seen.key().is_some_and(|(id, _)| spared(id)));
    Some(fenced.map(|seen| seen.id).collect())
}

fn end_process_of(pid_file: &Path) -> io::Result<()> {
    let text = fs::read_to_string(pid_file)?;
    let pid = text.trim().parse().ok().and_then(positive);
    let pid = pid.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it holds no process id"))?;
    Ok(kill_process(pid, Signal::KILL)?)
}

/// A negative number would mean a whole group.
fn positive(number: i32) -> Option<Pid> {
    (number > 0).then(|| Pid::from_raw(number)).flatten()
}

async fn end_programs_of(containers: &BTreeSet<String>) {
    for _ in 0..ROUNDS {
        let mut ended = 0;
        for pid in processes_of(Path::new(PROC), containers) {
            // Who has ended by himself in the meantime is no trouble.
            if kill_process(pid, Signal::KILL).is_ok() {
                ended += 1;
            }
        }
        if ended == 0 {
            return;
        }
        sleep(LOOK).await;
    }
}

/// Everybody in a control group that is named after one of these containers, the oldest first: with a container's first
/// process the kernel ends all of it, and that one's end is the container's. No other's end could be taken for a good one.
fn processes_of(proc: &Path, containers: &BTreeSet<String>) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir(proc) else { return Vec::new() };
    let number = |name: &std::ffi::OsStr| name.to_str()?.parse().ok().and_then(positive);
    let all = entries.flatten().filter_map(|entry| Some((number(&entry.file_name())?, entry.path())));
    let mine = |path: &Path| {
        let groups = fs::read_to_string(path.join("cgroup")).unwrap_or_default();
        let is_of = |group: &str, id: &String| id.len() >= SHORT_ID && group.contains(id.as_str());
        groups.lines().any(|group| containers.iter().any(|id| is_of(group, id)))
    };
    let mut found: Vec<(u64, Pid)> =
        all.filter(|(_, path)| mine(path)).map(|(pid, path)| (began(&path), pid)).collect();
    found.sort_by_key(|(began, _)| *began);
    found.into_iter().map(|(_, pid)| pid).collect()
}

/// When a process began, in the kernel's ticks: the twenty-second field, of which the second may contain anything.
fn began(process: &Path) -> u64 {
    let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    fields.split_whitespace().nth(19).and_then(|ticks| ticks.parse().ok()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_s_processes_are_those_in_its_control_group_and_its_first_comes_first() {
        let proc = tempfile::tempdir().unwrap();
        let of = |pid: &str, groups: &str, began: u64| {
            fs::create_dir(proc.path().join(pid)).unwrap();
            fs::write(proc.path().join(pid).join("cgroup"), groups).unwrap();
            let stat = format!("{pid} (a) b) S {}{began} 0 0", "0 ".repeat(18));
            fs::write(proc.path().join(pid).join("stat"), stat).unwrap();
        };
        of("17", "0::/docker/aaaa11112222\n", 300);
        of("18", "12:cpu:/system.slice/docker-aaaa11112222.scope\n0::/\n", 200);
        of("19", "0::/docker/bbbb22223333\n", 100);
        of("self", "0::/docker/aaaa11112222\n", 100);
        let of = |id: &str| processes_of(proc.path(), &[id.to_owned()].into());
        assert_eq!(of("aaaa11112222"), [18, 17].map(|pid| Pid::from_raw(pid).unwrap()));
        assert_eq!(of(""), []);
    }

    #[test]
    fn a_file_without_a_process_id_kills_nobody() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for text in ["", "-1", "0", "dockerd"] {
            fs::write(file.path(), text).unwrap();
            assert!(end_process_of(file.path()).is_err(), "{text}");
        }
    }
}
