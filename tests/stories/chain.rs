//! Work that waits for other work, over all nodes.

use pinode_jepsen::testbed::await_true;
use serde_json::json;

use crate::world::{SOON, await_state, moment, shell, shell_after, states, three};

#[test]
fn a_chain_runs_in_order_whichever_node_took_each_link() {
    let bed = three();
    for link in (0..6_usize).rev() {
        // Last first: each waits for a name that does not exist yet.
        let client = bed.client(link % 3 + 1);
        let spec = match link {
            0 => shell("link0", "true"),
            _ => shell_after(&format!("link{link}"), "true", &format!("container==link{}", link - 1)),
        };
        client.submit(&spec).unwrap();
    }
    assert_eq!(bed.client(2).wait("link5").unwrap()["exit_code"], 0);
    let all: Vec<_> = (0..6).map(|link| bed.client(1).container(&format!("link{link}")).unwrap()).collect();
    for pair in all.windows(2) {
        assert!(moment(&pair[0], "finished_at") <= moment(&pair[1], "started_at"), "{pair:#?}");
        assert_eq!(pair[1]["attempt"], 1);
    }
}

#[test]
fn a_fan_in_by_pattern_starts_after_the_last_and_uses_every_node() {
    let bed = three();
    let client = bed.client(1);
    client.submit(&shell_after("merge", "true", "container==encode*,count=6")).unwrap();
    for part in 0..6 {
        client.submit(&shell(&format!("encode{part}"), "sleep 1")).unwrap();
    }
    assert_eq!(client.wait("merge").unwrap()["state"], "succeeded");
    let merge = client.container("merge").unwrap();
    let encoders: Vec<_> = (0..6).map(|part| client.container(&format!("encode{part}")).unwrap()).collect();
    for encoder in &encoders {
        assert!(moment(encoder, "finished_at") <= moment(&merge, "started_at"), "{encoder:#}");
    }
    for node in ["n1", "n2", "n3"] {
        assert_eq!(encoders.iter().filter(|encoder| encoder["node"] == node).count(), 2, "on {node}");
    }
}

#[test]
fn a_failure_skips_what_waits_for_it_and_a_retry_revives_both() {
    let bed = three();
    let client = bed.client(3);
    let fails_once = "[ $PINODE_ATTEMPT -gt 1 ] || exit 7";
    client.submit(&shell("split", fails_once)).unwrap();
    client.submit(&shell_after("encode", "true", "container==split")).unwrap();
    client.submit(&shell_after("merge", "true", "container==encode")).unwrap();
    let merge = client.wait("merge").unwrap();
    assert_eq!((&merge["state"], &merge["exit_code"]), (&json!("skipped"), &json!(125)));
    let cause = client.container("merge").unwrap()["cause"].as_str().unwrap().to_owned();
    assert!(cause.contains("encode") && cause.contains("split") && cause.contains('7'), "{cause}");
    assert_eq!(client.post_text("/api/v1/containers/split/retry", "").unwrap().status, 204);
    assert_eq!(await_state(&client, "merge", &["succeeded"])["attempt"], 1);
    assert_eq!(client.container("split").unwrap()["attempt"], 2);
}

#[test]
fn a_hundred_dependents_of_one_container_start_once_each() {
    dependents_start_once_each(100);
}

#[test]
#[ignore = "takes minutes: cargo test --test stories -- --ignored --test-threads=1 a_thousand_dependents"]
fn a_thousand_dependents_of_one_container_start_once_each() {
    dependents_start_once_each(1000);
}

fn dependents_start_once_each(count: usize) {
    let bed = three();
    let client = bed.client(2);
    client.submit(&shell("gate", "sleep 3")).unwrap();
    let dependents: Vec<_> =
        (0..count).map(|k| shell_after(&format!("d{k}"), "true", "container==gate")).collect();
    // One by one would take a while; as pipelines of a hundred they are refused or accepted together.
    for (k, chunk) in dependents.chunks(100).enumerate() {
        let body = json!({"name": format!("p{k}"), "containers": chunk});
        assert_eq!(client.post("/api/v1/pipelines", &body).unwrap().status, 201);
    }
    let succeeded = || states(&client).iter().filter(|(_, state)| state == "succeeded").count();
    await_true(10 * SOON, || succeeded() == count + 1).unwrap();
    for container in client.containers_here().unwrap() {
        assert_eq!(container["attempt"], 1, "{container:#}");
    }
    let made: usize = bed.all().map(|k| bed.docker(k, &["ps", "-aq"]).unwrap().lines().count()).sum();
    assert!(made <= count + 1, "{made} Docker containers");
}
