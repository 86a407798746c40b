//! `wait`: the head of the answer goes out at once, because clients start a container only when they have it; the code
//! follows when there is one. A blocked container is merely slow to start.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bollard::models::{ContainerWaitExitError, ContainerWaitResponse};
use bytes::Bytes;
use futures_util::stream;
use pinode_raft::machine::Changes;
use pinode_scheduler::container::Phase;
use pinode_scheduler::{ContainerId, What};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::error::DockerError;
use super::face::Face;
use super::params::Params;
use super::words;
use crate::http::view::{self, NEVER_RAN};

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    NotRunning,
    NextExit,
    Removed,
}

pub(super) async fn wait(
    State(face): State<Face>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Response, DockerError> {
    let condition = match params.text("condition") {
        None | Some("not-running") => Condition::NotRunning,
        Some("next-exit") => Condition::NextExit,
        Some("removed") => Condition::Removed,
        Some(other) => return Err(DockerError::bad(format!("invalid condition: \"{other}\""))),
    };
    // From here on nothing is missed, not even a container that ends and goes before the state is looked at.
    let changes = face.backend.machine.changes();
    let id = face.id_of(&name).await?;
    let code = async move {
        let answer = face.code(id, condition, changes).await;
        let line = serde_json::to_vec(&answer).unwrap_or_default();
        Ok::<Bytes, std::convert::Infallible>([line, b"\n".to_vec()].concat().into())
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], Body::from_stream(stream::once(code))).into_response())
}

type Ended = (i64, Option<String>);

impl Face {
    async fn code(
        &self,
        id: ContainerId,
        condition: Condition,
        mut changes: Receiver<std::sync::Arc<Changes>>,
    ) -> ContainerWaitResponse {
        let mut ended = self.ended(id).filter(|_| condition != Condition::NextExit);
        // What is told, not what the state has come to: the state may be past the removal when the end before it is
        // yet to be read here.
        let mut gone = false;
        loop {
            match condition {
                Condition::Removed if gone => break,
                Condition::NotRunning | Condition::NextExit if ended.is_some() => break,
                Condition::Removed | Condition::NotRunning | Condition::NextExit => {}
            }
            match changes.recv().await {
                Ok(entry) => {
                    let of_it = entry.changes.iter().filter(|change| {
                        change.container.as_ref().is_some_and(|(changed, _)| *changed == id)
                    });
                    for change in of_it {
                        ended = outcome(&change.what, ended);
                        gone |= change.what == What::Removed;
                    }
                }
                // How a container ended that is gone by now is known only if it was read before.
                Err(RecvError::Lagged(_)) => {
                    ended = self.ended(id).or(ended);
                    gone = self.is_gone(id);
                }
                Err(RecvError::Closed) => break,
            }
        }
        let (status_code, why) = ended.unwrap_or((NEVER_RAN, Some("removed before it ran".to_owned())));
        let error = why.map(|message| ContainerWaitExitError { message: Some(message) });
        ContainerWaitResponse { status_code, error }
    }

    fn is_gone(&self, id: ContainerId) -> bool {
        self.backend.machine.state().find_container(id).is_none()
    }

    /// How it ended, if it has. What nobody has started does not run, and never failed.
    fn ended(&self, id: ContainerId) -> Option<Ended> {
        let state = self.backend.machine.state();
        let container = state.find_container(id)?;
        if container.phase == Phase::Created {
            return Some((0, None));
        }
        let never_ran =
            || view::cause(&container.phase).filter(|_| view::exit_code(&container.phase).is_none());
        container.phase.is_terminal().then(|| (words::code(container), never_ran()))
    }
}

/// What is known of its end after `what`.
fn outcome(what: &What, before: Option<Ended>) -> Option<Ended> {
    match what {
        What::Succeeded => Some((0, None)),
        What::Failed(Some(code), _) | What::Cancelled(Some(code)) => Some((*code, None)),
        What::Failed(None, reason) => Some((NEVER_RAN, reason.clone())),
        What::Cancelled(None) => Some((NEVER_RAN, Some("stopped before it ran".to_owned()))),
        What::Skipped(cause) => Some((NEVER_RAN, Some(cause.join(", because ")))),
        What::Removed => before.or_else(|| Some((NEVER_RAN, Some("removed before it ran".to_owned())))),
        What::Blocked(_)
        | What::Ready
        | What::Claimed(_)
        | What::Started(_)
        | What::Healthy(_)
        | What::AttemptEnded(..)
        | What::Declined(_)
        | What::Backoff(_)
        | What::Unknown
        | What::Stopping
        | What::Retried
        | What::SessionOpened(_)
        | What::Suspected
        | What::Trusted
        | What::NodeLost(_)
        | What::Ailing(..)
        | What::Created
        | What::Renamed(_)
        | What::Amended
        | What::Preparing(_)
        | What::Draining(_)
        | What::Undrained
        | What::NodeRemoved
        | What::Labelled(_)
        | What::Configured(_)
        | What::Blackout(_) => before,
    }
}
