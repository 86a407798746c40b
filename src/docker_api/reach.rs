//! The engines of all nodes: one of them, or each.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, Response, StatusCode};
use futures_util::future::join_all;
use http_body_util::{BodyExt, Limited};
use pinode_scheduler::{Node, NodeId};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::error::DockerError;
use super::face::Face;
use super::request::{query, redirect};
use super::target::Place;

/// Longest wait for an engine whose answer is only a part of the whole.
const PART_WITHIN: Duration = Duration::from_secs(5);
/// Largest answer that is read as a whole, in bytes.
const ANSWER_MAX_BYTES: usize = 32 << 20;
/// Before a path that is meant for the engine of the node that is asked.
pub(super) const ENGINE: &str = "/engine";

/// A node that may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) id: NodeId,
    pub(super) name: String,
}

/// An answer that was read to its end.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: bytes::Bytes,
}

impl Answer {
    /// What it says, or its error.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, DockerError> {
        if self.status.is_success() {
            let odd = |error| DockerError::internal(format!("an engine answers something else: {error}"));
            return serde_json::from_slice(&self.body).map_err(odd);
        }
        Err(self.error())
    }

    /// The engine's own sentence.
    pub(super) fn error(&self) -> DockerError {
        let said = serde_json::from_slice::<bollard::models::ErrorResponse>(&self.body);
        let message = said.map(|said| said.message).unwrap_or_else(|_| self.status.to_string());
        DockerError::new(self.status, message)
    }
}

impl Face {
    /// The nodes whose sessions live and that are heard of, this one first.
    pub(super) fn peers(&self) -> Vec<Peer> {
        let state = self.backend.machine.state();
        let heard = |node: &&Node| node.id == self.backend.me || !node.is_suspected();
        let open = state.nodes().filter(|node| node.is_open()).filter(heard);
        let mut peers: Vec<Peer> =
            open.map(|node| Peer { id: node.id, name: node.facts.name.clone() }).collect();
        peers.sort_by_key(|peer| (peer.id != self.backend.me, peer.name.clone()));
        peers
    }

    /// Sends a request to the engine of `node`; its path is the engine's.
    pub(super) async fn send(
        &self,
        node: NodeId,
        mut request: Request,
    ) -> Result<Response<Body>, DockerError> {
        if node == self.backend.me {
            return self.engine.send(request).await;
        }
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let path = format!("{ENGINE}{path}");
        redirect(&mut request, &path)?;
        Ok(self.backend.send_to_node(node, request).await?)
    }

    /// Asks the engine of `node` and reads its answer.
    pub(super) async fn ask(&self, node: NodeId, method: Method, path: &str) -> Result<Answer, DockerError> {
        self.ask_with(node, method, path, None).await
    }

    /// The same with a JSON body.
    pub(super) async fn ask_with(
        &self,
        node: NodeId,
        method: Method,
        path: &str,
        json: Option<String>,
    ) -> Result<Answer, DockerError> {
        let mut request = Request::builder().method(method).uri(path);
        if json.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(json.map_or_else(Body::empty, Body::from));
        let request = request.map_err(|error| DockerError::bad(error.to_string()))?;
        read(self.send(node, request).await?).await
    }

    /// Asks the engine of every node at once. Who does not answer in time is an error in its place.
    pub(super) async fn ask_all(
        &self,
        method: Method,
        path: &str,
        json: Option<String>,
    ) -> Vec<(Peer, Result<Answer, DockerError>)> {
        let ask = |peer: Peer| {
            let (method, json) = (method.clone(), json.clone());
            async move {
                let answer = timeout(PART_WITHIN, self.ask_with(peer.id, method, path, json)).await;
                let late = || {
                    let message = format!("the engine of {} does not answer", peer.name);
                    DockerError::new(StatusCode::GATEWAY_TIMEOUT, message)
                };
                let answer = answer.unwrap_or_else(|_| Err(late()));
                (peer, answer)
            }
        };
        join_all(self.peers().into_iter().map(ask)).await
    }

    /// Streams a request for one container through to its engine: the same method, query, headers and body.
    pub(super) async fn pass_on(
        &self,
        place: &Place,
        what: &str,
        mut request: Request,
    ) -> Result<Response<Body>, DockerError> {
        let (version, query) = (self.version_of(&request), query(&request));
        let path = format!("/v{version}/containers/{}/{what}{query}", place.docker_name);
        redirect(&mut request, &path)?;
        self.send(place.node, request).await
    }
}

/// Reads an answer to its end.
pub(super) async fn read(answer: Response<Body>) -> Result<Answer, DockerError> {
    let status = answer.status();
    let body = Limited::new(answer.into_body(), ANSWER_MAX_BYTES).collect().await;
    let body = body.map_err(|error| DockerError::internal(format!("read the engine's answer: {error}")))?;
    Ok(Answer { status, body: body.to_bytes() })
}
