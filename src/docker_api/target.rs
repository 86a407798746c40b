//! Which container is meant, and where its Docker container is.

use pinode_scheduler::container::Phase;
use pinode_scheduler::state::State;
use pinode_scheduler::{Container, ContainerId, NodeId};

use super::error::DockerError;
use super::face::Face;
use crate::agent::docker_name;

/// A Docker container on some node's engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) id: ContainerId,
    pub(super) node: NodeId,
    pub(super) attempt: u32,
    /// What it is called on that engine.
    pub(super) docker_name: String,
}

impl Face {
    /// Whom `text` means: a name, an id, the beginning of one, or `node/name` for what runs on that node.
    pub(super) fn find<'s>(&self, state: &'s State, text: &str) -> Result<&'s Container, DockerError> {
        let text = text.strip_prefix('/').unwrap_or(text);
        let Some((node, name)) = text.split_once('/') else { return Ok(state.resolve(text)?) };
        let container = state.resolve(name)?;
        let on = container.latest().and_then(|last| state.node_name(last.session.node));
        if on == Some(node) { Ok(container) } else { Err(DockerError::no_container(text)) }
    }

    /// The id of whom `text` means. What this node has applied is believed; what it does not know is asked for.
    pub(super) async fn id_of(&self, text: &str) -> Result<ContainerId, DockerError> {
        let known = self.find(&self.backend.machine.state(), text).map(|container| container.id);
        match known {
            Ok(id) => Ok(id),
            Err(_) => {
                self.backend.barrier(false).await?;
                self.find(&self.backend.machine.state(), text).map(|container| container.id)
            }
        }
    }

    /// Where the Docker container of `id` is that shows what it did last.
    pub(super) fn place(&self, state: &State, id: ContainerId) -> Option<Place> {
        let container = state.find_container(id)?;
        let ran = container.attempts.iter().rev().find(|attempt| attempt.started_at.is_some())?;
        state.find_node(ran.session.node)?;
        Some(self.place_of(container, ran.session.node, ran.number))
    }

    pub(super) fn place_of(&self, container: &Container, node: NodeId, attempt: u32) -> Place {
        let docker_name = docker_name(self.backend.agent.cluster(), &container.engine_name(), attempt);
        Place { id: container.id, node, attempt, docker_name }
    }

    /// Where it runs; an error, as Docker says it, where it does not.
    pub(super) async fn running(&self, text: &str) -> Result<Place, DockerError> {
        let id = self.id_of(text).await?;
        let state = self.backend.machine.state();
        let container = state.find_container(id).ok_or_else(|| DockerError::no_container(text))?;
        match (&container.phase, self.place(&state, id)) {
            (Phase::Running(_), Some(place)) => Ok(place),
            _ => Err(DockerError::conflict(format!(
                "Container {} is not running: it is {}",
                container.name,
                container.phase.word()
            ))),
        }
    }

    /// Where its Docker container is, whether it still runs or not.
    pub(super) async fn placed(&self, text: &str) -> Result<Place, DockerError> {
        let id = self.id_of(text).await?;
        let state = self.backend.machine.state();
        let container = state.find_container(id).ok_or_else(|| DockerError::no_container(text))?;
        self.place(&state, id).ok_or_else(|| {
            DockerError::conflict(format!(
                "Container {} has not run yet: it is {}, and exists on no engine",
                container.name,
                container.phase.word()
            ))
        })
    }
}
