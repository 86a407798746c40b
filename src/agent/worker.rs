//! One attempt on one engine, from claim to end. Each step looks at what is owed, what is on disk and what the engine
//! shows, and does at most one thing; so it does not matter where a crash cut the one before.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bollard::models::ContainerCreateBody;
use pinode_scheduler::container::{Decline, Stop};
use pinode_scheduler::{Duty, Outcome, SessionId, Work};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::classify::{self, Evidence};
use super::dispatch::{Context, Report, UNHEARD, What};
use super::intents::{Key, Signal};
use super::runtime::{RuntimeError, Seen, Status};

/// Without a hint, a worker looks again after this long.
const LOOK: Duration = Duration::from_secs(10);
/// After a start without a reply, the engine is looked at so often, for so long; then the arbiter decides.
const DOUBT_LOOK: Duration = Duration::from_millis(100);
const DOUBT_MAX: Duration = Duration::from_secs(10);
/// A name that an older container of ours still has is waited for so long.
const NAME_MAX: Duration = Duration::from_secs(60);
/// Pause while there is no authority to start.
const NO_LEASE: Duration = Duration::from_millis(50);
/// Pause after the engine did not answer.
const AWAY: Duration = Duration::from_millis(500);
/// After a kill the end is looked for this soon, hint or not.
const AFTER_KILL: Duration = Duration::from_millis(100);

/// When to look again, unless something happens before.
type Next = Duration;

