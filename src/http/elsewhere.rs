//! The API of another node. It is asked over the port that nodes have for each other: where people reach a node may be an
//! address that only its own machine knows.

use std::time::Duration;

use axum::http::{Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::Response;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use pinode_scheduler::NodeId;
use tokio::time::timeout;

use super::backend::Backend;
use super::error::ApiError;

/// Longest wait for the head of an answer; its body may take as long as it likes.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

impl Backend {
    /// Gets `path` from the node `node`. The answer streams, at the pace of who reads it.
    pub async fn ask_node(&self, node: NodeId, path: &str) -> Result<Response<Incoming>, ApiError> {
        let name = self.machine.state().node_name(node).map_or_else(|| format!("{node:016x}"), str::to_owned);
        let away = |why: String| {
            let message = format!("the node {name}, which has it, does not answer: {why}");
            ApiError::new(StatusCode::BAD_GATEWAY, "node_away", message)
        };
        let addr = self.proposer.address(node).ok_or_else(|| away("it is no member".to_owned()))?;
        let tunnel = self.peers.tunnel(node, &addr).await.map_err(|error| away(error.to_string()))?;
        let request = Request::get(path).header(header::HOST, "pinode").body(Empty::<Bytes>::new());
        let request = request.map_err(|error| away(error.to_string()))?;
        let conversation = async {
            let (mut sender, connection) = http1::handshake(TokioIo::new(tunnel)).await?;
            // Ends when the answer has been read, or nobody wants it any more.
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a conversation with another node ended");
                }
            });
            sender.send_request(request).await
        };
        match timeout(HEAD_WITHIN, conversation).await {
            Ok(answer) => answer.map_err(|error: hyper::Error| away(error.to_string())),
            Err(_) => Err(away(format!("nothing within {} s", HEAD_WITHIN.as_secs()))),
        }
    }
}
