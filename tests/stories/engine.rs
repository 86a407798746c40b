//! A Docker Engine that is away is a node's illness, not the work's.

use pinode_jepsen::testbed::await_true;
use serde_json::json;

use crate::world::{SOON, long_runs_on, shell, three};

#[test]
fn work_goes_around_a_node_whose_engine_is_away_until_it_is_back() {
    let bed = three();
    let client = bed.client(1);
    bed.kill_engine(2).unwrap();
    let state_of_n2 = || {
        let nodes = client.get("/api/v1/nodes").unwrap().body;
        nodes.as_array().unwrap().iter().find(|node| node["name"] == "n2").cloned().unwrap()
    };
    await_true(SOON, || state_of_n2()["state"] == "ailing").unwrap();
    let problems = state_of_n2()["problems"].to_string();
    assert!(problems.contains("engine") || problems.contains("Engine"), "{problems}");
    for k in 0..6 {
        client.submit(&shell(&format!("c{k}"), "true")).unwrap();
        client.wait(&format!("c{k}")).unwrap();
        assert_ne!(client.container(&format!("c{k}")).unwrap()["node"], "n2");
    }
    let mut here = shell("here", "true");
    here["constraints"] = json!(["node==n2"]);
    client.submit(&here).unwrap();
    let why = client.get("/api/v1/containers/here/why").unwrap().body.to_string();
    assert!(why.contains("ngine"), "{why}");
    bed.start_engine(2).unwrap();
    assert_eq!(client.wait("here").unwrap()["state"], "succeeded");
}

#[test]
fn a_container_outlives_its_engine_and_its_end_counts() {
    let bed = three();
    let client = bed.client(1);
    long_runs_on(&bed, 2, "sleep 4");
    bed.kill_engine(2).unwrap();
    bed.start_engine(2).unwrap();
    let ended = client.wait("long").unwrap();
    assert_eq!(ended["state"], "succeeded", "{ended}");
    assert_eq!(client.container("long").unwrap()["attempt"], 1);
}
