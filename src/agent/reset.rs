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
    let resort = LastResort { engine: &*runtime, cluster: agent.cluster(), pid_file: &engine };
    let mut fenced = agent.fenced();
    loop {
        if fenced.wait_for(|fenced| *fenced).await.is_err() {
            return;
        }
        sleep(patience(kill)).await;
        if *fenced.borrow() {
            resort.take(&known(&agent, &spared), &spared).await;
        }
        sleep(LOOK).await;
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

/// The engine's ids of what may run here and is not spared, as it last said them.
pub fn known(agent: &Agent, spared: &impl Fn(ContainerId) -> bool) -> BTreeSet<String> {
    let known = agent.known_ids().into_iter().filter(|((id, _), _)| !spared(*id));
    known.map(|(_, docker_id)| docker_id).collect()
}

/// An engine, and what the kernel knows of it.
#[derive(Clone, Copy)]
pub struct LastResort<'a> {
    /// What it says.
    pub engine: &'a dyn ContainerRuntime,
    /// Hex of the cluster's id.
    pub cluster: &'a str,
    /// The file with its process id.
    pub pid_file: &'a Path,
}

impl std::fmt::Debug for LastResort<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LastResort").field("pid_file", &self.pid_file).finish_non_exhaustive()
    }
}

impl LastResort<'_> {
    /// Kills what runs and is not spared, and the engine with it. Where the engine does not say what runs, that is all
    /// that is known.
    pub async fn take(self, known: &BTreeSet<String>, spared: &(impl Fn(ContainerId) -> bool + Send + Sync)) {
        let left = running(self.engine, self.cluster, spared).await.unwrap_or_else(|| known.clone());
        // An engine that is silent, and by all that is known has nothing of ours, is left alone.
        if left.is_empty() {
            return;
        }
        let path = self.pid_file.display();
        tracing::error!(containers = left.len(), engine = %path, "the engine does not end what must be dead; killing it, and them");
        if let Err(error) = end_process_of(self.pid_file) {
            tracing::error!(%path, %error, "kill the engine");
        }
        end_programs_of(&left).await;
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

/// Everybody in a control group that is named after one of these containers.
fn processes_of(proc: &Path, containers: &BTreeSet<String>) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir(proc) else { return Vec::new() };
    let number = |name: &std::ffi::OsStr| name.to_str()?.parse().ok().and_then(positive);
    let all = entries.flatten().filter_map(|entry| Some((number(&entry.file_name())?, entry.path())));
    let mine = |path: &Path| {
        let groups = fs::read_to_string(path.join("cgroup")).unwrap_or_default();
        groups.lines().any(|group| containers.iter().any(|id| group.contains(id.as_str())))
    };
    all.filter(|(_, path)| mine(path)).map(|(pid, _)| pid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_s_processes_are_those_in_its_control_group() {
        let proc = tempfile::tempdir().unwrap();
        let of = |pid: &str, groups: &str| {
            fs::create_dir(proc.path().join(pid)).unwrap();
            fs::write(proc.path().join(pid).join("cgroup"), groups).unwrap();
        };
        of("17", "0::/docker/aaaa1111\n");
        of("18", "12:cpu:/system.slice/docker-aaaa1111.scope\n0::/\n");
        of("19", "0::/docker/bbbb2222\n");
        of("self", "0::/docker/aaaa1111\n");
        let mut found = processes_of(proc.path(), &["aaaa1111".to_owned()].into());
        found.sort_by_key(|pid| pid.as_raw_nonzero());
        assert_eq!(found, [17, 18].map(|pid| Pid::from_raw(pid).unwrap()));
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
