//! Images. They are the engines', so the lists are put together, and what brings one (pull, load, import, build) brings it
//! to every node: with pulls each engine fetches its own, what is sent by the client goes to one engine first and from
//! there to the others.

mod bring;
mod obtain;
mod one;
mod put;

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::Response;
use bollard::models::{ImagePruneResponse, ImageSummary};
use serde_json::{Value, json};

pub(super) use bring::{BRING, bring};
pub(super) use one::{get_many, one};
pub(super) use put::{build, create, load};

use super::error::DockerError;
use super::face::Face;
use super::reach::{Answer, Peer};
use super::request::query;

/// An image's name with its tag: without one an engine means `latest`, and would pull all of them.
pub(super) fn tagged(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    if last.contains([':', '@']) { image.to_owned() } else { format!("{image}:latest") }
}

/// The first good answer; where there is none, the first error.
pub(super) fn first(answers: Vec<(Peer, Result<Answer, DockerError>)>) -> Result<Answer, DockerError> {
    let mut error = None;
    for (peer, answer) in answers {
        match answer {
            Ok(answer) if answer.status.is_success() => return Ok(answer),
            Ok(answer) => error = error.or_else(|| Some(answer.error())),
            Err(why) => {
                error = error.or_else(|| Some(DockerError::new(why.status, format!("{}: {why}", peer.name))))
            }
        }
    }
    Err(error.unwrap_or_else(|| DockerError::internal("no node answers")))
}

pub(super) async fn list(
    State(face): State<Face>,
    request: Request,
) -> Result<Json<Vec<ImageSummary>>, DockerError> {
    let query = query(&request);
    let answers = face.ask_all(Method::GET, &format!("/images/json{query}"), None).await;
    let refused = answers.iter().find_map(|(_, answer)| match answer {
        Ok(answer) if answer.status.is_client_error() => Some(answer.error()),
        Ok(_) | Err(_) => None,
    });
    if let Some(error) = refused {
        return Err(error);
    }
    let mut found: BTreeMap<String, ImageSummary> = BTreeMap::new();
    for (_, answer) in answers {
        let list = answer.ok().and_then(|answer| answer.json::<Vec<ImageSummary>>().ok()).unwrap_or_default();
        for image in list {
            let known = found.entry(image.id.clone()).or_insert_with(|| image.clone());
            for tag in image.repo_tags {
                if !known.repo_tags.contains(&tag) {
                    known.repo_tags.push(tag);
                }
            }
        }
    }
    let mut list: Vec<ImageSummary> = found.into_values().collect();
    list.sort_by_key(|image| std::cmp::Reverse(image.created));
    Ok(Json(list))
}

impl Face {
    /// The ids of all images of the cluster.
    pub(super) async fn image_ids(&self) -> Vec<String> {
        let answers = self.ask_all(Method::GET, "/images/json", None).await;
        let lists = answers.into_iter().filter_map(|(_, answer)| answer.ok()?.json::<Vec<Value>>().ok());
        let mut ids: Vec<String> =
            lists.flatten().filter_map(|image| image["Id"].as_str().map(str::to_owned)).collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

pub(super) async fn prune(
    State(face): State<Face>,
    request: Request,
) -> Result<Json<ImagePruneResponse>, DockerError> {
    let query = query(&request);
    let mut deleted = Vec::new();
    let mut space = 0;
    for (_, answer) in face.ask_all(Method::POST, &format!("/images/prune{query}"), None).await {
        let Some(part) = answer.ok().and_then(|a| a.json::<ImagePruneResponse>().ok()) else { continue };
        deleted.extend(part.images_deleted.unwrap_or_default());
        space += part.space_reclaimed.unwrap_or(0);
    }
    Ok(Json(ImagePruneResponse { images_deleted: Some(deleted), space_reclaimed: Some(space) }))
}

pub(super) async fn prune_builds(State(face): State<Face>) -> Json<Value> {
    let mut space = 0;
    for (_, answer) in face.ask_all(Method::POST, "/build/prune", None).await {
        let part = answer.ok().and_then(|answer| answer.json::<Value>().ok()).unwrap_or_default();
        space += part["SpaceReclaimed"].as_i64().unwrap_or(0);
    }
    Json(json!({ "CachesDeleted": [], "SpaceReclaimed": space }))
}

pub(super) async fn search(State(face): State<Face>, request: Request) -> Result<Response, DockerError> {
    face.engine.send(request).await
}
