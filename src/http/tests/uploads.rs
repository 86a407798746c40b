//! Films that come in pieces.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::node::{Answer, Node, node};

const FILM: &str = "FILM in three pieces";

async fn open(node: &Node, key: &str, wishes: Value) -> Answer {
    let mut body = json!({"file_name": "a.mp4", "size": FILM.len()});
    body.as_object_mut().unwrap().extend(wishes.as_object().unwrap().clone());
    node.ask(Method::POST, "/api/v1/uploads", Some(key), &body).await
}

async fn piece(node: &Node, id: &str, at: usize, bytes: &str) -> Answer {
    let request = Request::patch(format!("/api/v1/uploads/{id}")).header("Upload-Offset", at.to_string());
    node.send(request.body(Body::from(bytes.to_owned())).unwrap()).await
}

async fn finish(node: &Node, id: &str) -> Answer {
    node.post(&format!("/api/v1/uploads/{id}/finish"), &Value::Null).await
}

/// Names in the folder of films; whatever begins with a dot, too.
fn kept(node: &Node) -> usize {
    std::fs::read_dir(node.films()).map_or(0, Iterator::count)
}

fn id(answer: &Answer) -> String {
    answer.body["id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_in_pieces_is_the_film_and_however_often_it_is_finished_it_is_one() {
    let node = node().await;
    let id = id(&open(&node, "k", json!({"parts": 2, "quality": 23})).await);
    let (first, second) = FILM.split_at(7);
    assert_eq!(piece(&node, &id, 0, first).await.status, StatusCode::NO_CONTENT);
    assert_eq!(open(&node, "k", json!({})).await.body["offset"], 7, "the same key is the same upload");
    assert_eq!(finish(&node, &id).await.error().0, "incomplete");
    assert_eq!(piece(&node, &id, 7, second).await.status, StatusCode::NO_CONTENT);
    let film = finish(&node, &id).await;
    assert_eq!((film.status, &film.body["state"]), (StatusCode::ACCEPTED, &"queued".into()), "{film:?}");
    assert_eq!(std::fs::read_to_string(node.films().join(&id).join("source")).unwrap(), FILM);
    assert_eq!(finish(&node, &id).await, film);
    assert_eq!((node.names().await.len(), kept(&node)), (5, 1), "split, audio, two encoders, merge");
    let all = node.get("/api/v1/uploads").await.body;
    assert_eq!(all, json!([]));
    let encoder = node.get(&format!("/api/v1/containers/film-{id}.encode1")).await.body;
    assert_eq!(encoder["create"]["Cmd"], json!(["encode", "1", "crf23", "libx264"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_in_the_wrong_place_changes_nothing_and_is_told_where_to_go_on() {
    let node = node().await;
    let id = id(&open(&node, "k", json!({})).await);
    piece(&node, &id, 0, "FILM").await;
    for at in [0, 3, 5] {
        let answer = piece(&node, &id, at, "xx").await;
        assert_eq!(
            (answer.status, answer.error()),
            (StatusCode::CONFLICT, ("wrong_offset", "Upload-Offset"))
        );
        assert!(answer.message().contains("next byte is 4"), "{answer:?}");
    }
    let answer = piece(&node, &id, 4, &"x".repeat(FILM.len())).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "more than was announced: {answer:?}");
    let seen = node.get(&format!("/api/v1/uploads/{id}")).await.body;
    assert_eq!(
        (&seen["offset"], &seen["size"], &seen["file_name"]),
        (&4.into(), &FILM.len().into(), &"a.mp4".into())
    );
    let none = Request::patch(format!("/api/v1/uploads/{id}")).body(Body::from("x")).unwrap();
    assert_eq!(node.send(none).await.error(), ("bad_request", "Upload-Offset"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_nothing() {
    let node = node().await;
    for (wishes, status, field) in [
        (json!({"file_name": "../../x"}), 400, "file"),
        (json!({"name": "../../x"}), 400, "name"),
        (json!({"size": 0}), 400, "file"),
        (json!({"parts": 0}), 400, "parts"),
        (json!({"quality": 52}), 400, "quality"),
        (json!({"quality": 20, "bitrate": "2M"}), 400, "quality"),
        (json!({"bitrate": "fast"}), 400, "bitrate"),
        (json!({"codec": "a b"}), 400, "codec"),
        (json!({"colour": 1}), 400, "colour"),
        (json!({"size": u64::MAX}), 507, ""),
    ] {
        let answer = open(&node, "k", wishes.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.error().1), (status, field), "{wishes}: {answer:?}");
    }
    for path in ["/api/v1/uploads/..%2F..%2Fx", "/api/v1/uploads/abc", "/api/v1/uploads/%2e%2e"] {
        assert_eq!(node.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let text = id(&open(&node, "text", json!({"size": 4})).await);
    piece(&node, &text, 0, "text").await;
    let answer = finish(&node, &text).await;
    assert_eq!((answer.status.as_u16(), answer.error()), (422, ("no_video", "file")), "{answer:?}");
    let thrown = id(&open(&node, "away", json!({})).await);
    let path = format!("/api/v1/uploads/{thrown}");
    assert_eq!(node.ask(Method::DELETE, &path, None, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!((node.names().await.len(), kept(&node)), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_film_is_stopped_and_can_be_tried_again() {
    let node = node().await;
    let id = id(&open(&node, "k", json!({"parts": 1})).await);
    piece(&node, &id, 0, FILM).await;
    finish(&node, &id).await;
    let state = async || node.get(&format!("/api/v1/videos/{id}")).await.body["state"].clone();
    let act = async |what: &str| node.post(&format!("/api/v1/videos/{id}/{what}"), &Value::Null).await;
    assert_eq!(act("retry").await.error().0, "not_retriable");
    assert_eq!(act("cancel").await.status, StatusCode::NO_CONTENT);
    assert_eq!(state().await, "cancelled");
    assert_eq!(act("cancel").await.status, StatusCode::NO_CONTENT, "once more does no harm");
    assert_eq!(act("retry").await.status, StatusCode::NO_CONTENT);
    assert_eq!(state().await, "queued");
    assert_eq!(node.post("/api/v1/videos/abc/cancel", &Value::Null).await.status, StatusCode::NOT_FOUND);
}
