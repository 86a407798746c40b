//! HTTP from node to node over the port of nodes: it streams, it waits for a slow reader, and strangers have none.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use tokio::time::sleep;

use super::harness::{Node, three};
use crate::transport::wire::Purpose;

const PIECE: usize = 64 << 10;
/// More than all buffers on the way hold.
const PIECES: usize = 1_024;

/// Serves a stream that never ends by itself, and one of a known length.
fn routes() -> Router {
    let pieces = |count: usize| {
        Body::from_stream(stream::iter(
            (0..count).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![7; PIECE]))),
        ))
    };
    let endless = || async {
        let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"first"))]);
        Body::from_stream(futures_util::StreamExt::chain(first, stream::pending()))
    };
    Router::new().route("/endless", get(endless)).route("/large", get(move || async move { pieces(PIECES) }))
}

async fn ask(from: &Node, to: &Node, path: &str) -> Response<Incoming> {
    let tunnel = from.peers.tunnel(to.id, &to.addr).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(tunnel)).await.unwrap();
    tokio::spawn(connection);
    sender.send_request(Request::get(path).body(Empty::<Bytes>::new()).unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_serves_others_streams_to_them_over_their_port() {
    let (_disks, [a, b, _c]) = three().await;
    a.up().await;
    b.up().await;
    b.services.http.set(routes()).unwrap();
    let mut endless = ask(&a, &b, "/endless").await.into_body();
    let first = endless.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "first", "it comes before the stream has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_slowly_loses_nothing() {
    let (_disks, [a, b, _c]) = three().await;
    a.up().await;
    b.up().await;
    b.services.http.set(routes()).unwrap();
    let large = ask(&a, &b, "/large").await.into_body();
    // Longer than a connection of Raft's would be kept while nothing moves on it.
    sleep(Duration::from_secs(4)).await;
    assert_eq!(large.collect().await.unwrap().to_bytes().len(), PIECE * PIECES);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_outside_the_cluster_has_a_tunnel() {
    let (_disks, [a, _b, _c]) = three().await;
    a.up().await;
    a.services.http.set(routes()).unwrap();
    let cluster = a.greeting.cluster();
    for stranger in [None, Some([9; 32])] {
        let welcome = super::strangers::knock(&a, stranger, Purpose::Http).await;
        assert_eq!(welcome, crate::transport::wire::Welcome::OtherCluster(cluster));
    }
}
