//! `exec`: made on the engine where the container runs, and started, resized and looked at there. Ids of execs are the
//! engines'; who has which is remembered by the node that made it, and asked for by the others.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bollard::models::IdResponse;
use pinode_scheduler::NodeId;
use serde_json::{Value, json};

use super::error::DockerError;
use super::face::Face;
use super::reach::read;
use super::request::{query, redirect};
use crate::agent::runtime::label;

/// Execs that are remembered; of older ones all engines are asked.
const REMEMBERED: usize = 4_096;

/// Which node has which exec.
#[derive(Debug, Default)]
pub(super) struct Execs(Mutex<VecDeque<(String, NodeId)>>);

impl Execs {
    fn remember(&self, id: String, node: NodeId) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED {
            all.pop_front();
        }
        all.push_back((id, node));
    }

    fn find(&self, id: &str) -> Option<NodeId> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().rev().find(|(known, _)| known == id).map(|(_, node)| *node)
    }
}

pub(super) async fn create(
    State(face): State<Face>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, DockerError> {
    let place = face.running(&name).await?;
    let answer = read(face.pass_on(&place, "exec", request).await?).await?;
    let made: IdResponse = answer.json()?;
    face.execs.remember(made.id.clone(), place.node);
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

impl Face {
    async fn exec_node(&self, id: &str) -> Result<NodeId, DockerError> {
        if let Some(node) = self.execs.find(id) {
            return Ok(node);
        }
        let answers = self.ask_all(Method::GET, &format!("/exec/{id}/json"), None).await;
        let has = answers.into_iter().find(|(_, answer)| matches!(answer, Ok(a) if a.status.is_success()));
        has.map(|(peer, _)| peer.id)
            .ok_or_else(|| DockerError::missing(format!("No such exec instance: {id}")))
    }

    async fn exec(&self, id: &str, what: &str, mut request: Request) -> Result<Response, DockerError> {
        let node = self.exec_node(id).await?;
        let (version, query) = (self.version_of(&request), query(&request));
        redirect(&mut request, &format!("/v{version}/exec/{id}/{what}{query}"))?;
        self.send(node, request).await
    }
}

pub(super) async fn start(
    State(face): State<Face>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, DockerError> {
    face.exec(&id, "start", request).await
}

pub(super) async fn resize(
    State(face): State<Face>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, DockerError> {
    face.exec(&id, "resize", request).await
}

pub(super) async fn inspect(
    State(face): State<Face>,
    Path(id): Path<String>,
) -> Result<Json<Value>, DockerError> {
    let node = face.exec_node(&id).await?;
    let mut shown: Value = face.ask(node, Method::GET, &format!("/exec/{id}/json")).await?.json()?;
    let docker_id = shown["ContainerID"].as_str().unwrap_or_default().to_owned();
    let answer = face.ask(node, Method::GET, &format!("/containers/{docker_id}/json")).await?;
    if let Ok(container) = answer.json::<Value>()
        && let Some(ours) = container["Config"]["Labels"][label::CONTAINER].as_str()
    {
        shown["ContainerID"] = json!(ours);
    }
    Ok(Json(shown))
}
