//! Films at the door.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use super::node::{Answer, Node, node};

type Field<'a> = (&'a str, &'a str);

const FILM: Field<'static> = ("file", "FILM 1");

async fn post(node: &Node, key: Option<&str>, fields: &[Field<'_>]) -> Answer {
    post_named(node, key, "a.mp4", fields).await
}

async fn post_named(node: &Node, key: Option<&str>, file_name: &str, fields: &[Field<'_>]) -> Answer {
    let mut form = String::new();
    for (name, value) in fields {
        let file = if *name == "file" { format!("; filename=\"{file_name}\"") } else { String::new() };
        form += &format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n");
    }
    form += "--cut--\r\n";
    let mut request =
        Request::post("/api/v1/videos").header("Content-Type", "multipart/form-data; boundary=cut");
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    node.send(request.body(Body::from(form)).unwrap()).await
}

/// Names in the folder of films; whatever begins with a dot, too.
fn kept(node: &Node) -> usize {
    std::fs::read_dir(node.films()).map_or(0, Iterator::count)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_film_under_the_same_key_gets_the_same_answer_and_is_encoded_once() {
    let node = node().await;
    let fields = [FILM, ("parts", "2"), ("name", "holiday"), ("bitrate", "1M"), ("codec", "libx264")];
    let first = post(&node, Some("k"), &fields).await;
    assert_eq!(
        (first.status, first.body["state"].as_str()),
        (StatusCode::ACCEPTED, Some("queued")),
        "{first:?}"
    );
    let members = node.names().await;
    assert_eq!(members.len(), 5, "split, audio, two encoders, merge: {members:?}");
    assert_eq!(post(&node, Some("k"), &fields).await, first);
    assert_eq!(node.names().await, members);
    assert_eq!(kept(&node), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_with_another_film_or_another_wish_is_409_and_changes_nothing() {
    let node = node().await;
    let asked = [FILM, ("parts", "2"), ("name", "holiday"), ("bitrate", "1M")];
    assert_eq!(post(&node, Some("k"), &asked).await.status, StatusCode::ACCEPTED);
    let members = node.names().await;
    for other in [
        &[FILM, ("parts", "3"), ("name", "holiday"), ("bitrate", "1M")] as &[Field<'_>],
        &[FILM, ("parts", "2"), ("name", "work"), ("bitrate", "1M")],
        &[FILM, ("parts", "2"), ("name", "holiday"), ("bitrate", "2M")],
        &[FILM, ("parts", "2"), ("name", "holiday"), ("bitrate", "1M"), ("codec", "libx265")],
        &[FILM, ("parts", "2"), ("name", "holiday")],
        &[("file", "FILM 2"), ("parts", "2"), ("name", "holiday"), ("bitrate", "1M")],
    ] {
        let answer = post(&node, Some("k"), other).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{other:?}: {answer:?}");
        assert_eq!(answer.error(), ("idempotency_key_reused", "Idempotency-Key"));
    }
    assert_eq!(node.names().await, members);
    assert_eq!(kept(&node), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_request_is_no_film_s() {
    let node = node().await;
    let body = serde_json::json!({"name": "a", "image": "i"});
    node.ask(axum::http::Method::POST, "/api/v1/containers", Some("k"), &body).await;
    let answer = post(&node, Some("k"), &[FILM]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{answer:?}");
    assert_eq!((node.names().await.len(), kept(&node)), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_film_twice_at_once_is_one_film() {
    let node = node().await;
    let fields = [FILM];
    let (one, two) = tokio::join!(post(&node, Some("k"), &fields), post(&node, Some("k"), &fields));
    assert_eq!(one.status, StatusCode::ACCEPTED, "{one:?}");
    assert_eq!(one, two);
    assert_eq!(kept(&node), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_the_same_film_is_a_new_one() {
    let node = node().await;
    let (one, two) = (post(&node, None, &[FILM]).await, post(&node, None, &[FILM]).await);
    assert_ne!(one.body["id"], two.body["id"]);
    assert_eq!(kept(&node), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_film_is_refused_and_leaves_nothing() {
    let node = node().await;
    let long = "n".repeat(300);
    for (fields, status, says) in [
        (&[] as &[Field<'_>], 400, "no file"),
        (&[("file", "")], 400, "empty"),
        (&[("file", "text")], 422, "a.mp4: the source is no film"),
        (&[FILM, FILM], 400, "twice"),
        (&[FILM, ("parts", "1"), ("parts", "2")], 400, "twice"),
        (&[FILM, ("prats", "2")], 400, "prats"),
        (&[FILM, ("parts", "0")], 400, "`0`"),
        (&[FILM, ("parts", "99999999999")], 400, "`99999999999`"),
        (&[FILM, ("bitrate", "fast")], 400, "`fast`"),
        (&[FILM, ("bitrate", "-2M")], 400, "`-2M`"),
        (&[FILM, ("bitrate", "1e3M")], 400, "`1e3M`"),
        (&[FILM, ("bitrate", "9999999M")], 400, "`9999999M`"),
        (&[FILM, ("bitrate", "\u{e9}")], 400, "bitrate"),
        (&[FILM, ("codec", "lib x264")], 400, "`lib x264`"),
        (&[FILM, ("name", "../etc/passwd")], 400, "`../etc/passwd`"),
        (&[FILM, ("name", "a\u{0}b")], 400, "name"),
        (&[FILM, ("name", " ")], 400, "name"),
        (&[FILM, ("name", &long)], 400, "256 bytes"),
    ] {
        let answer = post(&node, Some("k"), fields).await;
        assert_eq!(answer.status.as_u16(), status, "{fields:?}: {answer:?}");
        assert!(answer.message().contains(says), "{fields:?}: {answer:?}");
    }
    let answer = post_named(&node, None, "../x.mp4", &[FILM]).await;
    assert_eq!(answer.error(), ("bad_request", "file"), "{answer:?}");
    assert_eq!((node.names().await.len(), kept(&node)), (0, 0));
    assert_eq!(post(&node, Some("k"), &[FILM]).await.status, StatusCode::ACCEPTED, "the key is still free");
}
