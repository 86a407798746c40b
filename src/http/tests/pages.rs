//! The pages as a browser gets them.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use serde_json::json;
use tower::ServiceExt;

use super::node::{Node, node};

async fn get(node: &Node, path: &str) -> (axum::http::HeaderMap, String) {
    let response = node.front.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    let headers = response.headers().clone();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (headers, String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_on_the_page_without_a_script_and_no_text_of_a_user_is_markup() {
    let node = node().await;
    let spec = json!({"name": "later", "image": "i", "waitfor": ["container==never<b>"]});
    node.ask(Method::POST, "/api/v1/containers", None, &spec).await;
    let spec = json!({"name": "after", "image": "i", "waitfor": ["container==later"]});
    node.ask(Method::POST, "/api/v1/containers", None, &spec).await;
    let (headers, page) = get(&node, "/").await;
    assert!(page.contains("<b>after</b> blocked waits for later"), "{page}");
    assert!(!page.contains("never<b>"), "{page}");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
    assert!(!page.contains("<style") && !page.contains(" style="), "{page}");
    assert_eq!(headers["x-content-type-options"], "nosniff");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_that_the_pages_name_is_there() {
    let node = node().await;
    let mut known = vec!["/".to_owned()];
    let mut at = 0;
    while let Some(path) = known.get(at).cloned() {
        let (_, text) = get(&node, &path).await;
        for found in text.split('"').filter(|word| word.starts_with("/web/") && word.contains('.')) {
            if !known.iter().any(|path| path == found) {
                known.push(found.to_owned());
            }
        }
        at += 1;
    }
    assert!(known.len() > 15, "{known:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_s_page_may_look_and_not_act() {
    let node = node().await;
    let send = async |method: Method, path: &str, site: &str| {
        let request = Request::builder().method(method).uri(path).header("Sec-Fetch-Site", site);
        node.front.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    };
    let path = "/api/v1/containers/nobody/stop";
    for other in ["cross-site", "same-site"] {
        assert_eq!(send(Method::POST, path, other).await, StatusCode::FORBIDDEN, "{other}");
    }
    assert_eq!(send(Method::POST, path, "same-origin").await, StatusCode::NOT_FOUND);
    assert_eq!(send(Method::DELETE, "/containers/nobody", "cross-site").await, StatusCode::FORBIDDEN);
    assert_eq!(send(Method::GET, "/healthz", "cross-site").await, StatusCode::OK);
}
