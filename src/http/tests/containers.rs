//! What is done to containers, and done again.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::node::{Answer, Node, node};

const ALL: &str = "/api/v1/containers";

async fn remove(node: &Node, query: &str, key: &str) -> Answer {
    node.ask(Method::DELETE, &format!("{ALL}/a{query}"), Some(key), &Value::Null).await
}

async fn submit(node: &Node, body: Value) -> Answer {
    let answer = node.post(ALL, &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_removal_gets_its_first_answer_though_the_container_is_gone() {
    let node = node().await;
    submit(&node, json!({"name": "a", "image": "i"})).await;
    assert_eq!(remove(&node, "", "k").await.status, StatusCode::NO_CONTENT);
    assert_eq!(remove(&node, "", "k").await.status, StatusCode::NO_CONTENT);
    assert_eq!(remove(&node, "", "other").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_removal_spares_who_has_the_name_now() {
    let node = node().await;
    submit(&node, json!({"name": "a", "image": "i"})).await;
    assert_eq!(remove(&node, "", "k").await.status, StatusCode::NO_CONTENT);
    submit(&node, json!({"name": "a", "image": "i"})).await;
    assert_eq!(remove(&node, "", "k").await.status, StatusCode::NO_CONTENT);
    assert_eq!(node.names().await, ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_used_for_something_else_is_409() {
    let node = node().await;
    submit(&node, json!({"name": "a", "image": "i"})).await;
    assert_eq!(remove(&node, "", "k").await.status, StatusCode::NO_CONTENT);
    for answer in [
        remove(&node, "?force=true", "k").await,
        node.ask(Method::POST, &format!("{ALL}/a/kill"), Some("k"), &Value::Null).await,
        node.ask(Method::POST, ALL, Some("k"), &json!({"name": "b", "image": "i"})).await,
    ] {
        assert_eq!(answer.status, StatusCode::CONFLICT, "{answer:?}");
        assert_eq!(answer.error(), ("idempotency_key_reused", "Idempotency-Key"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_none_is_400() {
    let node = node().await;
    for key in ["", &"k".repeat(256)] {
        let answer = node.ask(Method::POST, ALL, Some(key), &json!({"image": "i"})).await;
        assert_eq!((answer.status, answer.error().1), (StatusCode::BAD_REQUEST, "Idempotency-Key"));
    }
    assert_eq!(node.names().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_listed_in_the_order_in_which_they_were_sent() {
    let node = node().await;
    let members = ["z", "a", "m"].map(|name| json!({"name": name, "image": "i"}));
    let answer = node.post("/api/v1/pipelines", &json!({"name": "p", "containers": members})).await;
    let accepted: Vec<&str> =
        answer.body["containers"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(accepted, ["p.z", "p.a", "p.m"]);
    assert_eq!(node.names().await, accepted);
}
