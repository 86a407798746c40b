//! One worker an attempt, kept in step with what is owed, woken by the engine's hints.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use pinode_raft::host::here;
use pinode_scheduler::container::Decline;
use pinode_scheduler::mutant::{self, Mutant};
use pinode_scheduler::{ContainerId, Duty, Outcome, SessionId};
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep, timeout};

use super::gate::Gate;
use super::images::ImageSource;
use super::intents::{Intents, Key, Signal};
use super::launch::Launcher;
use super::runtime::{ContainerRuntime, EngineInfo, Hint, RuntimeError, Seen, Status};
use super::silence::{Stage, StillLoud};
use super::worker;

/// The engine's hints may be lost, and an engine that hangs says nothing: its list is looked at this often.
const LIST_EVERY: Duration = Duration::from_secs(5);
/// An engine that takes longer to say what it is, or what it has, is away: nothing new is claimed for it.
const ANSWER: Duration = Duration::from_secs(4);
/// Attempts that are remembered as removed, for creates that come late.
const REMOVED_MAX: usize = 1_024;
/// Pause before an engine that went away is asked again.
const RECONNECT: Duration = Duration::from_millis(500);
/// Reports that wait for the driver; a worker that has one more waits with it.
const REPORTS_MAX: usize = 256;
/// Creates and starts under way at once on one engine; more only queue up inside it.
const LAUNCHES_MAX: usize = 8;

/// The epoch in which nobody hears hints: what begins and ends in it was not watched.
pub(super) const UNHEARD: u64 = 0;

/// Whether this node may act.
pub trait Authority: Send + Sync {
    /// Whether a container that is claimed by this session may be started now.
    fn may_start(&self, session: SessionId) -> bool;
    /// True while everything fenced must be dead.
    fn fenced(&self) -> watch::Receiver<bool>;
}

/// Something that happened to an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whose.
    pub container: ContainerId,
    /// Which.
    pub attempt: u32,
    /// Under which claim; none for what needs no claim.
    pub session: Option<SessionId>,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// What is done before it can start.
    Preparing(String),
    /// It started, at the engine's time.
    Started(String),
    /// It is healthy.
    Healthy,
    /// It ended.
    Exited {
        /// How.
        outcome: Outcome,
        /// The engine's time.
        started_at: Option<String>,
        /// The engine's time.
        finished_at: Option<String>,
        /// By the engine's clock, in milliseconds.
        ran_ms: u64,
    },
    /// This node does not take it.
    Declined(Decline),
    /// Its Docker container is gone.
    Removed,
}

/// What an agent is started with.
pub struct AgentConfig {
    /// Hex of the part of the cluster's id that stays when it is recovered or restored: its Docker containers must be known
    /// by it afterwards.
    pub cluster: String,
    /// This node's name.
    pub node: String,
    /// The kernel's boot id.
    pub boot: String,
    /// Where intents are kept.
    pub intents: Intents,
    /// The folder that all nodes share.
    pub shared_dir: PathBuf,
    /// Whether the engine run before this process was recorded to have live-restore on.
    pub live_restore: bool,
}

/// What all workers share.
pub(super) struct Context {
    pub(super) runtime: Arc<dyn ContainerRuntime>,
    pub(super) authority: Arc<dyn Authority>,
    pub(super) launcher: Launcher,
    pub(super) intents: Intents,
    pub(super) boot: String,
    pub(super) live_restore: AtomicBool,
    pub(super) reports: mpsc::Sender<Report>,
    pub(super) launches: Semaphore,
    /// The number of the present stream of hints, or [`UNHEARD`]: equal numbers mean an unbroken watch between.
    pub(super) epoch: AtomicU64,
    pub(super) gate: Gate,
    pub(super) images: OnceLock<Arc<dyn ImageSource>>,
    /// The engine's ids of our attempts, as last seen.
    pub(super) ids: Mutex<BTreeMap<Key, String>>,
    /// Attempts that were removed by this process, the latest last.
    removed: Mutex<VecDeque<Key>>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("node", &self.launcher.node).finish_non_exhaustive()
    }
}

struct Worker {
    duty: watch::Sender<Duty>,
    hint: Arc<Notify>,
    task: JoinHandle<()>,
}

/// The agent.
pub struct Agent {
    context: Arc<Context>,
    workers: Arc<Mutex<BTreeMap<Key, Worker>>>,
    engine: watch::Receiver<Option<String>>,
    watcher: JoinHandle<()>,
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent").field("workers", &lock(&self.workers).len()).finish_non_exhaustive()
    }
}

