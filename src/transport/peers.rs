//! All connections that this node dials: one for each node, purpose, and cluster it speaks for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pinode_raft::host::here;
use pinode_scheduler::NodeId;
use tokio::task::JoinSet;

use super::connection::{CallError, Connection};
use super::dial::{Target, dial};
use super::greeting::Greeting;
use super::socket::{Tcp, Wires};
use super::tunnel::{Tunnel, bytes_of};
use super::wire::{Answer, Ask, Purpose, VoteRequestV1};

/// Connections that are kept; one more is made for one question and ends with it.
const KEPT_MAX: usize = 1_024;

/// The dialled connections. They end when it is dropped.
pub struct Peers {
    greeting: Arc<Greeting>,
    wires: Arc<dyn Wires>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    kept: BTreeMap<Target, Connection>,
    tasks: JoinSet<()>,
    stopped: bool,
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("greeting", &self.greeting).finish_non_exhaustive()
    }
}

impl Peers {
    /// Nobody is dialled yet.
    pub fn new(greeting: Arc<Greeting>) -> Peers {
        Peers::over(Arc::new(Tcp), greeting)
    }

    /// The same over other wires.
    pub fn over(wires: Arc<dyn Wires>, greeting: Arc<Greeting>) -> Peers {
        Peers { greeting, wires, open: Mutex::default() }
    }

    /// This node.
    pub fn me(&self) -> NodeId {
        self.greeting.node()
    }

    /// Asks who is at `addr`, whoever it is.
    pub async fn call(&self, addr: &str, ask: &Ask, within: Duration) -> Result<Answer, CallError> {
        self.connection(addr, None, Purpose::Rpc).call(ask, within).await
    }

    /// Asks the member `node`, which is reached at `addr`; another node there is not asked.
    pub async fn call_member(
        &self,
        node: NodeId,
        addr: &str,
        ask: &Ask,
        within: Duration,
    ) -> Result<Answer, CallError> {
        self.connection(addr, Some(node), Purpose::Rpc).call(ask, within).await
    }

    /// Asks the member `node` what it would say to a candidate. Nothing changes there.
    pub async fn pre_vote(
        &self,
        node: NodeId,
        addr: &str,
        candidate: VoteRequestV1,
        within: Duration,
    ) -> Result<Answer, CallError> {
        self.connection(addr, Some(node), Purpose::Heartbeat).call(&Ask::PreVote(candidate), within).await
    }

    /// Returns once another node has said that this disk is an old copy.
    pub async fn until_stale(&self) {
        if self.greeting.stale().wait_for(Option::is_some).await.is_err() {
            std::future::pending().await
        }
    }

    /// A connection to the API of the member `node`, for one HTTP conversation. It is the caller's, and not kept.
    pub async fn tunnel(&self, node: NodeId, addr: &str) -> Result<Tunnel, CallError> {
        let target = Target {
            addr: addr.to_owned(),
            to: Some(node),
            purpose: Purpose::Http,
            cluster: self.greeting.cluster(),
        };
        let frames = dial(&target, &self.greeting, &*self.wires).await?;
        bytes_of(frames).map_err(|error| CallError::Broken { addr: target.addr, why: error.to_string() })
    }

    /// Ends all connections. Questions after it are not asked.
    pub async fn stop(&self) {
        let mut tasks = {
            let mut open = self.open();
            open.stopped = true;
            open.kept.clear();
            std::mem::take(&mut open.tasks)
        };
        tasks.shutdown().await;
    }

    pub(super) fn connection(&self, addr: &str, to: Option<NodeId>, purpose: Purpose) -> Connection {
        let target = Target { addr: addr.to_owned(), to, purpose, cluster: self.greeting.cluster() };
        let mut open = self.open();
        if let Some(connection) = open.kept.get(&target) {
            return connection.clone();
        }
        let (connection, task) =
            Connection::new(target.clone(), Arc::clone(&self.greeting), Arc::clone(&self.wires));
        while open.tasks.try_join_next().is_some() {}
        if !open.stopped {
            open.tasks.spawn(here(task));
            // Who has moved, or was met before there was a cluster, is not met there again.
            open.kept.retain(|old, _| {
                old.cluster == target.cluster && (to.is_none() || old.to != to || old.addr == target.addr)
            });
            if open.kept.len() < KEPT_MAX {
                open.kept.insert(target, connection.clone());
            }
        }
        connection
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
