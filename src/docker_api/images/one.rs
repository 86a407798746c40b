//! One image: looked at where it is, tagged and removed wherever it is. Its name may hold slashes, so the last segment
//! says what is asked.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::first;
use crate::docker_api::error::DockerError;
use crate::docker_api::face::Face;
use crate::docker_api::reach::Peer;
use crate::docker_api::request::{bare, query, redirect};

pub(in crate::docker_api) async fn one(
    State(face): State<Face>,
    Path(rest): Path<String>,
    request: Request,
) -> Result<Response, DockerError> {
    let query = query(&request);
    let method = request.method().clone();
    let (image, what) = match rest.rsplit_once('/') {
        Some((image, what @ ("json" | "history" | "get" | "tag" | "push"))) if method != Method::DELETE => {
            (image, what)
        }
        Some(_) | None => (rest.as_str(), ""),
    };
    match (method, what) {
        (Method::GET, "json" | "history" | "get") => {
            let peer = face.who_has(image).await?;
            face.send(peer.id, bare(Method::GET, &format!("/images/{image}/{what}{query}"))?).await
        }
        (Method::POST, "tag") => {
            let answers = face.ask_all(Method::POST, &format!("/images/{image}/tag{query}"), None).await;
            first(answers).map(|_| StatusCode::CREATED.into_response())
        }
        (Method::POST, "push") => {
            let peer = face.who_has(image).await?;
            let mut request = request;
            redirect(&mut request, &format!("/images/{image}/push{query}"))?;
            face.send(peer.id, request).await
        }
        (Method::DELETE, "") => {
            let answers = face.ask_all(Method::DELETE, &format!("/images/{image}{query}"), None).await;
            // Who uses it still must be heard, although others have removed theirs.
            let used = answers.iter().find_map(|(_, answer)| match answer {
                Ok(answer) if answer.status == StatusCode::CONFLICT => Some(answer.error()),
                Ok(_) | Err(_) => None,
            });
            if let Some(error) = used {
                return Err(error);
            }
            first(answers).and_then(|answer| Ok(Json(answer.json::<Value>()?).into_response()))
        }
        (method, _) => Err(DockerError::missing(format!("page not found: {method} /images/{rest}"))),
    }
}

/// `images/get?names=…`: several images as one archive, from a node that has all of them.
pub(in crate::docker_api) async fn get_many(
    State(face): State<Face>,
    request: Request,
) -> Result<Response, DockerError> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let names: Vec<String> = form_urlencoded::parse(query.as_bytes())
        .filter(|(key, _)| key == "names")
        .flat_map(|(_, names)| names.split(',').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let mut holders: Option<Vec<Peer>> = None;
    for name in &names {
        let have = face.holders(name).await;
        if have.is_empty() {
            return Err(DockerError::missing(format!("No such image: {name}")));
        }
        holders = Some(match holders {
            None => have,
            Some(before) => before.into_iter().filter(|peer| have.contains(peer)).collect(),
        });
    }
    let Some(peer) = holders.and_then(|all| all.into_iter().next()) else {
        return Err(DockerError::missing("no node has all of these images; save them one by one"));
    };
    face.send(peer.id, bare(Method::GET, &format!("/images/get?{query}"))?).await
}

impl Face {
    /// The nodes whose engines have the image, this one first.
    pub(in crate::docker_api) async fn holders(&self, image: &str) -> Vec<Peer> {
        let answers = self.ask_all(Method::GET, &format!("/images/{image}/json"), None).await;
        let has = answers.into_iter().filter(|(_, answer)| matches!(answer, Ok(a) if a.status.is_success()));
        has.map(|(peer, _)| peer).collect()
    }

    async fn who_has(&self, image: &str) -> Result<Peer, DockerError> {
        let holder = self.holders(image).await.into_iter().next();
        holder.ok_or_else(|| DockerError::missing(format!("No such image: {image}")))
    }
}