impl Agent {
    /// Starts watching the engine. Reports come out of the receiver.
    pub fn start(
        runtime: Arc<dyn ContainerRuntime>,
        authority: Arc<dyn Authority>,
        config: AgentConfig,
    ) -> (Agent, mpsc::Receiver<Report>) {
        let (reports, receiver) = mpsc::channel(REPORTS_MAX);
        let launcher = Launcher { cluster: config.cluster, node: config.node, shared_dir: config.shared_dir };
        let context = Arc::new(Context {
            runtime,
            authority,
            launcher,
            intents: config.intents,
            boot: config.boot,
            live_restore: AtomicBool::new(config.live_restore),
            reports,
            launches: Semaphore::new(LAUNCHES_MAX),
            epoch: AtomicU64::new(UNHEARD),
            gate: Gate::default(),
            images: OnceLock::new(),
            ids: Mutex::default(),
            removed: Mutex::default(),
        });
        let workers = Arc::new(Mutex::default());
        let (problem, engine) = watch::channel(None);
        let watcher = tokio::spawn(here(watch_engine(context.clone(), workers.clone(), problem)));
        (Agent { context, workers, engine, watcher }, receiver)
    }

    /// Brings the workers in step with what is owed now.
    pub fn set_owed(&self, owed: BTreeMap<Key, Duty>) {
        let mut workers = lock(&self.workers);
        let active = |key: &Key| owed.get(key).is_some_and(|duty| !matches!(duty, Duty::Keep { .. }));
        workers.retain(|key, _| active(key));
        for (key, duty) in owed.into_iter().filter(|(_, duty)| !matches!(duty, Duty::Keep { .. })) {
            match workers.get(&key).filter(|worker| !worker.task.is_finished()) {
                Some(worker) => {
                    worker
                        .duty
                        .send_if_modified(|old| *old != duty && std::mem::replace(old, duty.clone()) != duty);
                }
                None => {
                    let (sender, receiver) = watch::channel(duty);
                    let hint = Arc::new(Notify::new());
                    let work = worker::run(self.context.clone(), key, receiver, hint.clone());
                    let task = tokio::spawn(here(work));
                    workers.insert(key, Worker { duty: sender, hint, task });
                }
            }
        }
    }

    /// Whether a container that is claimed by this session may be started now.
    pub fn may_start(&self, session: SessionId) -> bool {
        self.context.authority.may_start(session)
    }

    /// What ails the engine; none while it answers.
    pub fn engine(&self) -> watch::Receiver<Option<String>> {
        self.engine.clone()
    }

    /// Hex of the part of the cluster's id that its Docker containers bear.
    pub fn cluster(&self) -> &str {
        &self.context.launcher.cluster
    }

    /// Makes the engine silent, but for what is spared.
    pub async fn silence(
        &self,
        spared: &(dyn Fn(ContainerId) -> bool + Send + Sync),
    ) -> Result<(), StillLoud> {
        let Context { runtime, launcher, intents, .. } = &*self.context;
        Stage { engine: &**runtime, cluster: &launcher.cluster, intents }.silence(spared).await
    }

    /// True while everything fenced must be dead.
    pub fn fenced(&self) -> watch::Receiver<bool> {
        self.context.authority.fenced()
    }

    /// Attempts that may have been started in this boot, by what was intended, and are not known to be gone.
    pub fn started(&self) -> Vec<Key> {
        self.context.intents.started_in(&self.context.boot)
    }

    /// The engine's ids of its attempts, as last seen.
    pub fn known_ids(&self) -> BTreeMap<Key, String> {
        lock(&self.context.ids).clone()
    }

    /// Durably: what is signalled next is signalled because somebody wants it to stop.
    pub fn stop_intent(&self, key: Key) -> std::io::Result<()> {
        self.context.intents.signalling(key, Signal::Stop)
    }

    /// The engine's id of an attempt's Docker container.
    pub async fn docker_id(&self, key: Key) -> Result<Option<String>, RuntimeError> {
        self.context.find_id(key).await
    }

    /// From now on, what the engine lacks is looked for there. The first word stands.
    pub fn fetch_images_from(&self, source: Arc<dyn ImageSource>) {
        self.context.images.get_or_init(|| source);
    }

    /// Where attempts wait for who is attached to them.
    pub fn gate(&self) -> &Gate {
        &self.context.gate
    }

    /// The engine.
    pub fn runtime(&self) -> Arc<dyn ContainerRuntime> {
        self.context.runtime.clone()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.watcher.abort();
        for worker in lock(&self.workers).values() {
            worker.task.abort();
        }
    }
}

impl Context {
    /// From memory, or else from the engine's list.
    pub(super) async fn find_id(&self, key: Key) -> Result<Option<String>, RuntimeError> {
        if let Some(id) = lock(&self.ids).get(&key) {
            return Ok(Some(id.clone()));
        }
        self.refresh().await?;
        Ok(lock(&self.ids).get(&key).cloned())
    }

