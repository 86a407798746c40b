//! Sessions: open one, keep its lease, and when it is lost make the engine silent before the next.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pinode_raft::{Identity, Machine};
use pinode_scheduler::{Command, NodeId, Rejection, Reply, SessionId};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::facts;
use crate::agent::docker::DockerEngine;
use crate::agent::runtime::{ContainerRuntime, RuntimeError, Status};
use crate::agent::{Agent, Intents};
use crate::config::Config;
use crate::driver;
use crate::http::hex;
use crate::liveness::{Keeper, Lease, keep_renewing};
use crate::propose::Proposer;

/// One try to open a session.
const TRY: Duration = Duration::from_secs(5);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two looks at an engine that is being silenced.
const SILENCE_LOOK: Duration = Duration::from_millis(200);
/// Tries between two lines in the log.
const TRIES_BETWEEN_WORDS: u32 = 20;

/// What sessions are made of.
pub(super) struct Sessions {
    pub(super) me: NodeId,
    pub(super) starts: u64,
    pub(super) boot: String,
    pub(super) config: Config,
    pub(super) shared_id: Option<String>,
    pub(super) engine: Arc<DockerEngine>,
    pub(super) agent: Arc<Agent>,
    pub(super) machine: Machine,
    pub(super) proposer: Proposer,
    pub(super) keeper: Arc<Keeper>,
    pub(super) lease: Arc<Lease>,
}

/// Opens one session after the other, for as long as the node lives.
pub(super) async fn keep(sessions: Sessions, current: watch::Sender<Option<SessionId>>) {
    let mut driving: Option<AbortHandle> = None;
    for tries in 0_u32.. {
        let session = match sessions.open().await {
            Ok(session) => session,
            Err(why) => {
                if tries % TRIES_BETWEEN_WORDS == 0 {
                    tracing::warn!(%why, "no session yet");
                }
                sleep(PAUSE).await;
                continue;
            }
        };
        tracing::info!(%session, "may act");
        current.send_replace(Some(session));
        // Only now: before, the state may be behind, and what it owes would be of another time.
        driving.get_or_insert_with(|| {
            let drive = driver::drive(sessions.machine.clone(), sessions.agent.clone(), sessions.me);
            tokio::spawn(drive).abort_handle()
        });
        keep_renewing(&sessions.lease, &sessions.proposer, &sessions.machine, session, &sessions.keeper)
            .await;
        current.send_replace(None);
        tracing::warn!(%session, "lost; stopping what it started");
    }
}

impl Sessions {
    async fn open(&self) -> Result<SessionId, String> {
        let engine = self.engine.info().await.map_err(|error| error.to_string())?;
        self.proposer.read_barrier(TRY).await.map_err(|error| error.to_string())?;
        let (session, fresh) = self.next();
        if fresh {
            self.silence().await.map_err(|error| error.to_string())?;
        }
        let facts = facts::facts(&self.config, &engine, &self.boot, self.starts, self.shared_id.as_deref());
        let opened = self.proposer.propose(Command::SessionOpened { session, facts }, TRY).await;
        match opened.map_err(|error| error.to_string())? {
            Reply::Rejected(rejection @ Rejection::StaleSession(_)) => Err(rejection.to_string()),
            Reply::Rejected(rejection) => Err(rejection.to_string()),
            Reply::Done | Reply::Stale | Reply::Submitted(_) => {
                facts::record_live_restore(&self.config.data_dir, &self.boot, engine.live_restore)
                    .map_err(|error| error.to_string())?;
                Ok(session)
            }
        }
    }

    /// The session to open, and whether it is a new one.
    fn next(&self) -> (SessionId, bool) {
        let state = self.machine.state();
        match state.find_node(self.me) {
            Some(node) if node.is_open() && node.facts.boot_id == self.boot => (node.session_id(), false),
            Some(node) => (SessionId { node: self.me, number: node.session.saturating_add(1) }, true),
            None => (SessionId { node: self.me, number: 1 }, true),
        }
    }

    /// Nothing of an earlier session runs when the next one is opened. The lease is not held, so nothing starts.
    async fn silence(&self) -> Result<(), RuntimeError> {
        let cluster = self.agent.cluster();
        loop {
            let seen = self.engine.list(cluster).await?;
            let running: Vec<_> = seen.into_iter().filter(|seen| seen.status == Status::Running).collect();
            if running.is_empty() {
                return Ok(());
            }
            for seen in running {
                if let Some((container, attempt)) = seen.ours
                    && let Ok(container) = container.parse()
                {
                    let fenced = self.agent.fence_intent((container, attempt));
                    fenced.map_err(|error| RuntimeError::Away(format!("write an intent: {error}")))?;
                }
                kill(&self.engine, &seen.id).await?;
            }
            sleep(SILENCE_LOOK).await;
        }
    }
}

async fn kill(engine: &DockerEngine, id: &str) -> Result<(), RuntimeError> {
    match engine.kill(id).await {
        Ok(()) | Err(RuntimeError::NoSuch | RuntimeError::Refused { status: 409, .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// On the way out: stops what could run elsewhere meanwhile, or everything.
pub(super) async fn silence(
    engine: &DockerEngine,
    data_dir: &Path,
    identity: &Identity,
    everything: bool,
    machine: &Machine,
) -> anyhow::Result<()> {
    let cluster = identity.cluster().map(|id| hex(&id)).unwrap_or_default();
    let intents = Intents::open(&data_dir.join("intents"))?;
    let never = |id| {
        let state = machine.state();
        state.find_container(id).is_some_and(|c| c.spec.rerun == pinode_scheduler::spec::Rerun::Never)
    };
    for seen in engine.list(&cluster).await?.into_iter().filter(|seen| seen.status == Status::Running) {
        let Some((container, attempt)) = seen.ours else { continue };
        let Ok(container) = container.parse() else { continue };
        if everything || !never(container) {
            intents.signalling((container, attempt), crate::agent::Signal::Fence)?;
            kill(engine, &seen.id).await?;
        }
    }
    Ok(())
}
