//! `update`: the next attempt is made of it, and what runs is told at once.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Method;
use bollard::models::{ContainerCreateBody, ContainerUpdateBody, ContainerUpdateResponse};
use pinode_scheduler::Command;
use pinode_scheduler::container::Phase;
use serde_json::Value;

use super::error::DockerError;
use super::face::Face;
use super::params::JsonBody;
use crate::http::Key;
use crate::submit::docker_terms;

pub(super) async fn update(
    State(face): State<Face>,
    Path(name): Path<String>,
    key: Key,
    JsonBody(asked): JsonBody<ContainerUpdateBody>,
) -> Result<Json<ContainerUpdateResponse>, DockerError> {
    let id = face.id_of(&name).await?;
    let request = key.request(&("update", &name, &asked))?;
    let (create, place) = {
        let state = face.backend.machine.state();
        let container = state.find_container(id).ok_or_else(|| DockerError::no_container(&name))?;
        let runs = matches!(container.phase, Phase::Running(_));
        (container.spec.create.clone(), face.place(&state, id).filter(|_| runs))
    };
    let asked = serde_json::to_value(&asked).map_err(|error| DockerError::bad(error.to_string()))?;
    let body = merged(&create, &asked)?;
    let terms = docker_terms(&body)?;
    let create = serde_json::to_string(&body).map_err(|error| DockerError::internal(error.to_string()))?;
    let (needs, restart) = (terms.needs, terms.restart);
    face.commit(Command::Amend { request, container: id, create, needs, restart }).await?;
    let mut warnings = Vec::new();
    if let Some(place) = place {
        let mut live = asked;
        if let Some(live) = live.as_object_mut() {
            // To run again is the cluster's affair.
            live.remove("RestartPolicy");
            live.retain(|_, value| !value.is_null());
        }
        let path = format!("/containers/{}/update", place.docker_name);
        let answer = face.ask_with(place.node, Method::POST, &path, Some(live.to_string())).await?;
        let said: ContainerUpdateResponse = answer.json()?;
        warnings = said.warnings.unwrap_or_default();
    }
    Ok(Json(ContainerUpdateResponse { warnings: Some(warnings) }))
}

/// The create body with what is given put in. Zero is "leave it", as for an engine.
fn merged(create: &str, asked: &Value) -> Result<ContainerCreateBody, DockerError> {
    let odd = |error: serde_json::Error| DockerError::internal(error.to_string());
    let mut body: Value = serde_json::from_str(create).map_err(odd)?;
    let given = asked.as_object().into_iter().flatten();
    for (key, value) in given.filter(|(_, value)| !value.is_null() && **value != 0 && **value != "") {
        body["HostConfig"][key] = value.clone();
    }
    serde_json::from_value(body).map_err(odd)
}
