//! What the routes of the face share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::Request;
use pinode_scheduler::state::State;
use pinode_scheduler::{Command, ContainerId, Rejection, Reply};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::engine::Engine;
use super::error::DockerError;
use super::events::EventLog;
use super::exec::Execs;
use super::version::Version;
use crate::http::Backend;

/// Longest wait for a commit.
const COMMIT_WITHIN: Duration = Duration::from_secs(10);

/// How a face is to be.
#[derive(Clone, Debug)]
pub struct FaceConfig {
    /// The engine behind it.
    pub docker_host: String,
    /// The version it announces.
    pub version: Version,
}

/// The face of one node. Clones share it.
#[derive(Clone, Debug)]
pub struct Face {
    pub(super) backend: Backend,
    pub(super) engine: Arc<Engine>,
    pub(super) version: Version,
    pub(super) events: EventLog,
    pub(super) execs: Arc<Execs>,
    /// One image at a time comes in.
    pub(super) transfers: Arc<Semaphore>,
    attached: Arc<Mutex<BTreeMap<ContainerId, usize>>>,
}

impl Face {
    /// A face over what a request can reach.
    pub fn new(backend: Backend, config: FaceConfig, events: EventLog) -> Face {
        Face {
            backend,
            engine: Arc::new(Engine::new(&config.docker_host)),
            version: config.version,
            events,
            execs: Arc::default(),
            transfers: Arc::new(Semaphore::new(1)),
            attached: Arc::default(),
        }
    }

    /// Commits; a refusal is its error. When it returns, this node's own state has it, so that the next look sees it.
    pub(super) async fn commit(&self, command: Command) -> Result<Reply, DockerError> {
        let request = command.request().cloned();
        let reply = match self.backend.proposer.propose(command, COMMIT_WITHIN).await? {
            Reply::Rejected(rejection) => return Err(rejection.into()),
            reply @ (Reply::Done | Reply::Stale | Reply::Submitted(_)) => reply,
        };
        if let Some(request) = request {
            let applied = self.until(|state| state.answered(&request).map(drop));
            // A node that lags for so long has other troubles; what was asked for is done all the same.
            timeout(COMMIT_WITHIN, applied).await.unwrap_or(Ok(()))?;
        }
        Ok(reply)
    }

    /// Looks at the state after every entry until there is an answer.
    pub(super) async fn until<T>(&self, mut look: impl FnMut(&State) -> Option<T>) -> Result<T, DockerError> {
        let mut applied = self.backend.machine.applied();
        loop {
            applied.borrow_and_update();
            let found = look(&self.backend.machine.state());
            match found {
                Some(found) => return Ok(found),
                None if applied.changed().await.is_err() => return Err(DockerError::stopping()),
                None => {}
            }
        }
    }

    /// The version of Docker's API in which a request came.
    pub(super) fn version_of(&self, request: &Request) -> Version {
        request.extensions().get().copied().unwrap_or(self.version)
    }

    /// Somebody is attached to `id` through this node, until what is returned is dropped.
    pub(super) fn attach_to(&self, id: ContainerId) -> Attached {
        *self.attached.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default() += 1;
        Attached { id, all: self.attached.clone() }
    }

    /// Whether somebody is attached to `id` through this node.
    pub(super) fn is_attached(&self, id: ContainerId) -> bool {
        self.attached.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&id)
    }
}

/// See [`Face::attach_to`].
#[derive(Debug)]
pub(super) struct Attached {
    id: ContainerId,
    all: Arc<Mutex<BTreeMap<ContainerId, usize>>>,
}

impl Drop for Attached {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.id) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                all.remove(&self.id);
            }
        }
    }
}

/// The rejection of a container that is not there.
pub(super) fn gone(id: ContainerId) -> DockerError {
    Rejection::NoSuchContainer(id).into()
}
