//! Submits: one container, or a pipeline of them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use pinode_scheduler::command::{Command, Missing, NewContainer, Request};
use pinode_scheduler::{ContainerId, Reply, Submitted};
use sha2::{Digest, Sha256};

use super::backend::{Backend, hex};
use super::body::Body;
use super::error::ApiError;
use super::key::Key;
use super::query::{Nothing, Query};
use crate::api::{Accepted, AcceptedPipeline, Pipeline, Submit};
use crate::submit::{Draft, Invalid};

/// Most members of one pipeline.
const MEMBERS_MAX: usize = 5_000;

pub(super) async fn container(
    State(backend): State<Backend>,
    Query(Nothing {}): Query<Nothing>,
    key: Key,
    Body(submit): Body<Submit>,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    let request = key.request(&submit)?;
    let missing = missing(submit.waitfor_missing.as_deref())?;
    let id = container_id(&backend.cluster, &request, 0);
    let fallback = format!("c-{}", hex(&id.0[..6]));
    let draft = backend.door().draft(&submit, &fallback, false)?;
    let warnings = vec![draft.warnings];
    let containers = vec![NewContainer { id, spec: draft.spec, held: false }];
    let command = Command::Submit { request, pipeline: None, containers, missing };
    let mut accepted = accepted(backend.commit(command).await?, warnings);
    let first = accepted.pop().ok_or_else(|| internal("nothing was accepted"))?;
    Ok((StatusCode::CREATED, Json(first)))
}

pub(super) async fn pipeline(
    State(backend): State<Backend>,
    Query(Nothing {}): Query<Nothing>,
    key: Key,
    Body(pipeline): Body<Pipeline>,
) -> Result<(StatusCode, Json<AcceptedPipeline>), ApiError> {
    let request = key.request(&pipeline)?;
    Ok((StatusCode::CREATED, Json(backend.submit_pipeline(request, &pipeline).await?)))
}

impl Backend {
    /// Submits a pipeline under a request.
    pub async fn submit_pipeline(
        &self,
        request: Request,
        pipeline: &Pipeline,
    ) -> Result<AcceptedPipeline, ApiError> {
        let missing = missing(pipeline.waitfor_missing.as_deref())?;
        let name = crate::submit::check_name("name", &pipeline.name)?;
        let count = pipeline.containers.len();
        if count == 0 || count > MEMBERS_MAX {
            let message = format!("a pipeline has 1 to {MEMBERS_MAX} containers, not {count}");
            return Err(ApiError::bad("containers", message));
        }
        let mut containers = Vec::new();
        let mut warnings = Vec::new();
        for (position, submit) in (0_u32..).zip(&pipeline.containers) {
            let at = |invalid: Invalid| {
                let field = format!("containers[{position}].{}", invalid.field);
                ApiError::from(Invalid { field, ..invalid })
            };
            if submit.name.is_none() {
                return Err(at(Invalid::bad("name", "a pipeline's container needs a name".to_owned())));
            }
            let Draft { spec, warnings: own } = self.door().draft(submit, "", true).map_err(at)?;
            containers.push(NewContainer {
                id: container_id(&self.cluster, &request, position),
                spec,
                held: false,
            });
            warnings.push(own);
        }
        let command = Command::Submit { request, pipeline: Some(name.clone()), containers, missing };
        let containers = accepted(self.commit(command).await?, warnings);
        Ok(AcceptedPipeline { id: name.clone(), name, containers })
    }
}

/// Hash of cluster, request and position: every node, and every repetition, computes the same.
pub(crate) fn container_id(cluster: &[u8; 32], request: &Request, position: u32) -> ContainerId {
    let mut hash = Sha256::new();
    hash.update(cluster);
    hash.update(request.key.0.as_bytes());
    hash.update([0]);
    hash.update(request.body);
    hash.update(position.to_be_bytes());
    ContainerId(hash.finalize().into())
}

fn missing(text: Option<&str>) -> Result<Missing, ApiError> {
    match text {
        None | Some("wait") => Ok(Missing::Wait),
        Some("reject") => Ok(Missing::Reject),
        Some(other) => Err(ApiError::bad("waitfor_missing", format!("`{other}` is neither wait nor reject"))),
    }
}

fn accepted(reply: Reply, warnings: Vec<Vec<String>>) -> Vec<Accepted> {
    let submitted = match reply {
        Reply::Submitted(submitted) => submitted,
        Reply::Done | Reply::Stale | Reply::Rejected(_) => Vec::new(),
    };
    let one = |(Submitted { id, name, state, warnings }, own): (Submitted, Vec<String>)| Accepted {
        id: id.to_string(),
        name,
        state,
        warnings: own.into_iter().chain(warnings).collect(),
    };
    submitted.into_iter().zip(warnings).map(one).collect()
}

fn internal(message: &str) -> ApiError {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
}
