//! What a guard is to do, as a file in the node's folder: as long as it is there with the guard's own mark, the node is
//! not back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use pinode_raft::{remove_durably, write_durably};
use pinode_scheduler::ContainerId;

use crate::clock::Moment;

const FILE: &str = "guard";

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
}

/// What a node is told that comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Until when what it left may go on, by the cluster's word; none where only the lease was good.
    pub until: Option<Moment>,
}

impl Plan {
    /// Durably: what a guard reads from now on.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        write_durably(&path(dir), self.print().as_bytes())
    }

    /// The plan in the folder; none if there is none, or none that can be read.
    pub fn read(dir: &Path) -> Option<Plan> {
        parse(&fs::read_to_string(path(dir)).ok()?)
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
        let Plan { mark, boot, until, agreed, cluster, docker_host, spared } = self;
        let ms = until.since_boot().as_millis();
        let head = format!(
            "mark {mark}\nboot {boot}\nuntil {ms}\nagreed {agreed}\ncluster {cluster}\nengine {docker_host}\n"
        );
        spared.iter().fold(head, |text, id| format!("{text}spare {id}\n"))
    }
}

fn path(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

fn parse(text: &str) -> Option<Plan> {
    let all = |word: &'static str| {
        text.lines().filter_map(move |line| line.split_once(' ').filter(|(w, _)| *w == word)).map(|(_, v)| v)
    };
    let one = |word| all(word).next();
    Some(Plan {
        mark: one("mark")?.to_owned(),
        boot: one("boot")?.to_owned(),
        until: Moment::after_boot(Duration::from_millis(one("until")?.parse().ok()?)),
        agreed: one("agreed")?.parse().ok()?,
        cluster: one("cluster")?.to_owned(),
        docker_host: one("engine")?.to_owned(),
        spared: all("spare").map(|id| id.parse().ok()).collect::<Option<_>>()?,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::guard) fn plan() -> Plan {
        Plan {
            mark: "m1".to_owned(),
            boot: "boot-1".to_owned(),
            until: Moment::after_boot(Duration::from_millis(1_234)),
            agreed: true,
            cluster: "c0ffee00".to_owned(),
            docker_host: "unix:///a folder/docker.sock".to_owned(),
            spared: [ContainerId([7; 32]), ContainerId([9; 32])].into(),
        }
    }

    #[test]
    fn a_plan_reads_back_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Plan::read(dir.path()), None);
        plan().write(dir.path()).unwrap();
        assert_eq!(Plan::read(dir.path()), Some(plan()));
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
}
