//! The shared folder: what one node's container writes there, another's reads.

use std::path::Path;

use pinode_jepsen::Testbed;
use pinode_jepsen::testbed::{Options, await_true};
use serde_json::{Value, json};

use crate::world::{SOON, await_state, shell, shell_after, three};

/// The same container on `node`, with the shared volume `uploads`.
pub(crate) fn on(node: &str, mut spec: Value) -> Value {
    spec["constraints"] = json!([format!("node=={node}")]);
    spec["volumes"] = json!(["uploads:/uploads"]);
    spec["volume_driver"] = json!("glusterfs");
    spec
}

#[test]
fn a_volume_of_the_shared_folder_is_the_same_on_every_node() {
    let bed = three();
    let client = bed.client(1);
    client.submit(&on("n1", shell("write", "echo film > /uploads/a"))).unwrap();
    client.submit(&on("n3", shell_after("read", "grep film /uploads/a", "container==write"))).unwrap();
    assert_eq!(client.wait("read").unwrap()["state"], "succeeded");
    assert_eq!(std::fs::read_to_string(bed.shared_dir().join("uploads/a")).unwrap(), "film\n");
}

#[test]
fn a_local_named_volume_pins_its_users_to_one_node() {
    let bed = three();
    let client = bed.client(2);
    let local = |mut spec: Value| {
        spec["volumes"] = json!(["counter:/data"]);
        spec
    };
    for k in 0..4 {
        client.submit(&local(shell(&format!("c{k}"), "echo x >> /data/a; wc -l < /data/a"))).unwrap();
        client.wait(&format!("c{k}")).unwrap();
    }
    let printed = bed.program(&[3]).run(&["logs", "c3"]).unwrap();
    assert_eq!(printed.out.trim(), "4", "{printed:?}");
}

#[test]
fn a_node_that_does_not_see_the_shared_folder_claims_nothing_that_needs_it_and_why_says_so() {
    let bed = Testbed::up(&Options::STORY, Path::new(env!("CARGO_BIN_EXE_pinode"))).unwrap();
    let shared = bed.shared_dir();
    // As where the mount is missing: there is a folder, and it is the machine's own.
    bed.exec(3, &["mount", "-t", "tmpfs", "tmpfs", shared.to_str().unwrap()]).unwrap();
    bed.start_nodes().unwrap();
    let client = bed.client(1);
    client.submit(&on("n3", shell("here", "echo lost > /uploads/here"))).unwrap();
    for k in 0..4 {
        let mut anywhere = on("n3", shell(&format!("any{k}"), "true"));
        anywhere.as_object_mut().unwrap().remove("constraints");
        client.submit(&anywhere).unwrap();
        client.wait(&format!("any{k}")).unwrap();
        let ended = client.container(&format!("any{k}")).unwrap();
        assert_eq!((&ended["state"] == "succeeded", &ended["node"] == "n3"), (true, false), "{ended:#}");
    }
    await_state(&client, "here", &["ready"]);
    let why = client.get("/api/v1/containers/here/why").unwrap().body.to_string();
    assert!(why.contains("does not see the shared folder"), "{why}");
    assert_eq!(bed.exec(3, &["ls", shared.to_str().unwrap()]).unwrap(), "");
    // What needs no shared folder runs there all the same.
    let mut plain = shell("plain", "true");
    plain["constraints"] = json!(["node==n3"]);
    client.submit(&plain).unwrap();
    assert_eq!(client.wait("plain").unwrap()["state"], "succeeded");
    // The mount comes late: no restart is needed.
    bed.exec(3, &["umount", shared.to_str().unwrap()]).unwrap();
    client.wait("here").unwrap();
    let ended = client.container("here").unwrap();
    assert_eq!((&ended["state"] == "succeeded", &ended["node"] == "n3"), (true, true), "{ended:#}");
    assert_eq!(bed.exec(1, &["cat", &format!("{}/uploads/here", shared.display())]).unwrap(), "lost\n");
    // It goes, while pinode runs there.
    bed.exec(3, &["mount", "-t", "tmpfs", "tmpfs", shared.to_str().unwrap()]).unwrap();
    await_true(SOON, || bed.client(1).status().unwrap()["shared_odd"] == json!(["n3"])).unwrap();
    client.submit(&on("n3", shell("gone", "echo lost > /uploads/gone"))).unwrap();
    await_state(&client, "gone", &["ready"]);
    assert_eq!(bed.exec(3, &["ls", shared.to_str().unwrap()]).unwrap(), "");
}
