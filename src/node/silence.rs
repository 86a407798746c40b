//! Making the engine silent: nothing of ours runs there any more.

use std::sync::Arc;
use std::time::Duration;

use pinode_raft::Machine;
use pinode_scheduler::ContainerId;
use pinode_scheduler::spec::Rerun;
use tokio::time::sleep;

use crate::agent::Agent;
use crate::agent::runtime::{RuntimeError, Status};

/// Between two looks at an engine that is being silenced.
const LOOK: Duration = Duration::from_millis(200);

/// What may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spare {
    /// Nothing.
    Nothing,
    /// What the cluster never runs a second time, and what therefore cannot overlap with anything.
    NeverRerun,
}

/// Why something may still run.
#[derive(Debug, thiserror::Error)]
pub(super) enum StillLoud {
    #[error(transparent)]
    Engine(#[from] RuntimeError),
    #[error("write an intent: {0}")]
    Intent(#[from] std::io::Error),
}

/// Kills what runs in the engine and is not spared, until nothing of it is left. Each kill is on disk as a fence before
/// it is sent, so that code 0 after it is no success.
pub(super) async fn silence(agent: &Agent, machine: &Machine, spare: Spare) -> Result<(), StillLoud> {
    let engine: Arc<_> = agent.runtime();
    loop {
        let seen = engine.list(agent.cluster()).await?;
        let mut loud = false;
        for seen in seen.iter().filter(|seen| seen.status == Status::Running) {
            let key = seen.key();
            if spare == Spare::NeverRerun && key.is_some_and(|(id, _)| never_reruns(machine, id)) {
                continue;
            }
            loud = true;
            if let Some(key) = key {
                agent.fence_intent(key)?;
            }
            match engine.kill(&seen.id).await {
                Ok(()) | Err(RuntimeError::NoSuch | RuntimeError::Refused { status: 409, .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if !loud {
            return Ok(());
        }
        sleep(LOOK).await;
    }
}

/// What the state does not know, yet or any more, is not spared: the careful answer.
fn never_reruns(machine: &Machine, id: ContainerId) -> bool {
    machine.state().find_container(id).is_some_and(|container| container.spec.rerun == Rerun::Never)
}
