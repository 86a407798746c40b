//! An image from one node's engine to another's: streamed from `save` into `load`, checked by its id, one at a time into
//! each node, so that a Pi is not drowned.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use pinode_scheduler::NodeId;
use serde_json::Value;

use crate::docker_api::error::DockerError;
use crate::docker_api::face::Face;
use crate::docker_api::params::Params;
use crate::docker_api::reach::read;
use crate::docker_api::request::bare;

/// Where a node is asked to fetch an image from another.
pub(in crate::docker_api) const BRING: &str = "/bring";

impl Face {
    /// Has the node `to` fetch an image from this one.
    pub(super) async fn bring_to(&self, to: NodeId, image: &str) -> Result<(), DockerError> {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("image", image)
            .append_pair("from", &self.backend.me.to_string())
            .finish();
        let request = bare(Method::POST, &format!("{BRING}?{query}"))?;
        let answer = read(self.backend.send_to_node(to, request).await?).await?;
        if answer.status.is_success() { Ok(()) } else { Err(answer.error()) }
    }

    /// What is made for another kind of machine would not run here.
    fn check_arch(&self, image: &str, arch: Option<&str>) -> Result<(), DockerError> {
        let state = self.backend.machine.state();
        let (Some(arch), Some(own)) = (arch, state.find_node(self.backend.me)) else { return Ok(()) };
        if own.runs(arch) {
            return Ok(());
        }
        let kind = own.facts.labels.get("arch").map_or("something else", String::as_str);
        let message = format!("image {image} there is made for {arch}, and this node is {kind}");
        Err(DockerError::new(StatusCode::CONFLICT, message))
    }

    /// Fetches an image from the node `from`, unless it is here.
    pub async fn fetch_image(&self, image: &str, from: NodeId) -> Result<(), DockerError> {
        let _turn = self.transfers.acquire().await;
        let path = format!("/images/{image}/json");
        let id = |answer: Value| answer["Id"].as_str().unwrap_or_default().to_owned();
        let offered: Value = self.ask(from, Method::GET, &path).await?.json()?;
        self.check_arch(image, offered["Architecture"].as_str())?;
        let wanted = id(offered);
        if self.ask(self.backend.me, Method::GET, &path).await?.json().map(id).is_ok_and(|has| has == wanted)
        {
            return Ok(());
        }
        let saved = self.send(from, bare(Method::GET, &format!("/images/{image}/get"))?).await?;
        if !saved.status().is_success() {
            return Err(read(saved).await?.error());
        }
        let mut load = bare(Method::POST, "/images/load?quiet=1")?;
        load.headers_mut().insert("content-type", axum::http::HeaderValue::from_static("application/x-tar"));
        *load.body_mut() = saved.into_body();
        let loaded = read(self.send(self.backend.me, load).await?).await?;
        if !loaded.status.is_success() {
            return Err(loaded.error());
        }
        let has = self.ask(self.backend.me, Method::GET, &path).await?.json().map(id)?;
        if has == wanted {
            return Ok(());
        }
        let message = format!("image {image} arrived as {has} and not as {wanted}");
        Err(DockerError::new(StatusCode::BAD_GATEWAY, message))
    }
}

/// Another node asks this one to fetch.
pub(in crate::docker_api) async fn bring(
    State(face): State<Face>,
    params: Params,
) -> Result<StatusCode, DockerError> {
    let image = params.text("image").ok_or_else(|| DockerError::bad("fetch which image?"))?;
    let from = params.text("from").and_then(|from| from.parse().ok());
    face.fetch_image(image, from.ok_or_else(|| DockerError::bad("fetch from which node?"))?).await?;
    Ok(StatusCode::NO_CONTENT)
}
