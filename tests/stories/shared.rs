//! The shared folder: what one node's container writes there, another's reads.

use serde_json::{Value, json};

use crate::world::{shell, shell_after, three};

fn on(node: &str, mut spec: Value) -> Value {
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
