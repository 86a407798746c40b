//! What an operator does to nodes and to the cluster: drains, removes, recovers, backs up, and looks after a blackout.

use std::fs;
use std::path::Path;

use pinode_jepsen::Testbed;
use pinode_jepsen::program::Printed;
use pinode_jepsen::testbed::await_true;
use serde_json::{Value, json};

use crate::world::{SOON, await_state, shell, shell_after, three};

/// `pinode` with words that must be accepted; what it prints.
fn pinode(bed: &Testbed, nodes: &[usize], words: &[&str]) -> String {
    let Printed { code, out, err } = bed.program(nodes).run(words).unwrap();
    assert_eq!(code, 0, "pinode {}: {out}{err}", words.join(" "));
    out
}

/// `pinode` with words that must be refused; the sentence.
fn refused(bed: &Testbed, nodes: &[usize], words: &[&str]) -> String {
    let Printed { code, out, err } = bed.program(nodes).run(words).unwrap();
    assert_eq!(code, 1, "pinode {}: {out}{err}", words.join(" "));
    err
}

fn status(bed: &Testbed, k: usize) -> Value {
    bed.client(k).status().unwrap()
}

fn members(bed: &Testbed, k: usize) -> Vec<String> {
    let all = status(bed, k)["members"].as_array().unwrap().clone();
    all.iter().map(|member| member["name"].as_str().unwrap().to_owned()).collect()
}

fn on(mut spec: Value, node: &str) -> Value {
    spec["constraints"] = json!([format!("node==~{node}")]);
    spec
}

