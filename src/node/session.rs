//! Sessions: open one, keep its lease, and when it is lost make the engine silent before the next.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use pinode_raft::host::here;
use pinode_raft::{Log, Machine};
use pinode_scheduler::node::Start;
use pinode_scheduler::{Command, NodeId, Reply, SessionId};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::leave::never_reruns;
use super::{facts, pace};
use crate::agent::runtime::{ContainerRuntime, EngineInfo};
use crate::agent::{Agent, Authority};
use crate::config::Config;
use crate::driver;
use crate::liveness::{Keeper, Lease, keep_renewing};
use crate::propose::Proposer;

/// One try to open a session.
const TRY: Duration = Duration::from_secs(5);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two looks at the engine of a node that has no session yet, and whose time is up.
const FENCE_LOOK: Duration = Duration::from_secs(1);
/// Tries between two lines in the log.
const TRIES_BETWEEN_WORDS: u32 = 20;

/// What sessions are made of.
pub(super) struct Sessions {
    pub(super) me: NodeId,
    pub(super) start: Start,
    pub(super) boot: String,
    pub(super) config: Config,
    pub(super) shared_id: watch::Receiver<Option<String>>,
    pub(super) leaving: watch::Receiver<bool>,
    pub(super) engine: Arc<dyn ContainerRuntime>,
    pub(super) agent: Arc<Agent>,
    pub(super) log: Arc<dyn Log>,
    /// The pace that Raft was started with.
    pub(super) sync_ms: u32,
    pub(super) machine: Machine,
    pub(super) proposer: Proposer,
    pub(super) keeper: Arc<Keeper>,
    pub(super) lease: Arc<Lease>,
}

/// Opens one session after the other, for as long as the node lives.
pub(super) async fn keep(sessions: Sessions, current: watch::Sender<Option<SessionId>>) {
    let mut driving: Option<AbortHandle> = None;
    for tries in 0_u32.. {
        if sessions.lease.is_given_up() {
            return pending().await;
        }
        let opened = if driving.is_some() { sessions.open().await } else { sessions.open_or_fence().await };
        let session = match opened {
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
            tokio::spawn(here(drive)).abort_handle()
        });
        let Sessions { lease, proposer, machine, keeper, log, sync_ms, .. } = &sessions;
        let sync = || pace::said(log.sync_p99(), *sync_ms, machine.state().pace().sync_ms);
        tokio::select! {
            () = keep_renewing(lease, proposer, machine, session, keeper, sync) => {}
            never = sessions.follow_folder(session) => match never {},
        }
        current.send_replace(None);
        tracing::warn!(%session, "lost; stopping what it started");
    }
}

impl Sessions {
    /// The first session of this process. Until there is one nobody drives the agent, because the state may be behind;
    /// but what an earlier process left running must not outlive the lease.
    async fn open_or_fence(&self) -> Result<SessionId, String> {
        tokio::select! {
            opened = self.open() => opened,
            never = self.fence_when_it_is_time() => match never {},
        }
    }

    async fn fence_when_it_is_time(&self) -> Infallible {
        let mut fenced = self.lease.fenced();
        loop {
            if fenced.wait_for(|fenced| *fenced).await.is_err() {
                pending().await
            }
            if let Err(error) = self.agent.silence(&|id| never_reruns(&self.machine, id)).await {
                tracing::warn!(%error, "stop what an earlier process left running");
            }
            // A start that it had sent may still be carried out.
            sleep(FENCE_LOOK).await;
        }
    }

    /// Says it again whenever something else is seen in the shared folder's place: a mount came late, or is gone.
    async fn follow_folder(&self, session: SessionId) -> Infallible {
        let mut seen = self.shared_id.clone();
        while seen.changed().await.is_ok() {
            tracing::info!(
                sees = seen.borrow_and_update().as_deref(),
                "the shared folder's place has changed"
            );
            while let Err(why) = self.say_open(session).await {
                tracing::warn!(%why, "say what is seen in the shared folder's place");
                sleep(TRY).await;
            }
        }
        pending().await
    }

    async fn open(&self) -> Result<SessionId, String> {
        self.proposer.read_barrier(TRY).await.map_err(|error| error.to_string())?;
        let (session, fresh) = self.next();
        if fresh {
            // Nothing of an earlier session runs when the next one is opened. The lease is not held, so nothing starts.
            let silent = self.agent.silence(&|_| false).await;
            silent.map_err(|error| error.to_string())?;
        }
        let engine = self.say_open(session).await?;
        facts::record_live_restore(&self.config.data_dir, &self.boot, engine.live_restore)
            .map_err(|error| error.to_string())?;
        Ok(session)
    }

    /// Commits the session, with what is true of this node now. Who leaves says nothing of the kind: the cluster would
    /// take it for back, and not wait for what goes on under its guard.
    async fn say_open(&self, session: SessionId) -> Result<EngineInfo, String> {
        unless_leaving(self.leaving.clone(), self.commit_open(session)).await
    }

    async fn commit_open(&self, session: SessionId) -> Result<EngineInfo, String> {
        let engine = self.engine.info().await.map_err(|error| error.to_string())?;
        let shared = self.shared_id.borrow().clone();
        let facts = facts::facts(&self.config, &engine, &self.boot, self.start, shared.as_deref());
        self.lease.says_that_it_is_back(self.config.timing.paced(self.machine.state().pace()).lease);
        let opened = self.proposer.propose(Command::SessionOpened { session, facts }, TRY).await;
        match opened.map_err(|error| error.to_string())? {
            Reply::Rejected(rejection) => Err(rejection.to_string()),
            Reply::Done | Reply::Stale | Reply::Submitted(_) => Ok(engine),
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
}

/// What `act` comes to. From the moment that the node leaves `act` goes no further, and nothing comes of it.
async fn unless_leaving<T>(mut leaving: watch::Receiver<bool>, act: impl Future<Output = T>) -> T {
    let leaves = async { leaving.wait_for(|leaving| *leaving).await.is_ok() };
    tokio::select! {
        biased;
        true = leaves => pending().await,
        done = act => done,
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_said_of_a_session_is_cut_short_when_its_node_leaves_and_not_begun_after() {
        let leaving = watch::Sender::new(false);
        assert_eq!(unless_leaving(leaving.subscribe(), async { 1 }).await, 1);
        let (told, mut hears) = watch::channel(0);
        let says = unless_leaving(leaving.subscribe(), async {
            sleep(PAUSE).await;
            told.send_replace(1);
        });
        let leaves = async { leaving.send_replace(true) };
        assert!(timeout(TRY, async { tokio::join!(says, leaves) }).await.is_err());
        let says = unless_leaving(leaving.subscribe(), async { told.send_replace(2) });
        assert!(timeout(TRY, says).await.is_err());
        assert_eq!(*hears.borrow_and_update(), 0);
    }
}
