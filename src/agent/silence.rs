//! Making the engine silent: nothing of ours runs there any more, and nothing that was told to start still will.

use std::time::Duration;

use futures_util::future::join_all;
use pinode_scheduler::ContainerId;
use tokio::time::sleep;

use super::intents::{Intents, Signal};
use super::runtime::{ContainerRuntime, RuntimeError, Seen, Status};

/// Between two looks at an engine that is being silenced.
const LOOK: Duration = Duration::from_millis(200);

/// Why something may still run.
#[derive(Debug, thiserror::Error)]
pub enum StillLoud {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] RuntimeError),
    /// The disk.
    #[error("write an intent: {0}")]
    Intent(#[from] std::io::Error),
}

/// An engine, the cluster's name on it, and what was intended there.
#[derive(Clone, Copy)]
pub struct Stage<'a> {
    /// The engine.
    pub engine: &'a dyn ContainerRuntime,
    /// Hex of the cluster's id.
    pub cluster: &'a str,
    /// What was intended.
    pub intents: &'a Intents,
}

impl std::fmt::Debug for Stage<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

impl Stage<'_> {
    /// Kills what runs and is not spared, until nothing of it is left, and takes away what may still be told to start by
    /// a request on its way. Each kill is on disk as a fence before it is sent, so that code 0 after it is no success.
    pub async fn silence(
        self,
        spared: &(dyn Fn(ContainerId) -> bool + Send + Sync),
    ) -> Result<(), StillLoud> {
        loop {
            let seen = self.engine.list(self.cluster).await?;
            let due = seen.iter().filter(|seen| !seen.key().is_some_and(|(id, _)| spared(id)));
            // All at once: K is one engine's time for all of them, however long it takes for one.
            let loud = join_all(due.map(|seen| self.quiet(seen))).await;
            if !loud.into_iter().try_fold(false, |any, one| one.map(|one| any || one))? {
                return Ok(());
            }
            sleep(LOOK).await;
        }
    }

    /// Whether it may still run, or start.
    async fn quiet(self, seen: &Seen) -> Result<bool, StillLoud> {
        match seen.status {
            Status::Running => self.kill(seen).await,
            Status::Created => self.take_back(seen).await,
            Status::Exited => Ok(false),
        }
    }

    async fn kill(self, seen: &Seen) -> Result<bool, StillLoud> {
        if let Some(key) = seen.key() {
            self.intents.signalling(key, Signal::Fence)?;
        }
        match self.engine.kill(&seen.id).await {
            Ok(()) | Err(RuntimeError::NoSuch | RuntimeError::Refused { status: 409, .. }) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// A start may have been sent. What is not running can be removed without force; what began in this moment cannot,
    /// and the next look kills it. The engine's history is asked before the intent goes: until then it is "perhaps".
    async fn take_back(self, seen: &Seen) -> Result<bool, StillLoud> {
        let Some(key) = seen.key().filter(|key| self.intents.of(*key).start.is_some()) else {
            return Ok(false);
        };
        match self.engine.remove(&seen.id, false).await {
            Ok(()) => {
                if !self.engine.history(&seen.id).await?.start {
                    self.intents.forget(key)?;
                }
                Ok(true)
            }
            Err(RuntimeError::NoSuch | RuntimeError::Refused { status: 409, .. }) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}
