//! A container that waits is a container: it can be listed, explained, waited for, followed, stopped and removed.

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use crate::world::{await_state, shell, shell_after, states, three};

#[test]
fn what_waits_is_shown_and_explained() {
    let bed = three();
    let client = bed.client(1);
    let reply = client.submit(&shell_after("merge", "true", "container==encode*")).unwrap();
    let warnings = reply["warnings"].to_string();
    assert!(warnings.contains("encode*") && warnings.contains("nothing"), "{warnings}");
    let ps = bed.program(&[2]).run(&["ps"]).unwrap();
    assert!(ps.out.contains("merge") && ps.out.contains("encode*"), "{ps:?}");
    let why = bed.program(&[3]).run(&["why", "merge"]).unwrap();
    assert!(why.out.contains("encode*") && why.out.contains("nothing"), "{why:?}");
}

#[test]
fn logs_and_wait_of_a_blocked_container_begin_now_and_end_with_it() {
    let bed = three();
    bed.client(1).submit(&shell_after("late", "echo here I am; exit 5", "container==early")).unwrap();
    let program = bed.program(&[2]);
    let mut logs = program.command(&["logs", "-f", "late"]);
    let logs = logs.stdout(Stdio::piped()).spawn().unwrap();
    let mut wait = program.command(&["wait", "late"]);
    let wait = wait.stdout(Stdio::piped()).spawn().unwrap();
    // Both ask while nothing has happened yet.
    sleep(Duration::from_millis(500));
    bed.client(3).submit(&shell("early", "true")).unwrap();
    let logs = logs.wait_with_output().unwrap();
    assert_eq!(
        (String::from_utf8_lossy(&logs.stdout).as_ref(), logs.status.code()),
        ("here I am\n", Some(0))
    );
    let wait = wait.wait_with_output().unwrap();
    assert_eq!((String::from_utf8_lossy(&wait.stdout).as_ref(), wait.status.code()), ("5\n", Some(5)));
}

#[test]
fn a_removed_waiter_never_runs() {
    let bed = three();
    let client = bed.client(1);
    client.submit(&shell("gate", "sleep 2")).unwrap();
    client.submit(&shell_after("never", "true", "container==gate")).unwrap();
    assert_eq!(client.delete("/api/v1/containers/never").unwrap().status, 204);
    client.wait("gate").unwrap();
    client.submit(&shell_after("after", "true", "container==gate")).unwrap();
    client.wait("after").unwrap();
    assert_eq!(states(&client).len(), 2);
    for k in bed.all() {
        assert_eq!(bed.docker(k, &["ps", "-aq", "--filter", "label=pinode.name=never"]).unwrap(), "");
    }
}

#[test]
fn a_stop_cancels_keeps_the_code_and_skips_who_wanted_a_success() {
    let bed = three();
    let client = bed.client(1);
    client.submit(&shell("service", "trap 'exit 3' TERM; while :; do sleep 0.1; done")).unwrap();
    client.submit(&shell_after("wanted", "true", "container==service")).unwrap();
    client.submit(&shell_after("ended", "true", "exited==service")).unwrap();
    await_state(&client, "service", &["running"]);
    assert_eq!(bed.program(&[2]).run(&["stop", "service"]).unwrap().code, 0);
    let stopped = client.wait("service").unwrap();
    assert_eq!((&stopped["state"], &stopped["exit_code"]), (&json!("cancelled"), &json!(3)));
    assert_eq!(client.wait("wanted").unwrap()["state"], "skipped");
    assert_eq!(client.wait("ended").unwrap()["state"], "succeeded");
}

#[test]
fn health_and_start_release_what_waits_for_them() {
    let bed = three();
    let client = bed.client(2);
    let mut database = shell("database", "sleep 2; touch /tmp/ready; sleep 600");
    database["health"] =
        json!({"test": ["CMD", "test", "-e", "/tmp/ready"], "interval": "1s", "retries": 60});
    client.submit(&shell_after("on-start", "true", "started==database")).unwrap();
    client.submit(&shell_after("on-health", "true", "healthy==database")).unwrap();
    client.submit(&database).unwrap();
    assert_eq!(client.wait("on-start").unwrap()["state"], "succeeded");
    assert_eq!(client.wait("on-health").unwrap()["state"], "succeeded");
    let start = crate::world::moment(&client.container("on-start").unwrap(), "started_at");
    let health = crate::world::moment(&client.container("on-health").unwrap(), "started_at");
    assert!(start < health, "{start} {health}");
    assert_eq!(client.container("database").unwrap()["state"], "running");
}

#[test]
fn the_same_request_twice_is_one_container() {
    let bed = three();
    let body = shell("once", "true");
    let first = bed.client(1).post_as("key-1", "/api/v1/containers", &body).unwrap();
    let second = bed.client(2).post_as("key-1", "/api/v1/containers", &body).unwrap();
    assert_eq!((first.status, &first.body["id"]), (201, &second.body["id"]));
    let other = bed.client(3).post_as("key-1", "/api/v1/containers", &shell("another", "true")).unwrap();
    assert_eq!(other.status, 409, "{other:?}");
    assert_eq!(states(&bed.client(1)).len(), 1);
}
