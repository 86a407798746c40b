//! `create`: Docker's body becomes a submit that waits for its start. Every field of it goes to the engine as it came, but
//! for what pinode answers for itself: waits, constraints, restarts, removal.

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use bollard::models::{ContainerCreateBody, ContainerCreateResponse};
use pinode_scheduler::command::{Command, Missing, NewContainer};
use pinode_scheduler::{Reply, Submitted};

use super::error::DockerError;
use super::face::Face;
use super::images::tagged;
use super::params::{Params, Sifted};
use crate::http::{Key, container_id, hex};

pub(super) async fn create(
    State(face): State<Face>,
    params: Params,
    key: Key,
    Sifted { body, left_out }: Sifted<ContainerCreateBody>,
) -> Result<(StatusCode, Json<ContainerCreateResponse>), DockerError> {
    let request = key.request(&(params.text("name"), params.text("platform"), &body))?;
    let id = container_id(&face.backend.cluster, &request, 0);
    let image = body.image.clone().unwrap_or_default();
    if !image.is_empty() && !face.has_image(&image).await {
        return Err(DockerError::missing(format!("No such image: {}", tagged(&image))));
    }
    let fallback = format!("c-{}", hex(&id.0[..6]));
    let name = params.text("name").map(|name| name.strip_prefix('/').unwrap_or(name));
    let platform = params.text("platform");
    let draft = face.backend.door().draft_docker(body, name.unwrap_or(&fallback), platform)?;
    let containers = vec![NewContainer { id, spec: draft.spec, held: true }];
    let submit = Command::Submit { request, pipeline: None, containers, missing: Missing::Wait };
    let Reply::Submitted(mut accepted) = face.commit(submit).await? else {
        return Err(DockerError::internal("nothing was accepted"));
    };
    let Some(Submitted { id, warnings, .. }) = accepted.pop() else {
        return Err(DockerError::internal("nothing was accepted"));
    };
    let waits = face.backend.machine.state().find_container(id).map(|c| c.waits_for()).unwrap_or_default();
    let waits = (!waits.is_empty()).then(|| format!("waits for {}", waits.join(", ")));
    let left_out = left_out
        .into_iter()
        .map(|field| format!("{field} has no place in a container here, and is left out"));
    let warnings = draft.warnings.into_iter().chain(left_out).chain(waits).chain(warnings).collect();
    Ok((StatusCode::CREATED, Json(ContainerCreateResponse { id: id.to_string(), warnings })))
}

impl Face {
    /// Whether some engine has the image; this node's is asked first. Of an engine that does not answer it is not known,
    /// and so it may have it.
    pub(super) async fn has_image(&self, image: &str) -> bool {
        let path = format!("/images/{image}/json");
        let here = self.ask(self.backend.me, Method::GET, &path).await;
        if matches!(&here, Ok(answer) if answer.status.is_success()) {
            return true;
        }
        self.ask_all(Method::GET, &path, None).await.iter().any(|(peer, answer)| match answer {
            Ok(answer) => answer.status != StatusCode::NOT_FOUND,
            Err(error) => {
                tracing::warn!(%error, image, node = %peer.name, "ask whether it has an image");
                true
            }
        })
    }
}