fn wipe(bed: &Testbed, k: usize) {
    fs::remove_dir_all(bed.data_dir(k)).unwrap();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_drained_node_s_work_goes_elsewhere_and_the_node_can_be_removed_for_good() {
    let bed = three();
    let client = bed.client(1);
    let ends_well = on(shell("long", "trap 'exit 0' TERM; sleep 4 & wait; exit 0"), "n3");
    client.submit(&ends_well).unwrap();
    await_state(&client, "long", &["running"]);
    assert!(refused(&bed, &[1], &["node", "rm", "n3"]).contains("pinode node drain n3 --now"));
    pinode(&bed, &[2], &["node", "drain", "n3", "--now", "--wait"]);
    let ended = client.wait("long").unwrap();
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let long = client.container("long").unwrap();
    // It answered the signal with 0, and that is no success.
    assert_eq!(long["attempt"], 2, "{long:#}");
    assert!(long["attempts"][0]["end"].as_str().unwrap().contains("drained"), "{long:#}");
    assert_ne!(long["node"], "n3", "{long:#}");
    assert!(pinode(&bed, &[1], &["nodes"]).contains("draining: by an operator since"));
    assert!(pinode(&bed, &[1], &["status"]).contains("n3 is draining"));
    client.submit(&on(shell("new", "true"), "n3")).unwrap();
    assert_eq!(client.wait("new").unwrap()["state"], "succeeded");
    assert_ne!(client.container("new").unwrap()["node"], "n3");
    bed.kill_node(3).unwrap();
    pinode(&bed, &[1], &["node", "rm", "--force", "n3"]);
    await_true(SOON, || members(&bed, 1) == ["n1", "n2"] || members(&bed, 1) == ["n2", "n1"]).unwrap();
    // Its old disk comes back and is refused; it ends, and says what to do.
    drop(bed.start_node(3));
    await_true(SOON, || bed.pid(3).is_err()).unwrap();
    assert!(bed.log(3).contains("empty --data-dir"), "{}", bed.log(3));
    // The machine comes back with an empty one, under its name.
    wipe(&bed, 3);
    bed.start_node(3).unwrap();
    bed.await_whole().unwrap();
}

#[test]
fn a_cluster_of_which_two_disks_are_gone_is_recovered_from_the_third_and_its_work_goes_on() {
    let bed = three();
    let client = bed.client(3);
    client.submit(&on(shell("split", "sleep 2"), "n3")).unwrap();
    client.submit(&shell_after("merge", "true", "container==split,approval")).unwrap();
    assert_eq!(client.wait("split").unwrap()["state"], "succeeded");
    let dir = bed.data_dir(3);
    let recover = ["recover", "--data-dir", text(&dir)];
    assert!(refused(&bed, &[3], &recover).contains("in use"), "it runs");
    let old = status(&bed, 3)["cluster_id"].clone();
    bed.all().for_each(|k| bed.kill_node(k).unwrap());
    wipe(&bed, 1);
    let asked = bed.program(&[3]).run(&recover).unwrap();
    assert!(asked.code == 1 && asked.err.contains("--yes"), "{asked:?}");
    assert!(asked.out.contains("n3 will vote alone; dropped: n1, n2"), "{}", asked.out);
    pinode(&bed, &[3], &[&recover[..], &["--yes"]].concat());
    bed.start_node(3).unwrap();
    bed.await_up(3, &[3]).unwrap();
    assert_eq!(client.container("merge").unwrap()["state"], "blocked");
    assert_ne!(status(&bed, 3)["cluster_id"], old);
    // The second disk is of the old cluster; it finds nobody there.
    drop(bed.start_node(2));
    await_true(SOON, || bed.log(2).contains("recovered or restored")).unwrap();
    bed.kill_node(2).unwrap();
    wipe(&bed, 2);
    bed.start_nodes().unwrap();
    bed.client(1).submit(&shell("approval", "true")).unwrap();
    assert_eq!(bed.client(2).wait("merge").unwrap()["state"], "succeeded");
}

#[test]
fn a_backup_of_a_cluster_that_is_gone_is_restored_and_what_was_blocked_runs() {
    let bed = three();
    bed.client(1).submit(&shell("done", "true")).unwrap();
    assert_eq!(bed.client(1).wait("done").unwrap()["state"], "succeeded");
    bed.client(1).submit(&shell("runs", "sleep 300")).unwrap();
    bed.client(1).submit(&shell_after("waits", "true", "container==done,approval")).unwrap();
    await_state(&bed.client(1), "runs", &["running"]);
    let file = bed.folder().join("cluster.backup");
    assert!(pinode(&bed, &[2], &["backup", text(&file)]).contains("blocked    1"));
    for k in bed.all() {
        bed.kill_node(k).unwrap();
        wipe(&bed, k);
    }
    let dir = bed.data_dir(1);
    assert!(pinode(&bed, &[1], &["restore", text(&file), "--data-dir", text(&dir)]).contains("ready      1"));
    assert!(refused(&bed, &[1], &["restore", text(&file), "--data-dir", text(&dir)]).contains("not empty"));
    bed.start_node(1).unwrap();
    bed.await_up(1, &[1]).unwrap();
    bed.start_nodes().unwrap();
    // What ran has lost its node, and no engine still runs what the old cluster had started.
    let again = await_state(&bed.client(2), "runs", &["running"]);
    assert_eq!(again["attempt"], 2, "{again:#}");
    let running = |k: usize| bed.docker(k, &["ps", "-q"]).unwrap().lines().count();
    await_true(SOON, || bed.all().map(running).sum::<usize>() == 1).unwrap();
    bed.client(3).submit(&shell("approval", "true")).unwrap();
    assert_eq!(bed.client(3).wait("waits").unwrap()["state"], "succeeded");
}

#[test]
fn after_all_lost_power_the_status_says_what_ran_what_runs_again_and_what_waits() {
    let bed = three();
    bed.client(1).submit(&shell("long", "sleep 3")).unwrap();
    bed.client(1).submit(&shell_after("waits", "true", "container==nobody")).unwrap();
    await_state(&bed.client(1), "long", &["running"]);
    bed.all().for_each(|k| bed.cut(k).unwrap());
    bed.all().for_each(|k| bed.power(k).unwrap());
    bed.start_nodes().unwrap();
    await_true(SOON, || !status(&bed, 2)["blackout"].is_null()).unwrap();
    assert_eq!(bed.client(3).wait("long").unwrap()["state"], "succeeded");
    let seen = pinode(&bed, &[1], &["status"]);
    assert!(seen.contains("all nodes were without power"), "{seen}");
    assert!(seen.contains("ran      long was run again, and has succeeded"), "{seen}");
    assert!(seen.contains("waits    waits for nobody"), "{seen}");
    assert!(bed.all().any(|k| bed.log(k).contains("all nodes were without power")));
}
