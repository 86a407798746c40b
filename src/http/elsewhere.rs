//! The API of another node. It is asked over the port that nodes have for each other: where people reach a node may be an
//! address that only its own machine knows.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use pinode_scheduler::NodeId;
use tokio::time::timeout;

use super::backend::Backend;
use super::error::ApiError;
use super::relay::relay;

/// Longest wait for the head of an answer; its body may take as long as it likes.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

impl Backend {
    /// Gets `path` from the node `node`. The answer streams, at the pace of who reads it.
    pub async fn ask_node(&self, node: NodeId, path: &str) -> Result<Response<Body>, ApiError> {
        let request = Request::get(path).body(Body::empty());
        let request = request.map_err(|error| self.away(node, &error.to_string()))?;
        match timeout(HEAD_WITHIN, self.send_to_node(node, request)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.away(node, &format!("nothing within {} s", HEAD_WITHIN.as_secs()))),
        }
    }

    /// Sends a request to the node `node`. Both bodies stream, and protocols may be switched.
    pub async fn send_to_node(
        &self,
        node: NodeId,
        request: Request<Body>,
    ) -> Result<Response<Body>, ApiError> {
        let addr = self.proposer.address(node).ok_or_else(|| self.away(node, "it is no member"))?;
        let tunnel = self.peers.tunnel(node, &addr).await;
        let tunnel = tunnel.map_err(|error| self.away(node, &error.to_string()))?;
        relay(tunnel, request).await.map_err(|error| self.away(node, &error.to_string()))
    }

    fn away(&self, node: NodeId, why: &str) -> ApiError {
        let name = self.machine.state().node_name(node).map_or_else(|| format!("{node:016x}"), str::to_owned);
        let message = format!("the node {name}, which has it, does not answer: {why}");
        ApiError::new(StatusCode::BAD_GATEWAY, "node_away", message)
    }
}
