//! A node that is stopped means to come back: its containers go on without it, for a while.

use std::path::Path;
use std::time::{Duration, Instant};

use pinode_jepsen::Testbed;
use pinode_jepsen::testbed::{Options, await_true};
use serde_json::{Value, json};

use crate::world::{SOON, await_state, long_runs_on, moment, shell, three};

/// A node is gone so long after it was told to stop.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// What node 1 thinks of node `k`.
fn state_of(bed: &Testbed, k: usize) -> Value {
    let nodes = bed.client(1).get("/api/v1/nodes").unwrap().body;
    let found = nodes.as_array().unwrap().iter().find(|node| node["name"] == format!("n{k}")).cloned();
    found.unwrap()["state"].clone()
}

fn running_on(bed: &Testbed, k: usize) -> String {
    bed.docker(k, &["ps", "--quiet", "--no-trunc"]).unwrap().trim().to_owned()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the contract is about the clock of the host")]
fn an_upgrade_restarts_no_container() {
    let bed = three();
    let client = bed.client(1);
    long_runs_on(&bed, 2, "sleep 20; exit 7");
    let before = running_on(&bed, 2);
    assert_eq!(before.len(), 64, "one container: {before}");
    let told = Instant::now();
    bed.stop_node(2).unwrap();
    assert!(told.elapsed() < GONE_WITHIN, "{:?}", told.elapsed());
    assert_eq!(state_of(&bed, 2), "away");
    // Longer than a node that says nothing is waited for, with the stories' lease.
    std::thread::sleep(Duration::from_secs(9));
    assert_eq!(running_on(&bed, 2), before);
    client.submit(&shell("meanwhile", "true")).unwrap();
    assert_ne!(client.wait("meanwhile").unwrap()["node"], "n2");
    bed.start_node(2).unwrap();
    await_true(SOON, || state_of(&bed, 2) == "up").unwrap();
    assert_eq!(running_on(&bed, 2), before);
    client.wait("long").unwrap();
    let ended = client.container("long").unwrap();
    assert_eq!(
        (&ended["state"], &ended["exit_code"], &ended["attempt"]),
        (&json!("failed"), &json!(7), &json!(1))
    );
}

#[test]
fn what_a_node_left_that_does_not_come_back_is_dead_before_it_runs_elsewhere() {
    let bed = Testbed::up(&Options::STORY, Path::new(env!("CARGO_BIN_EXE_pinode"))).unwrap();
    for k in bed.all() {
        crate::world::start_with(&bed, k, Path::new(env!("CARGO_BIN_EXE_pinode")), &[("PINODE_AWAY", "5s")]);
    }
    bed.await_whole().unwrap();
    let client = bed.client(1);
    let mut long = shell("long", "sleep 300");
    long["constraints"] = json!(["node==~n3"]);
    client.submit(&long).unwrap();
    assert_eq!(await_state(&client, "long", &["running"])["node"], "n3");
    let first = running_on(&bed, 3);
    bed.stop_node(3).unwrap();
    assert_eq!(running_on(&bed, 3), first, "it goes on");
    let moved =
        || client.container("long").is_ok_and(|long| long["attempt"] == 2 && long["state"] == "running");
    await_true(SOON, moved).unwrap();
    assert_eq!(running_on(&bed, 3), "");
    let ended = bed.docker(3, &["inspect", "--format", "{{.State.FinishedAt}}", &first]).unwrap();
    let ended = json!({"finished_at": ended.trim()});
    let again = client.container("long").unwrap();
    assert_ne!(again["node"], "n3");
    assert!(moment(&ended, "finished_at") < moment(&again, "started_at"), "{ended} {again}");
}

#[test]
fn who_is_back_and_then_loses_the_others_does_not_go_on_until_its_grace_is_over() {
    let bed = three();
    long_runs_on(&bed, 3, "sleep 300");
    let first = running_on(&bed, 3);
    bed.stop_node(3).unwrap();
    bed.start_node(3).unwrap();
    await_true(SOON, || state_of(&bed, 3) == "up").unwrap();
    assert_eq!(running_on(&bed, 3), first);
    for k in [1, 2] {
        bed.kill_node(k).unwrap();
    }
    // It may have been away for five minutes; its lease is a few seconds.
    await_true(SOON, || running_on(&bed, 3).is_empty()).unwrap();
}
