//! Every refusal has a status, a word, a sentence and, where there is one, the field; and leaves nothing.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::node::{Answer, Node, node};

fn is_refused(answer: &Answer, status: u16, says: &str) {
    assert_eq!(answer.status.as_u16(), status, "{says}: {answer:?}");
    assert!(!answer.error().0.is_empty(), "{says}: {answer:?}");
    let said = format!("{} {}", answer.error().1, answer.message());
    assert!(said.contains(says), "{says}: {answer:?}");
}

async fn send(node: &Node, request: axum::http::request::Builder, body: &'static str) -> Answer {
    node.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_a_route_does_not_know_is_400_and_named() {
    let node = node().await;
    node.post("/api/v1/containers", &json!({"name": "a", "image": "i"})).await;
    let routes = [
        (Method::GET, "/containers"),
        (Method::GET, "/containers/a"),
        (Method::GET, "/containers/a/why"),
        (Method::GET, "/containers/a/logs"),
        (Method::GET, "/nodes"),
        (Method::GET, "/status"),
        (Method::GET, "/graph"),
        (Method::GET, "/events"),
        (Method::GET, "/videos"),
        (Method::GET, "/videos/abc"),
        (Method::GET, "/videos/abc/result"),
        (Method::POST, "/containers"),
        (Method::POST, "/pipelines"),
        (Method::POST, "/videos"),
        (Method::POST, "/containers/a/stop"),
        (Method::POST, "/containers/a/kill"),
        (Method::POST, "/containers/a/retry"),
        (Method::POST, "/containers/a/wait"),
        (Method::DELETE, "/containers/a"),
    ];
    for (method, path) in routes {
        let path = format!("/api/v1{path}?nonsense=1");
        let answer = node.ask(method.clone(), &path, None, &Value::Null).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method} {path}: {answer:?}");
        assert_eq!(answer.error(), ("bad_request", "nonsense"), "{method} {path}: {answer:?}");
    }
    for path in ["/containers", "/containers/a", "/nodes", "/graph", "/videos"] {
        let answer = node.get(&format!("/api/v1{path}?consistency=mostly")).await;
        is_refused(&answer, 400, "consistency");
        assert!(node.get(&format!("/api/v1{path}?consistency=stale")).await.status.is_success(), "{path}");
    }
    assert_eq!(node.names().await, ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_axum_refuses_has_the_same_shape() {
    let node = node().await;
    for (method, path, status, says) in [
        (Method::PUT, "/api/v1/containers", 405, "PUT"),
        (Method::DELETE, "/api/v1/videos", 405, "DELETE"),
        (Method::GET, "/api/v1/containers/%ff", 400, "UTF-8"),
        (Method::GET, "/api/v1/videos/%ff", 400, "UTF-8"),
        (Method::GET, "/api/v1/nothing", 404, "/api/v1/nothing"),
        (Method::GET, "/api/v1/videos/..%2f..%2fetc", 404, "../../etc"),
        (Method::GET, "/api/v1/containers/%00", 404, "no such container"),
        (Method::POST, "/api/v1/videos", 400, "boundary"),
    ] {
        is_refused(&send(&node, Request::builder().method(method).uri(path), "").await, status, says);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_is_refused_by_its_field_and_leaves_nothing() {
    let node = node().await;
    for (body, status, says) in [
        (json!({"image": ""}), 400, "image"),
        (json!({"image": "../x"}), 400, "`../x`"),
        (json!({"image": "i", "name": ""}), 400, "name"),
        (json!({"image": "i", "name": "\u{e9}t\u{e9}"}), 400, "name"),
        (json!({"image": "i", "name": "a\u{0}b"}), 400, "name"),
        (json!({"image": "i", "cmd": ["a\u{0}b"]}), 400, "cmd"),
        (json!({"image": "i", "env": ["A=\u{0}"]}), 400, "env"),
        (json!({"image": "i", "env": ["=x"]}), 400, "env"),
        (json!({"image": "i", "working_dir": "x"}), 400, "working_dir"),
        (json!({"image": "i", "labels": {"pinode.node": "n9"}}), 400, "labels"),
        (json!({"image": "i", "volumes": ["../a:/a"]}), 400, "volumes"),
        (json!({"image": "i", "waitfor": ["container==/(/"]}), 400, "waitfor"),
        (json!({"image": "i", "waitfor": [format!("container==/{}/", "a".repeat(300))]}), 400, "waitfor"),
        (json!({"image": "i", "waitfor": ["container==a,count=99999999999"]}), 400, "waitfor"),
        (json!({"image": "i", "waitfor": [""]}), 400, "waitfor"),
        (json!({"image": "i", "cpus": -1}), 400, "cpus"),
        (json!({"image": "i", "cpus": 0.001}), 422, "cpus"),
        (json!({"image": "i", "memory": 0}), 400, "memory"),
        (json!({"image": "i", "memory": "1k"}), 422, "memory"),
        (json!({"image": "i", "wait_timeout": "99999999999999999999h"}), 400, "wait_timeout"),
        (json!({"image": "i", "constraints": ["zone=a"]}), 400, "constraints"),
        (json!({"image": "i", "affinities": ["container=~a"]}), 400, "affinities"),
        (json!({"image": "i", "env": ["constraint:zone=a"]}), 400, "env"),
        (json!({"image": "i", "strategy": "fullest"}), 400, "strategy"),
        (json!({"image": "i", "rerun": "never", "env": ["reschedule:on-node-failure"]}), 400, "rerun"),
        (json!({"image": "i", "constraints": ["node==a", "node!=a"]}), 422, "node==a, node!=a"),
        (json!({"image": "i", "constraints": ["node==a", "node==b"]}), 422, "node==a, node==b"),
        (json!({"image": "i", "health": {"test": []}}), 400, "health"),
        (json!({"image": "i", "name": "a", "waitfor": ["container==a"]}), 409, "waitfor"),
        (json!({"image": "i", "name": "a", "waitfor": ["container==a*"]}), 409, "waitfor"),
    ] {
        is_refused(&node.post("/api/v1/containers", &body).await, status, says);
    }
    let member = |name: &str, wait: &[&str]| json!({"name": name, "image": "i", "waitfor": wait});
    for (body, status, says) in [
        (json!({"name": "p", "containers": []}), 400, "containers"),
        (json!({"name": "../p", "containers": [member("a", &[])]}), 400, "name"),
        (json!({"name": "p", "containers": [{"image": "i"}]}), 400, "containers[0].name"),
        (json!({"name": "p", "containers": [member("a", &[]), member("a", &[])]}), 400, "twice"),
        (
            json!({"name": "p", "containers": [member("a", &["container==b"]), member("b", &["container==a"])]}),
            409,
            "p.a -> p.b -> p.a",
        ),
        (
            json!({"name": "p", "containers": [member("a", &[]), member("b", &["nothing==a"])]}),
            400,
            "containers[1].waitfor",
        ),
    ] {
        is_refused(&node.post("/api/v1/pipelines", &body).await, status, says);
    }
    let large = json!({"image": "i", "labels": {"k": "x".repeat(2 << 20)}});
    is_refused(&node.post("/api/v1/containers", &large).await, 413, "1048576 bytes");
    assert_eq!(node.names().await, Vec::<String>::new());
}
