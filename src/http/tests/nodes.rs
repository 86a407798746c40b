//! What an operator may ask of nodes and settings, and how the door answers.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::node::node;

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_s_word_on_a_node_that_is_not_there_names_those_that_are() {
    let node = node().await;
    for (method, path, body) in [
        (Method::POST, "/api/v1/nodes/n9/drain?deadline=10m", Value::Null),
        (Method::POST, "/api/v1/nodes/n9/undrain", Value::Null),
        (Method::DELETE, "/api/v1/nodes/n9?force=true", Value::Null),
        (Method::POST, "/api/v1/nodes/00000000000000aa/labels", json!({"room": "attic", "old": null})),
    ] {
        let answer = node.ask(method, path, None, &body).await;
        assert_eq!((answer.status, answer.error().0), (StatusCode::NOT_FOUND, "no_such_node"), "{path}");
        assert!(answer.message().contains("there are"), "{}", answer.message());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_without_a_session_is_known_by_its_name_and_not_removed_without_force() {
    let node = node().await;
    let drained = node.post("/api/v1/nodes/n1/drain", &Value::Null).await;
    assert_eq!((drained.status, drained.error().0), (StatusCode::NOT_FOUND, "no_such_node"));
    let removed = node.ask(Method::DELETE, "/api/v1/nodes/n1", None, &Value::Null).await;
    assert_eq!((removed.status, removed.error().0), (StatusCode::CONFLICT, "node_lives"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_s_deadline_is_a_duration_and_excludes_now() {
    let node = node().await;
    for query in ["deadline=soon", "deadline=10m&now=true", "hurry=true"] {
        let answer = node.post(&format!("/api/v1/nodes/n1/drain?{query}"), &Value::Null).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_shown_changed_and_refused() {
    let node = node().await;
    let shown = node.get("/api/v1/settings").await.body;
    assert_eq!(shown, json!({"voters": 5, "replace_voter_after": "300s"}));
    let changed = node.post("/api/v1/settings", &json!({"voters": 3, "replace_voter_after": "10m"})).await;
    assert_eq!(changed.body, json!({"voters": 3, "replace_voter_after": "600s"}));
    for (bad, field) in [
        (json!({"voters": 4}), ""),
        (json!({"voters": 300}), "voters"),
        (json!({"replace_voter_after": "now"}), "replace_voter_after"),
        (json!({"votes": 3}), "votes"),
    ] {
        let answer = node.post("/api/v1/settings", &bad).await;
        assert_eq!((answer.status, answer.error().1), (StatusCode::BAD_REQUEST, field), "{}", answer.body);
    }
    assert_eq!(node.get("/api/v1/settings").await.body["voters"], 3);
}
