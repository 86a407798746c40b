//! One attempt on one engine, from claim to end. Each step looks at what is owed, what is on disk and what the engine
//! shows, and does at most one thing; so it does not matter where a crash cut the one before.

mod launch;
mod stop;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pinode_scheduler::container::Decline;
use pinode_scheduler::mutant::{self, Mutant};
use pinode_scheduler::{Duty, Outcome, SessionId, Work};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::classify::{self, Evidence};
use super::dispatch::{Context, Report, What};
use super::intents::{Key, Signal};
use super::runtime::{RuntimeError, Seen};

/// Without a hint, a worker looks again after this long.
const LOOK: Duration = Duration::from_secs(10);
/// Pause after the engine did not answer.
const AWAY: Duration = Duration::from_millis(500);

/// When to look again, unless something happens before.
type Next = Duration;

/// What this process remembers of the attempt. Nothing in here is needed for correctness after a crash.
#[derive(Debug, Default)]
struct Memory {
    started_in_epoch: Option<u64>,
    /// The engine has said that the Docker name exists.
    name_taken: bool,
    /// The image was brought from elsewhere.
    image_sought: bool,
    said_started: bool,
    said_healthy: bool,
    ended: bool,
    /// It was declined: a log that has lost the node meanwhile does not hear that.
    declined: bool,
    /// The stop that was asked for last.
    stopping: Option<JoinHandle<()>>,
    doubt_until: Option<Instant>,
}

/// What can stop a step.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Engine(#[from] RuntimeError),
    #[error("write an intent: {0}")]
    Intent(#[from] std::io::Error),
}

struct Worker {
    context: Arc<Context>,
    key: Key,
    duty: watch::Receiver<Duty>,
    fenced: watch::Receiver<bool>,
    memory: Memory,
}

/// Runs until the duty's sender is dropped.
pub(super) async fn run(context: Arc<Context>, key: Key, duty: watch::Receiver<Duty>, hint: Arc<Notify>) {
    let fenced = context.authority.fenced();
    let mut worker = Worker { context, key, duty, fenced, memory: Memory::default() };
    loop {
        let owed = worker.duty.borrow_and_update().clone();
        let fence = *worker.fenced.borrow_and_update();
        let next = match worker.step(&owed, fence).await {
            Ok(_) if mutant::is(Mutant::TrustsEvents) => Duration::MAX,
            Ok(next) => next,
            Err(trouble) => {
                tracing::debug!(container = %key.0, attempt = key.1, %trouble, "a step did not succeed");
                AWAY
            }
        };
        tokio::select! {
            changed = worker.duty.changed() => if changed.is_err() { return },
            // Without authority's sender nobody fences any more; the duty's end ends this worker as well.
            Ok(()) = worker.fenced.changed() => {}
            () = hint.notified() => {}
            () = sleep(next) => {}
        }
    }
}

impl Worker {
    async fn step(&mut self, duty: &Duty, fence: bool) -> Result<Next, Trouble> {
        match duty {
            Duty::Keep { .. } => Ok(LOOK),
            Duty::Remove { .. } => self.remove().await,
            // What must not run twice would wait for another word of this worker for ever.
            Duty::Resolve(work) if self.memory.declined => self.resolve(work).await,
            Duty::Run(_) | Duty::Stop(..) | Duty::Resolve(_) if self.memory.ended => Ok(LOOK),
            Duty::Run(work) if !(fence && work.fenced) => self.launch_and_watch(work).await,
            Duty::Run(work) | Duty::Resolve(work) => self.resolve(work).await,
            Duty::Stop(work, stop) => self.stop(work, stop).await,
        }
    }

    async fn look(&self, work: &Work) -> Result<Option<Seen>, Trouble> {
        let seen = self.context.runtime.inspect(&self.context.launcher.docker_name(work)).await?;
        Ok(seen)
    }

    fn is_ours(&self, seen: &Seen) -> bool {
        seen.ours.as_ref().is_some_and(|(container, attempt)| {
            *container == self.key.0.to_string() && *attempt == self.key.1
        })
    }

    async fn observe(&mut self, work: &Work, seen: &Seen) -> Result<Next, Trouble> {
        if !work.started
            && !self.memory.said_started
            && let Some(at) = &seen.started_at
        {
            self.report(Some(work.claim.session), What::Started(at.clone())).await;
            self.memory.said_started = true;
        }
        if seen.healthy && !work.healthy && !self.memory.said_healthy {
            self.report(Some(work.claim.session), What::Healthy).await;
            self.memory.said_healthy = true;
        }
        Ok(LOOK)
    }

    async fn conclude(&mut self, work: &Work, seen: &Seen) -> Result<Next, Trouble> {
        let context = &self.context;
        let intent = context.intents.of(self.key);
        let history = context.runtime.history(&seen.id).await?;
        let watched = self.memory.started_in_epoch == Some(context.epoch.load(Ordering::Relaxed));
        if !watched && !history.start {
            // It may be another engine than the one that was asked last, and may have ended what it found running.
            context.note_engine().await?;
        }
        let evidence = Evidence {
            signal: intent.signal,
            history,
            watched,
            same_boot: intent.start.is_none_or(|boot| boot == context.boot),
            live_restore: context.live_restore.load(Ordering::Relaxed),
        };
        self.end(work, classify::classify(seen, evidence), Some(seen)).await
    }

    async fn decline(&mut self, work: &Work, reason: Decline) -> Result<Next, Trouble> {
        self.give_up()?;
        self.memory.ended = true;
        self.memory.declined = true;
        self.report(Some(work.claim.session), What::Declined(reason)).await;
        Ok(LOOK)
    }

    /// Durably: this attempt is not started any more, by no later process either. That it never was may be on its way to
    /// the log for as long as it likes, and would then be said of what runs.
    fn give_up(&self) -> Result<(), Trouble> {
        Ok(self.context.intents.signalling(self.key, Signal::Fence)?)
    }

    async fn end(&mut self, work: &Work, outcome: Outcome, seen: Option<&Seen>) -> Result<Next, Trouble> {
        self.memory.ended = true;
        self.memory.declined = false;
        let (started_at, finished_at, ran_ms) = match seen {
            Some(seen) => (seen.started_at.clone(), seen.finished_at.clone(), classify::ran_ms(seen)),
            None => (None, None, 0),
        };
        self.report(Some(work.claim.session), What::Exited { outcome, started_at, finished_at, ran_ms })
            .await;
        Ok(LOOK)
    }

    async fn report(&self, session: Option<SessionId>, what: What) {
        let report = Report { container: self.key.0, attempt: self.key.1, session, what };
        if self.context.reports.send(report).await.is_err() {
            tracing::debug!("nobody takes reports any more");
        }
    }
}
