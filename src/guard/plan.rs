//! What a guard is to do, as a file in the node's folder: as long as it is there with the guard's own mark, the node is
//! not back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use pinode_raft::{remove_durably, seal, unseal, write_durably};
use pinode_scheduler::ContainerId;

use crate::clock::Moment;

const FILE: &str = "guard";
/// What a line can begin with.
const WORDS: [&str; 10] =
    ["mark", "boot", "until", "agreed", "cluster", "engine", "spare", "kill", "pid", "known"];

/// What is to be killed, where, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Random: tells this guard's plan from a later one's.
    pub mark: String,
    /// The boot that the time belongs to; nothing outlives it.
    pub boot: String,
    /// When.
    pub until: Moment,
    /// Whether the cluster has agreed to it, or only the lease is still good for so long.
    pub agreed: bool,
    /// Hex of the cluster's id.
    pub cluster: String,
    /// The engine.
    pub docker_host: String,
    /// What never runs a second time, and may therefore go on.
    pub spared: BTreeSet<ContainerId>,
    /// What becomes of an engine that does not kill; none if that is left to itself.
    pub force: Option<Force>,
}

/// The last step: the engine is killed, and what it does not kill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Force {
    /// So long after the time is up everything must be dead.
    pub kill: Duration,
    /// The file with the engine's process id.
    pub pid_file: PathBuf,
    /// The engine's ids of what may run, for an engine that does not say.
    pub known: BTreeSet<String>,
}

/// What a node is told that comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Until when what it left may go on, by the cluster's word; none where only the lease was good.
    pub until: Option<Moment>,
}

/// What is in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No plan: there is nothing to guard.
    Nothing,
    /// A plan that cannot be read.
    Damaged,
    /// A plan.
    Plan(Box<Plan>),
}

impl Plan {
    /// Durably: what a guard reads from now on.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        write_durably(&path(dir), &seal(&self.print()))
    }

    /// Looks into the folder.
    pub fn find(dir: &Path) -> Found {
        match fs::read(path(dir)) {
            Ok(bytes) => {
                unseal(&bytes).and_then(parse).map_or(Found::Damaged, |plan| Found::Plan(Box::new(plan)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
            Err(_) => Found::Damaged,
        }
    }

    /// The plan in the folder; none if there is none, or none that can be read.
    pub fn read(dir: &Path) -> Option<Plan> {
        match Plan::find(dir) {
            Found::Plan(plan) => Some(*plan),
            Found::Nothing | Found::Damaged => None,
        }
    }

    /// Durably: there is nothing to guard (any more).
    pub fn remove(dir: &Path) -> io::Result<()> {
        remove_durably(&path(dir))
    }

    /// The node is back: the guard goes home. What it is told is worth something in the same boot only.
    pub fn dismiss(dir: &Path, boot: &str) -> io::Result<Told> {
        let plan = Plan::read(dir).filter(|plan| plan.boot == boot && plan.agreed);
        Plan::remove(dir)?;
        Ok(Told { until: plan.map(|plan| plan.until) })
    }

    fn print(&self) -> String {
        let Plan { mark, boot, until, agreed, cluster, docker_host, spared, force } = self;
        let ms = until.since_boot().as_millis();
        let head = format!(
            "mark {mark}\nboot {boot}\nuntil {ms}\nagreed {agreed}\ncluster {cluster}\nengine {docker_host}\n"
        );
        let text = spared.iter().fold(head, |text, id| format!("{text}spare {id}\n"));
        text + &force.as_ref().map(Force::print).unwrap_or_default()
    }
}

impl Force {
    fn print(&self) -> String {
        let Force { kill, pid_file, known } = self;
        let head = format!("kill {}\npid {}\n", kill.as_millis(), pid_file.display());
        known.iter().fold(head, |text, id| format!("{text}known {id}\n"))
    }
}

fn path(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

fn parse(text: &str) -> Option<Plan> {
    let known = |line: &str| line.split_once(' ').is_some_and(|(word, _)| WORDS.contains(&word));
    if !text.lines().all(known) {
        return None;
    }
    let all = |word: &'static str| {
        text.lines().filter_map(move |line| line.split_once(' ').filter(|(w, _)| *w == word)).map(|(_, v)| v)
    };
    let one = |word| all(word).next();
    let force = match (one("pid"), one("kill")) {
        (Some(path), Some(ms)) => Some(Force {
            kill: Duration::from_millis(ms.parse().ok()?),
            pid_file: PathBuf::from(path),
            known: all("known").map(str::to_owned).collect(),
        }),
        _ => None,
    };
    Some(Plan {
        mark: one("mark")?.to_owned(),
        boot: one("boot")?.to_owned(),
        until: Moment::after_boot(Duration::from_millis(one("until")?.parse().ok()?)),
        agreed: one("agreed")?.parse().ok()?,
        cluster: one("cluster")?.to_owned(),
        docker_host: one("engine")?.to_owned(),
        spared: all("spare").map(|id| id.parse().ok()).collect::<Option<_>>()?,
        force,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::damage::every_flip;

    pub(in crate::guard) fn plan() -> Plan {
        Plan {
            mark: "m1".to_owned(),
            boot: "boot-1".to_owned(),
            until: Moment::after_boot(Duration::from_millis(1_234)),
            agreed: true,
            cluster: "c0ffee00".to_owned(),
            docker_host: "unix:///a folder/docker.sock".to_owned(),
            spared: [ContainerId([7; 32]), ContainerId([9; 32])].into(),
            force: None,
        }
    }

    pub(in crate::guard) fn force() -> Force {
        let known = ["no-container-of-this-host".to_owned(), "nor-this-one".to_owned()].into();
        Force { kill: Duration::from_secs(5), pid_file: PathBuf::from("/a folder/docker.pid"), known }
    }

    #[test]
    fn a_plan_reads_back_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Plan::read(dir.path()), None);
        for plan in [plan(), Plan { force: Some(force()), ..plan() }] {
            plan.write(dir.path()).unwrap();
            assert_eq!(Plan::read(dir.path()), Some(plan));
        }
    }

    #[test]
    fn who_comes_back_is_told_how_long_what_it_left_may_go_on_and_the_plan_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        plan().write(dir.path()).unwrap();
        let until = Some(plan().until);
        assert_eq!(Plan::dismiss(dir.path(), "boot-1").unwrap(), Told { until });
        assert_eq!(Plan::dismiss(dir.path(), "boot-1").unwrap(), Told { until: None });
    }

    #[test]
    fn a_plan_of_another_boot_or_one_that_the_cluster_has_not_agreed_to_says_nothing() {
        let dir = tempfile::tempdir().unwrap();
        plan().write(dir.path()).unwrap();
        assert_eq!(Plan::dismiss(dir.path(), "boot-2").unwrap(), Told { until: None });
        Plan { agreed: false, ..plan() }.write(dir.path()).unwrap();
        assert_eq!(Plan::dismiss(dir.path(), "boot-1").unwrap(), Told { until: None });
    }

    #[test]
    fn no_damage_to_a_plan_makes_another_plan_or_none_of_it() {
        let dir = tempfile::tempdir().unwrap();
        plan().write(dir.path()).unwrap();
        let whole = fs::read(path(dir.path())).unwrap();
        for (bit, flipped) in every_flip(&whole) {
            fs::write(path(dir.path()), flipped).unwrap();
            assert_eq!(Plan::find(dir.path()), Found::Damaged, "bit {bit}");
        }
        fs::write(path(dir.path()), plan().print()).unwrap();
        assert_eq!(Plan::read(dir.path()), Some(plan()), "written by an earlier version");
    }
}