/// What this process remembers of the attempt. Nothing in here is needed for correctness after a crash.
#[derive(Debug, Default)]
struct Memory {
    started_in_epoch: Option<u64>,
    /// The engine has said that the Docker name exists.
    name_taken: bool,
    name_until: Option<Instant>,
    said_started: bool,
    said_healthy: bool,
    ended: bool,
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
            Duty::Run(_) | Duty::Stop(..) | Duty::Resolve(_) if self.memory.ended => Ok(LOOK),
            Duty::Run(work) if !(fence && work.fenced) => self.launch_and_watch(work).await,
            Duty::Run(work) | Duty::Resolve(work) => self.resolve(work).await,
            Duty::Stop(work, stop) => self.stop(work, stop).await,
        }
    }

    /// Whether this step was taken for a duty that has changed meanwhile. A lease says only that some session may act.
    fn is_outdated(&self) -> bool {
        self.duty.has_changed().unwrap_or(true)
    }

    /// Returns when the start under way must not be waited for any longer: an engine may take a minute to answer,
    /// and a fence, or whoever wants it to stop, has seconds.
    fn overtaken(&self) -> impl Future<Output = ()> + use<> {
        let (mut duty, mut fenced) = (self.duty.clone(), self.fenced.clone());
        async move {
            tokio::select! {
                _ = duty.changed() => {}
                Ok(()) = fenced.changed() => {}
            }
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

    async fn launch_and_watch(&mut self, work: &Work) -> Result<Next, Trouble> {
        let intent = self.context.intents.of(self.key);
        if intent.start.is_none() && !self.memory.name_taken {
            // Nearly always there is nothing yet; if there is, the engine refuses the name.
            return self.create(work).await;
        }
        match self.look(work).await? {
            None if intent.start.is_some() => self.end(work, Outcome::Unknown, None).await,
            None => self.create(work).await,
            Some(seen) if !self.is_ours(&seen) => {
                if self.may_become_free(&seen) {
                    return Ok(DOUBT_LOOK);
                }
                let reason = format!(
                    "the Docker name {} is taken by another",
                    self.context.launcher.docker_name(work)
                );
                self.end(work, Outcome::LaunchFailed { code: 125, reason }, None).await
            }
            Some(seen) => match seen.status {
                Status::Created if intent.start.is_some() => self.doubt(work, &seen).await,
                Status::Created => self.start(work, &seen.id).await,
                Status::Running => self.observe(work, &seen).await,
                Status::Exited => self.conclude(work, &seen).await,
            },
        }
    }

    /// A name of the cluster that was removed can be used again at once, and then has the Docker name of the old one,
    /// which this node is about to remove. A foreign container keeps its name.
    fn may_become_free(&mut self, holder: &Seen) -> bool {
        let now = Instant::now();
        holder.ours.is_some() && now < *self.memory.name_until.get_or_insert(now + NAME_MAX)
    }

    async fn create(&mut self, work: &Work) -> Result<Next, Trouble> {
        let context = self.context.clone();
        // The semaphore lives as long as the context and is never closed.
        let _place = context.launches.acquire().await;
        if self.is_outdated() {
            return Ok(Duration::ZERO);
        }
        if !context.authority.may_start() {
            return Ok(NO_LEASE);
        }
        let body: ContainerCreateBody = match context.launcher.body(work) {
            Ok(body) => body,
            Err(error) => return self.decline(work, Decline::Other(error.to_string())).await,
        };
        match context.runtime.create(&context.launcher.docker_name(work), body).await {
            Ok(id) => self.start(work, &id).await,
            Err(RuntimeError::NameTaken) => {
                let news = !std::mem::replace(&mut self.memory.name_taken, true);
                Ok(if news { Duration::ZERO } else { DOUBT_LOOK })
            }
            Err(RuntimeError::ImageMissing(image)) => self.decline(work, Decline::ImageMissing(image)).await,
            Err(RuntimeError::NoSpace(what)) => self.decline(work, Decline::NoSpace(what)).await,
            Err(RuntimeError::Refused { status: 400..=499, message }) => {
                self.end(work, Outcome::LaunchFailed { code: 125, reason: message }, None).await
            }
            Err(RuntimeError::Refused { message, .. }) => self.decline(work, Decline::Other(message)).await,
            Err(error @ (RuntimeError::Away(_) | RuntimeError::NoSuch)) => Err(error.into()),
        }
    }

    /// Sends the start, once per Docker container, ever: the intent is on disk before, and nobody who finds one
    /// sends another.
    async fn start(&mut self, work: &Work, id: &str) -> Result<Next, Trouble> {
        let context = self.context.clone();
        if self.is_outdated() {
            return Ok(Duration::ZERO);
        }
        if !context.authority.may_start() {
            return Ok(NO_LEASE);
        }
        context.intents.starting(self.key, &context.boot)?;
        self.memory.doubt_until = Some(Instant::now() + DOUBT_MAX);
        if !context.authority.may_start() {
            return Ok(DOUBT_LOOK);
        }
        let epoch = context.epoch.load(Ordering::Relaxed);
        let answer = tokio::select! {
            answer = context.runtime.start(id) => answer,
            () = self.overtaken() => Err(RuntimeError::Away("overtaken before it was answered".to_owned())),
        };
        match answer {
            Ok(()) => {
                self.memory.started_in_epoch = (epoch != UNHEARD).then_some(epoch);
                match self.look(work).await? {
                    Some(seen) if seen.status == Status::Exited => {
                        self.observe(work, &seen).await?;
                        self.conclude(work, &seen).await
                    }
                    Some(seen) => self.observe(work, &seen).await,
                    None => Ok(DOUBT_LOOK),
                }
            }
            Err(RuntimeError::Away(why)) => Err(RuntimeError::Away(why).into()),
            Err(refused) => self.not_started(work, refused).await,
        }
    }

    /// The engine said no. It is believed once it shows the container as never started.
    async fn not_started(&mut self, work: &Work, refused: RuntimeError) -> Result<Next, Trouble> {
        match self.look(work).await? {
            Some(seen) if seen.status != Status::Created => Ok(Duration::ZERO),
            Some(_) | None => {
                let reason = refused.to_string();
                if let RuntimeError::NoSpace(what) = refused {
                    return self.decline(work, Decline::NoSpace(what)).await;
                }
                self.end(work, Outcome::LaunchFailed { code: shell_code(&reason), reason }, None).await
            }
        }
    }

    /// An intent, and a container that has not started: perhaps the start is still on its way. After a while a removal
    /// without force decides: what runs stays, and is adopted.
    async fn doubt(&mut self, work: &Work, seen: &Seen) -> Result<Next, Trouble> {
        let now = Instant::now();
        let until = *self.memory.doubt_until.get_or_insert(now + DOUBT_MAX);
        if now < until {
            return Ok(DOUBT_LOOK);
        }
        self.arbitrate(work, seen).await
    }

    async fn arbitrate(&mut self, work: &Work, seen: &Seen) -> Result<Next, Trouble> {
        match self.context.runtime.remove(&seen.id, false).await {
            // What ran and ended since that look goes without force as well. The engine's history is asked before the
            // intent goes, so that whatever happens here, the next look finds "perhaps".
            Ok(()) if self.context.runtime.history(&seen.id).await?.start => {
                self.end(work, Outcome::Unknown, None).await
            }
            Ok(()) => {
                self.context.intents.forget(self.key)?;
                let reason = "the engine never carried out its start".to_owned();
                self.end(work, Outcome::NeverStarted { reason }, None).await
            }
            Err(RuntimeError::NoSuch) => self.end(work, Outcome::Unknown, None).await,
            Err(RuntimeError::Refused { status: 409, .. }) => Ok(Duration::ZERO),
            Err(error) => Err(error.into()),
        }
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
        let evidence = Evidence {
            signal: intent.signal,
            history: context.runtime.history(&seen.id).await?,
            watched: self.memory.started_in_epoch == Some(context.epoch.load(Ordering::Relaxed)),
            same_boot: intent.start.is_none_or(|boot| boot == context.boot),
            live_restore: context.live_restore.load(Ordering::Relaxed),
        };
        self.end(work, classify::classify(seen, evidence), Some(seen)).await
    }

    /// The session is over: nothing is started, what runs is killed.
    async fn resolve(&mut self, work: &Work) -> Result<Next, Trouble> {
        let intent = self.context.intents.of(self.key);
        let never = |reason: &str| Outcome::NeverStarted { reason: reason.to_owned() };
        match self.look(work).await?.filter(|seen| self.is_ours(seen)) {
            None if intent.start.is_some() => self.end(work, Outcome::Unknown, None).await,
            None => self.end(work, never("its session ended before it was launched"), None).await,
            Some(seen) => match seen.status {
                Status::Created if intent.start.is_some() => self.arbitrate(work, &seen).await,
                Status::Created => {
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

    async fn stop(&mut self, work: &Work, stop: &Stop) -> Result<Next, Trouble> {
        let intent = self.context.intents.of(self.key);
        match self.look(work).await?.filter(|seen| self.is_ours(seen)) {
            None if intent.start.is_some() => self.end(work, Outcome::Unknown, None).await,
            None => self.end(work, Outcome::Cancelled { code: None }, None).await,
            Some(seen) => match seen.status {
                Status::Created if intent.start.is_some() => self.doubt(work, &seen).await,
                Status::Created => self.end(work, Outcome::Cancelled { code: None }, None).await,
                Status::Running => {
                    self.observe(work, &seen).await?;
                    self.context.intents.signalling(self.key, Signal::Stop)?;
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
        self.memory.stopping = Some(tokio::spawn(async move {
            if let Err(error) = runtime.stop(&seen.id, grace_s).await {
                tracing::warn!(id = %seen.id, %error, "stop a container");
            }
        }));
    }

    async fn kill(&self, seen: &Seen) -> Result<Next, Trouble> {
        match self.context.runtime.kill(&seen.id).await {
            Ok(()) | Err(RuntimeError::NoSuch | RuntimeError::Refused { status: 409, .. }) => Ok(AFTER_KILL),
            Err(error) => Err(error.into()),
        }
    }

    async fn remove(&mut self) -> Result<Next, Trouble> {
        if let Some(id) = self.context.find_id(self.key).await? {
            match self.context.runtime.remove(&id, true).await {
                Ok(()) | Err(RuntimeError::NoSuch) => {}
                // Somebody else removes it already.
                Err(RuntimeError::Refused { status: 409, .. }) => return Ok(AFTER_KILL),
                Err(error) => return Err(error.into()),
            }
            self.context.ids.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&self.key);
        }
        self.context.intents.forget(self.key)?;
        self.report(None, What::Removed).await;
        Ok(LOOK)
    }

    async fn decline(&mut self, work: &Work, reason: Decline) -> Result<Next, Trouble> {
        self.memory.ended = true;
        self.report(Some(work.claim.session), What::Declined(reason)).await;
        Ok(LOOK)
    }

    async fn end(&mut self, work: &Work, outcome: Outcome, seen: Option<&Seen>) -> Result<Next, Trouble> {
        self.memory.ended = true;
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

/// The exit code that a shell, and `docker run`, give a program that could not be started.
fn shell_code(reason: &str) -> i64 {
    if reason.contains("executable file not found") || reason.contains("no such file or directory") {
        127
    } else if reason.contains("permission denied") {
        126
    } else {
        125
    }
}
