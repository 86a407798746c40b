//! An engine that hangs does not keep alive what must be dead.

use std::path::Path;
use std::time::Duration;

use pinode_jepsen::Testbed;
use pinode_jepsen::testbed::{Options, await_true};
use rustix::process::{Pid, Signal, kill_process};

use crate::world::{long_runs_on, start_with};

#[test]
fn what_is_fenced_is_dead_in_time_though_its_engine_hangs() {
    let hung = Hung::with(&[]);
    let bed = &hung.bed;
    for k in [1, 2] {
        bed.kill_node(k).unwrap();
    }
    // The stories' lease is 3 s, and a fence has half of that.
    await_true(Duration::from_secs(15), || !hung.lives()).unwrap();
    assert!(bed.log(3).contains("killing it, and them"), "{}", bed.log(3));
}

#[test]
fn what_a_node_left_under_a_guard_is_dead_in_time_though_its_engine_hangs() {
    let hung = Hung::with(&[("PINODE_AWAY", "5s")]);
    hung.bed.stop_node(3).unwrap();
    assert!(hung.lives(), "it goes on under a guard");
    await_true(Duration::from_secs(15), || !hung.lives()).unwrap();
    assert!(hung.bed.log(3).contains("killing it, and them"), "{}", hung.bed.log(3));
}

/// Three nodes, a container on the third, and its engine there hangs.
struct Hung {
    _goes_on: GoesOn,
    bed: Testbed,
    /// Of the container's program.
    pid: String,
}

impl Hung {
    fn with(settings: &[(&str, &str)]) -> Hung {
        let pinode = Path::new(env!("CARGO_BIN_EXE_pinode"));
        let bed = Testbed::up(&Options::STORY, pinode).unwrap();
        for k in bed.all() {
            let engine = bed.machine(k).join("docker.pid").display().to_string();
            let settings = [settings, &[("PINODE_FENCE_ENGINE", &engine)]].concat();
            start_with(&bed, k, pinode, &settings);
        }
        bed.await_whole().unwrap();
        long_runs_on(&bed, 3, "sleep 300");
        let pid = bed.docker(3, &["inspect", "--format", "{{.State.Pid}}", &name(&bed)]).unwrap();
        let engine = std::fs::read_to_string(bed.machine(3).join("docker.pid")).unwrap();
        let hung = Hung { _goes_on: GoesOn(parent_of_engine(&bed)), bed, pid: pid.trim().to_owned() };
        assert!(hung.lives());
        hung.bed.exec(3, &["kill", "-STOP", engine.trim()]).unwrap();
        hung
    }

    fn lives(&self) -> bool {
        self.bed.exec(3, &["kill", "-0", &self.pid]).is_ok()
    }
}

/// Who started the engine stops when the engine does, and would keep it as a zombie, and the machine with it.
struct GoesOn(Pid);

impl Drop for GoesOn {
    fn drop(&mut self) {
        if let Err(error) = kill_process(self.0, Signal::CONT) {
            eprintln!("let the engine's parent go on: {error}");
        }
    }
}

fn parent_of_engine(bed: &Testbed) -> Pid {
    let record = std::fs::read_to_string(bed.machine(3).join("dockerd.pid")).unwrap();
    let engine = record.split_whitespace().next().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{engine}/status")).unwrap();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap();
    Pid::from_raw(parent.trim().parse().unwrap()).unwrap()
}

fn name(bed: &Testbed) -> String {
    bed.docker(3, &["ps", "--quiet", "--no-trunc"]).unwrap().trim().to_owned()
}
