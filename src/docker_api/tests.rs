//! The reference page and the routes tell the same, and a wait ends with what happened.

use std::path::Path;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use futures_util::{FutureExt, StreamExt};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::http::tests::node::{Node, node};

/// What the page says of each endpoint: method, path, who answers.
fn rows() -> Vec<(String, String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/docker-api.md");
    let page = std::fs::read_to_string(page).unwrap();
    let row = |line: &str| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (method, path) = cells.next()?.trim_matches('`').split_once(' ')?;
        let known = ["GET", "POST", "PUT", "DELETE"].contains(&method) && path.starts_with('/');
        known.then(|| (method.to_owned(), path.to_owned(), cells.next().unwrap_or_default().to_owned()))
    };
    page.lines().filter_map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_the_reference_page_is_a_route_and_501_is_said_where_it_stands() {
    let node = node().await;
    let rows = rows();
    assert!(rows.len() > 60, "the page has {} rows", rows.len());
    for (method, path, who) in rows {
        let asked = path.replace("{id}", "nobody").replace("{name}", "nothing");
        let request = Request::builder().method(method.as_str()).uri(&asked).body(Body::from("{}")).unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(5), node.front.clone().oneshot(request));
        // Events follow for ever; their head is answer enough.
        let response = answer.await.unwrap().unwrap();
        let status = response.status();
        if path == "/events" {
            assert_eq!(status, StatusCode::OK);
            continue;
        }
        let text = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8_lossy(&text);
        assert!(
            !text.contains("page not found") && status != StatusCode::METHOD_NOT_ALLOWED,
            "{method} {path}: {status} {text}"
        );
        assert_eq!(status == StatusCode::NOT_IMPLEMENTED, who == "501", "{method} {path}: {status} {text}");
    }
}

/// Sends to Docker's API; the answer's body has not been looked at.
async fn send(node: &Node, method: &str, path: &str, body: &Value) -> Response {
    let request =
        Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    let response =
        node.front.clone().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap();
    assert!(response.status().is_success(), "{method} {path}: {}", response.status());
    response
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_for_the_removal_tells_the_end_before_it_though_all_has_happened_by_the_time_it_looks() {
    let node = node().await;
    send(&node, "POST", "/containers/create?name=a", &json!({"Image": "i"})).await;
    let waited = send(&node, "POST", "/containers/a/wait?condition=removed", &Value::Null).await;
    let mut waited = waited.into_body().into_data_stream();
    // It looks once, at a container that nobody has started, and not again until all is over.
    assert!(waited.next().now_or_never().is_none());
    send(&node, "POST", "/containers/a/start", &Value::Null).await;
    send(&node, "POST", "/containers/a/kill", &Value::Null).await;
    send(&node, "DELETE", "/containers/a", &Value::Null).await;
    let line: Value = serde_json::from_slice(&waited.next().await.unwrap().unwrap()).unwrap();
    assert_eq!(line["StatusCode"], 125, "{line}");
    assert_eq!(line["Error"]["Message"], "stopped before it ran", "{line}");
}
