//! The ways out: stopped by a person, fenced because the session is over, removed because nobody needs it any more.

use std::time::Duration;

use pinode_raft::host::here;
use pinode_scheduler::container::Stop;
use pinode_scheduler::{Outcome, Work};

use super::{LOOK, Next, Trouble, Worker};
use crate::agent::dispatch::What;
use crate::agent::intents::Signal;
use crate::agent::runtime::{RuntimeError, Seen, Status};

/// After a kill the end is looked for this soon, hint or not.
const AFTER_KILL: Duration = Duration::from_millis(100);

impl Worker {
    /// The session is over: nothing is started, what runs is killed.
    pub(super) async fn resolve(&mut self, work: &Work) -> Result<Next, Trouble> {
        let intent = self.context.intents.of(self.key);
        let never = |reason: &str| Outcome::NeverStarted { reason: reason.to_owned() };
        match self.look(work).await?.filter(|seen| self.is_ours(seen)) {
            None if intent.start.is_some() => self.end(work, Outcome::Unknown, None).await,
            None => {
                self.give_up()?;
                self.end(work, never("its session ended before it was launched"), None).await
            }
            Some(seen) => match seen.status {
                Status::Created if intent.start.is_some() => self.arbitrate(work, &seen).await,
                Status::Created => {
                    self.give_up()?;
                    self.end(work, never("its session ended before it was started"), None).await
                }
                Status::Running => {
                    self.context.intents.signalling(self.key, Signal::Fence)?;
                    self.kill(&seen).await
                }
                Status::Exited => self.conclude(work, &seen).await,
            },
        }
    }

    pub(super) async fn stop(&mut self, work: &Work, stop: &Stop) -> Result<Next, Trouble> {
        let intent = self.context.intents.of(self.key);
        match self.look(work).await?.filter(|seen| self.is_ours(seen)) {
            None if intent.start.is_some() => self.end(work, Outcome::Unknown, None).await,
            None => self.end(work, Outcome::Cancelled { code: None }, None).await,
            Some(seen) => match seen.status {
                Status::Created if intent.start.is_some() => self.doubt(work, &seen).await,
                Status::Created => self.end(work, Outcome::Cancelled { code: None }, None).await,
                Status::Running => {
                    self.observe(work, &seen).await?;
                    let signal = if stop.drained { Signal::Drain } else { Signal::Stop };
                    self.context.intents.signalling(self.key, signal)?;
                    if stop.kill {
                        return self.kill(&seen).await;
                    }
                    self.stop_gently(work, seen);
                    Ok(LOOK)
                }
                Status::Exited => self.conclude(work, &seen).await,
            },
        }
    }

    /// The engine answers a stop when the grace is over, and a kill may be asked for before. One that was answered, or
    /// was lost, while the container runs on is asked for again.
    fn stop_gently(&mut self, work: &Work, seen: Seen) {
        if self.memory.stopping.as_ref().is_some_and(|stop| !stop.is_finished()) {
            return;
        }
        let (runtime, grace_s) = (self.context.runtime.clone(), work.stop_timeout_s);
        self.memory.stopping = Some(tokio::spawn(here(async move {
            if let Err(error) = runtime.stop(&seen.id, grace_s).await {
                tracing::warn!(id = %seen.id, %error, "stop a container");
            }
        })));
    }

    pub(super) async fn kill(&self, seen: &Seen) -> Result<Next, Trouble> {
        match self.context.runtime.kill(&seen.id).await {
            Ok(()) | Err(RuntimeError::NoSuch | RuntimeError::Refused { status: 409, .. }) => Ok(AFTER_KILL),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn remove(&mut self) -> Result<Next, Trouble> {
        if let Some(id) = self.context.find_id(self.key).await? {
            match self.context.runtime.remove(&id, true).await {
                Ok(()) | Err(RuntimeError::NoSuch) => {}
                // Somebody else removes it already.
                Err(RuntimeError::Refused { status: 409, .. }) => return Ok(AFTER_KILL),
                Err(error) => return Err(error.into()),
            }
        }
        self.context.intents.forget(self.key)?;
        self.context.note_removed(self.key);
        self.report(None, What::Removed).await;
        Ok(LOOK)
    }
}
