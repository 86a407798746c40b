//! What people do with a film that is under way or has failed: cancel it, try again.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use pinode_scheduler::container::Phase;
use pinode_scheduler::{Command, Container, ContainerId, Rejection};

use super::library::Films;
use super::pipeline;
use super::routes::no_such;
use crate::http::{ApiError, Key, Nothing, Query};

/// Stops all steps that have not ended, the last ones first: what waits is not to start when another one ends.
pub(super) async fn cancel(
    State(films): State<Films>,
    Path(id): Path<String>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<StatusCode, ApiError> {
    let mut open = films.members(&id, |phase| !phase.is_terminal()).await?;
    open.reverse();
    for container in open {
        let request = Key::fresh()?.request(&("cancel", &id))?;
        let stop = Command::Stop { request, container, kill: false, grace_s: None };
        films.commit_unless_ended(stop).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Runs again what failed or was cancelled; what was skipped because of it follows.
pub(super) async fn retry(
    State(films): State<Films>,
    Path(id): Path<String>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<StatusCode, ApiError> {
    let ended =
        films.members(&id, |phase| matches!(phase, Phase::Failed(_) | Phase::Cancelled { .. })).await?;
    if ended.is_empty() {
        let message = format!("nothing of the video {id} has failed or was cancelled");
        return Err(ApiError::new(StatusCode::CONFLICT, "not_retriable", message));
    }
    for container in ended {
        let request = Key::fresh()?.request(&("retry", &id))?;
        films.commit_unless_ended(Command::Retry { request, container }).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

impl Films {
    /// A film's steps in such a phase, in the order of their submit.
    async fn members(&self, id: &str, wanted: fn(&Phase) -> bool) -> Result<Vec<ContainerId>, ApiError> {
        self.backend.barrier(false).await?;
        let name = self.folder(id).map(|_| pipeline::name(id)).ok_or_else(|| no_such(id))?;
        let state = self.backend.machine.state();
        let mut members: Vec<&Container> = state.pipeline(&name);
        if members.is_empty() {
            return Err(no_such(id));
        }
        members.sort_by_key(|c| c.order);
        Ok(members.into_iter().filter(|c| wanted(&c.phase)).map(|c| c.id).collect())
    }

    /// A step that has ended, or was revived with another, since it was looked at is as it should be.
    async fn commit_unless_ended(&self, command: Command) -> Result<(), ApiError> {
        let passed = [
            Rejection::AlreadyEnded(String::new(), String::new()).code(),
            Rejection::NotRetriable(String::new(), String::new()).code(),
        ];
        match self.backend.commit(command).await {
            Err(error) if !passed.contains(&error.code) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}
