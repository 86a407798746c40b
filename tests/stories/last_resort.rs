//! An engine that hangs does not keep alive what must be dead.

use std::path::Path;
use std::time::Duration;

use pinode_jepsen::Testbed;
use pinode_jepsen::testbed::{Options, await_true};
use serde_json::json;

use crate::world::{await_state, shell, start_with};

#[test]
fn what_is_fenced_is_dead_in_time_though_its_engine_hangs() {
    let pinode = Path::new(env!("CARGO_BIN_EXE_pinode"));
    let bed = Testbed::up(&Options::STORY, pinode).unwrap();
    for k in bed.all() {
        let engine = bed.machine(k).join("docker.pid").display().to_string();
        start_with(&bed, k, pinode, &[("PINODE_FENCE_ENGINE", &engine)]);
    }
    bed.await_whole().unwrap();
    let client = bed.client(3);
    let mut long = shell("long", "sleep 300");
    long["constraints"] = json!(["node==n3"]);
    client.submit(&long).unwrap();
    await_state(&client, "long", &["running"]);
    let pid = bed.docker(3, &["inspect", "--format", "{{.State.Pid}}", &name(&bed)]).unwrap();
    let lives = || bed.exec(3, &["kill", "-0", pid.trim()]).is_ok();
    assert!(lives());
    let engine = std::fs::read_to_string(bed.machine(3).join("docker.pid")).unwrap();
    // `docker.pid` holds the engine's number on the machine, or `recorded` its number here: only the first word counts.
    let engine_here = engine.split_whitespace().next().unwrap().to_owned();
    bed.exec(3, &["kill", "-STOP", &engine_here]).unwrap();
    for k in [1, 2] {
        bed.kill_node(k).unwrap();
    }
    // The stories' lease is 3 s, and a fence has half of that.
    await_true(Duration::from_secs(15), || !lives()).unwrap();
    assert!(bed.log(3).contains("killing it, and them"), "{}", bed.log(3));
}

fn name(bed: &Testbed) -> String {
    bed.docker(3, &["ps", "--quiet", "--no-trunc"]).unwrap().trim().to_owned()
}