    async fn refresh(&self) -> Result<Vec<Seen>, RuntimeError> {
        let before = lock(&self.ids).clone();
        let seen = in_time(self.runtime.list(&self.launcher.cluster)).await?;
        let mut ids = lock(&self.ids);
        // What was made while the engine made its list is in none of the two.
        ids.retain(|key, id| before.get(key) != Some(id));
        ids.extend(seen.iter().filter_map(|seen| Some((seen.key()?, seen.id.clone()))));
        Ok(seen)
    }

    /// Live-restore vouches for an end only if it was on all the time.
    pub(super) async fn note_engine(&self) -> Result<(), RuntimeError> {
        let EngineInfo { live_restore, .. } = in_time(self.runtime.info()).await?;
        self.live_restore.fetch_and(live_restore, Ordering::Relaxed);
        Ok(())
    }

    /// The attempt's Docker container is there, under this id.
    pub(super) fn note_made(&self, key: Key, id: &str) {
        lock(&self.ids).insert(key, id.to_owned());
    }

    /// The attempt's Docker container is gone. A create that was given up may still be carried out.
    pub(super) fn note_removed(&self, key: Key) {
        lock(&self.ids).remove(&key);
        let mut removed = lock(&self.removed);
        removed.push_back(key);
        if removed.len() > REMOVED_MAX {
            removed.pop_front();
        }
    }

    /// What was made after it had been removed is nobody's, and was never started.
    async fn remove_late(&self, seen: &[Seen]) {
        let late = |key: &Key| lock(&self.removed).contains(key);
        for seen in seen.iter().filter(|seen| seen.status == Status::Created) {
            if let Some(key) = seen.key().filter(late)
                && let Err(error) = self.runtime.remove(&seen.id, false).await
            {
                tracing::warn!(container = %key.0, attempt = key.1, %error, "remove what was made too late");
            }
        }
    }
}

type Workers = Arc<Mutex<BTreeMap<Key, Worker>>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn in_time<T>(answer: impl Future<Output = Result<T, RuntimeError>>) -> Result<T, RuntimeError> {
    let late = |_| Err(RuntimeError::Away(format!("no answer within {} s", ANSWER.as_secs())));
    timeout(ANSWER, answer).await.unwrap_or_else(late)
}

/// Follows the engine's hints for ever; whenever they begin or break, everybody looks for himself.
async fn watch_engine(context: Arc<Context>, workers: Workers, problem: watch::Sender<Option<String>>) {
    for epoch in UNHEARD + 1.. {
        let error = match context.note_engine().await {
            Ok(()) => follow(&context, epoch, &workers, &problem).await,
            Err(error) => error,
        };
        context.epoch.store(UNHEARD, Ordering::Relaxed);
        problem.send_if_modified(|old| old.replace(error.to_string()).is_none());
        sleep(RECONNECT).await;
    }
}

async fn follow(
    context: &Context,
    epoch: u64,
    workers: &Workers,
    problem: &watch::Sender<Option<String>>,
) -> RuntimeError {
    let mut hints = context.runtime.hints(&context.launcher.cluster);
    context.epoch.store(epoch, Ordering::Relaxed);
    problem.send_if_modified(|old| old.take().is_some());
    if !mutant::is(Mutant::TrustsEvents) {
        lock(workers).values().for_each(|worker| worker.hint.notify_one());
    }
    let mut list = interval(LIST_EVERY);
    loop {
        tokio::select! {
            hint = hints.next() => match hint {
                Some(Ok(hint)) => wake(workers, &hint),
                Some(Err(error)) => return error,
                None => return RuntimeError::Away("the stream of events ended".to_owned()),
            },
            _ = list.tick() => match context.refresh().await {
                Ok(_) if mutant::is(Mutant::TrustsEvents) => {}
                Ok(seen) => {
                    wake_changed(workers, &seen);
                    context.remove_late(&seen).await;
                }
                Err(error) => return error,
            },
        }
    }
}

fn wake(workers: &Workers, hint: &Hint) {
    let Ok(container) = hint.container.parse() else { return };
    if let Some(worker) = lock(workers).get(&(container, hint.attempt)) {
        worker.hint.notify_one();
    }
}

/// Who runs as he should is left in peace.
fn wake_changed(workers: &Workers, seen: &[Seen]) {
    let running: Vec<Key> =
        seen.iter().filter(|seen| seen.status == Status::Running).filter_map(Seen::key).collect();
    let workers = lock(workers);
    let strange = workers.iter().filter(|(key, _)| !running.contains(key));
    strange.for_each(|(_, worker)| worker.hint.notify_one());
    for key in seen.iter().filter(|seen| seen.status == Status::Running).filter_map(Seen::key) {
        if !workers.contains_key(&key) {
            tracing::debug!(container = %key.0, attempt = key.1, "runs here and is not owed; left alone");
        }
    }
}
