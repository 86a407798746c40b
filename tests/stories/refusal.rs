//! Bad input is refused at the door, with a sentence that names the thing, and leaves nothing behind.

use pinode_jepsen::{Answer, Client, Testbed};
use serde_json::{Value, json};

use crate::world::{await_state, shell, shell_after, states, three};

const CONTAINERS: &str = "/api/v1/containers";

/// A refusal says what, why and where, and nothing exists afterwards.
fn refused(answer: &Answer, status: u16, words: &[&str], field: Option<&str>) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(!answer.code().is_empty(), "{answer:?}");
    for word in words {
        assert!(answer.message().contains(word), "`{word}` is missing: {answer:?}");
    }
    if let Some(field) = field {
        assert_eq!(answer.body["error"]["field"], field, "{answer:?}");
    }
}

fn nothing_exists(bed: &Testbed) {
    for k in bed.all() {
        assert_eq!(states(&bed.client(k)), []);
        assert_eq!(bed.docker(k, &["ps", "-aq"]).unwrap(), "");
    }
}

fn with(field: &str, value: Value) -> Value {
    let mut spec = shell("a", "true");
    spec[field] = value;
    spec
}

#[test]
fn what_is_malformed_is_400_and_names_its_field() {
    let bed = three();
    let client = bed.client(1);
    refused(&client.post_text(CONTAINERS, "{\"name\": ").unwrap(), 400, &["JSON"], None);
    refused(&client.post_text(CONTAINERS, "").unwrap(), 400, &["JSON"], None);
    let cases = [
        (with("nmae", json!("b")), &["nmae"] as &[_], Some("nmae")),
        (with("cmd", json!("true")), &["cmd"], None),
        (json!({"name": "a"}), &["image"], Some("image")),
        (with("name", json!("")), &["name"], Some("name")),
        (with("name", json!("../etc")), &["../etc"], Some("name")),
        (with("waitfor", json!(["container==/[/"])), &["["], Some("waitfor")),
        (with("waitfor", json!(["contianer==a"])), &["contianer"], Some("waitfor")),
        (with("env", json!(["waitfor:cotnainer==x"])), &["cotnainer"], Some("env")),
        (with("waitfor", json!(["container=x"])), &["container=x"], Some("waitfor")),
        (with("memory", json!("lots")), &["lots"], Some("memory")),
        (with("cpus", json!(-1)), &["-1"], Some("cpus")),
        (with("rerun", json!("sometimes")), &["sometimes"], Some("rerun")),
        (with("ports", json!(["http"])), &["http"], Some("ports")),
    ];
    for (body, words, field) in &cases {
        refused(&client.post(CONTAINERS, body).unwrap(), 400, words, *field);
    }
    nothing_exists(&bed);
}

#[test]
fn what_waits_for_itself_is_409_with_the_path() {
    let bed = three();
    let client = bed.client(2);
    let own = client.post(CONTAINERS, &shell_after("a", "true", "container==a")).unwrap();
    refused(&own, 409, &["a"], Some("waitfor"));
    let circle = json!({"name": "p", "containers": [
        shell_after("a", "true", "container==c"),
        shell_after("b", "true", "container==a"),
        shell_after("c", "true", "container==b"),
    ]});
    refused(
        &client.post("/api/v1/pipelines", &circle).unwrap(),
        409,
        &["p.a -> p.c -> p.b -> p.a"],
        Some("waitfor"),
    );
    nothing_exists(&bed);
    // Over two submits: the second one closes the circle.
    client.submit(&shell_after("x", "true", "container==y")).unwrap();
    let closes = client.post(CONTAINERS, &shell_after("y", "true", "container==x")).unwrap();
    refused(&closes, 409, &["y -> x -> y"], Some("waitfor"));
    assert_eq!(states(&client).len(), 1);
}

#[test]
fn a_pipeline_with_one_bad_member_is_refused_whole() {
    let bed = three();
    let members = json!({"name": "p", "containers": [shell("a", "true"), with("memory", json!("lots"))]});
    let answer = bed.client(3).post("/api/v1/pipelines", &members).unwrap();
    refused(&answer, 400, &["lots"], Some("containers[1].memory"));
    nothing_exists(&bed);
}

#[test]
fn a_taken_name_is_409_and_what_can_never_run_is_422() {
    let bed = three();
    let client = bed.client(1);
    refused(
        &client.post(CONTAINERS, &with("memory", json!("9999g"))).unwrap(),
        422,
        &["MiB"],
        Some("memory"),
    );
    nothing_exists(&bed);
    client.submit(&shell("a", "sleep 600")).unwrap();
    refused(&bed.client(2).post(CONTAINERS, &shell("a", "true")).unwrap(), 409, &["a"], Some("name"));
    let unhealthy = client.post(CONTAINERS, &shell_after("b", "true", "healthy==a")).unwrap();
    refused(&unhealthy, 422, &["health"], None);
    assert_eq!(states(&client).len(), 1);
}

#[test]
fn an_unknown_image_fails_the_container_and_says_which() {
    let bed = three();
    let client = bed.client(1);
    client.submit(&json!({"name": "a", "image": "nobody/has-this:1"})).unwrap();
    let failed = await_state(&client, "a", &["failed"]);
    assert!(failed["cause"].as_str().unwrap().contains("nobody/has-this:1"), "{failed:#}");
}

#[test]
fn what_is_too_large_or_not_there_says_so() {
    let bed = three();
    let client = bed.client(1);
    let large = with("labels", json!({"k": "x".repeat(2 << 20)}));
    assert_eq!(client.post(CONTAINERS, &large).unwrap().status, 413);
    let deep = format!("{{\"image\": {}1{}}}", "[".repeat(100), "]".repeat(100));
    refused(&client.post_text(CONTAINERS, &deep).unwrap(), 400, &[], None);
    refused(&client.get("/api/v1/containers/nobody").unwrap(), 404, &["nobody"], None);
    refused(&client.get("/api/v1/nothing").unwrap(), 404, &["/api/v1/nothing"], None);
    refused(&client.post_text("/api/v1/status", "{}").unwrap(), 405, &["POST"], None);
    refused(&client.get("/api/v1/containers?state=asleep").unwrap(), 400, &["asleep"], Some("state"));
    nothing_exists(&bed);
}

#[test]
fn a_minority_accepts_nothing_and_says_503() {
    let bed = three();
    bed.kill_node(2).unwrap();
    bed.kill_node(3).unwrap();
    let alone: Client = bed.client(1);
    let again = |client: &Client| client.post_as("key-of-a", CONTAINERS, &shell("a", "true")).unwrap();
    let answer = again(&alone);
    refused(&answer, 503, &["quorum"], None);
    assert_eq!(bed.program(&[1]).run(&["ps"]).unwrap().code, 4);
    bed.start_node(2).unwrap();
    bed.start_node(3).unwrap();
    bed.await_whole().unwrap();
    // Refused meant: not known to be accepted. Who asks again under the same key finds out, and has one.
    assert_eq!(again(&bed.client(2)).status, 201);
    assert_eq!(again(&bed.client(3)).status, 201);
    assert_eq!(states(&bed.client(3)).len(), 1);
}
