//! Who we are when we dial, and a few kept connections for questions that are not Raft's.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use pinode_raft::LogStore;
use pinode_scheduler::NodeId;

use super::connection::{CallError, Connection};
use super::wire::{Answer, Ask, Hello, PROTOCOL, Purpose, Welcome};

/// Idle connections kept for each peer; more questions at once than that dial anew.
const IDLE_KEPT: usize = 8;

/// Who says hello.
#[derive(Debug)]
pub struct Greeting {
    node: NodeId,
    starts: u64,
    log: LogStore,
    cluster: OnceLock<[u8; 32]>,
    stale: AtomicU64,
}

impl Greeting {
    /// A node before or after its first contact.
    pub fn new(node: NodeId, starts: u64, log: LogStore, cluster: Option<[u8; 32]>) -> Greeting {
        let known = OnceLock::new();
        if let Some(cluster) = cluster {
            known.get_or_init(|| cluster);
        }
        Greeting { node, starts, log, cluster: known, stale: AtomicU64::new(0) }
    }

    /// The node's id.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The cluster's id, once it is known.
    pub fn cluster(&self) -> Option<[u8; 32]> {
        self.cluster.get().copied()
    }

    /// From now on it speaks for this cluster. A second, other one is impossible and changes nothing.
    pub fn belong(&self, cluster: [u8; 32]) {
        self.cluster.get_or_init(|| cluster);
    }

    /// Starts that a peer has seen of this disk, if that is more than this disk knows of: an old copy.
    pub fn is_stale(&self) -> Option<u64> {
        Some(self.stale.load(Ordering::Relaxed)).filter(|seen| *seen > self.starts)
    }

    pub(super) fn hello(&self, purpose: Purpose) -> Hello {
        let last_log = self.log.recovered().last.map(|id| id.index);
        let (node, starts) = (self.node, self.starts);
        Hello { protocol: PROTOCOL, cluster: self.cluster(), node, starts, last_log, purpose }
    }

    pub(super) fn note(&self, error: &CallError) {
        if let CallError::Refused { welcome: Welcome::Stale { seen }, .. } = error {
            self.stale.fetch_max(*seen, Ordering::Relaxed);
        }
    }
}

/// Kept connections.
#[derive(Debug)]
pub struct Peers {
    greeting: Arc<Greeting>,
    idle: Mutex<BTreeMap<String, Vec<Connection>>>,
}

impl Peers {
    /// None yet.
    pub fn new(greeting: Arc<Greeting>) -> Peers {
        Peers { greeting, idle: Mutex::default() }
    }

    /// Asks the node at `addr`.
    pub async fn call(&self, addr: &str, ask: &Ask, within: Duration) -> Result<Answer, CallError> {
        let kept = self.idle().get_mut(addr).and_then(Vec::pop);
        let mut connection = kept.unwrap_or_else(|| Connection::new(addr.to_owned()));
        let answer = connection.call(&self.greeting.hello(Purpose::Rpc), ask, within).await;
        match &answer {
            Ok(_) => {
                let mut idle = self.idle();
                let kept = idle.entry(addr.to_owned()).or_default();
                if kept.len() < IDLE_KEPT {
                    kept.push(connection);
                }
            }
            Err(error) => self.greeting.note(error),
        }
        answer
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
