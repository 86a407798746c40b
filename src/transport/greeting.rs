//! What this node says of itself in a hello, and how it judges what others say of themselves. A disk that was restored
//! from an old copy exchanges no Raft message, in neither direction.

use std::sync::OnceLock;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU16};

use openraft::async_runtime::WatchReceiver;
use pinode_raft::codec::{LogIdV1, VoteV1};
use pinode_raft::identity::family;
use pinode_raft::{Log, Machine, Raft};
use pinode_scheduler::NodeId;
use pinode_scheduler::node::Start;
use tokio::sync::watch;

use super::dial::Target;
use super::wire::{self, Hello, Me, PROTOCOL, Purpose, Seen, VoteAnswerV1, Welcome, cluster_name};

/// Who says hello.
#[derive(Debug)]
pub struct Greeting {
    node: NodeId,
    start: Start,
    log: Box<dyn Log>,
    machine: Machine,
    raft: OnceLock<Raft>,
    cluster: OnceLock<[u8; 32]>,
    stale: watch::Sender<Option<Seen>>,
    /// It was said that another generation of this cluster exists.
    left_behind: AtomicBool,
    /// The newest protocol that another node has asked for, and that this one speaks.
    asked: AtomicU16,
}

impl Greeting {
    /// A node before or after its first contact.
    pub fn new(
        node: NodeId,
        start: Start,
        log: impl Log + 'static,
        machine: Machine,
        cluster: Option<[u8; 32]>,
    ) -> Greeting {
        let known = OnceLock::new();
        if let Some(cluster) = cluster {
            known.get_or_init(|| cluster);
        }
        Greeting {
            node,
            start,
            log: Box::new(log),
            machine,
            raft: OnceLock::new(),
            cluster: known,
            stale: watch::Sender::new(None),
            left_behind: AtomicBool::new(false),
            asked: AtomicU16::new(0),
        }
    }

    /// The node's id.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The cluster's id, once it is known.
    pub fn cluster(&self) -> Option<[u8; 32]> {
        self.cluster.get().copied()
    }

    /// From now on the node belongs to this cluster, and its disk knows it already. The first word stands.
    pub fn belong(&self, cluster: [u8; 32]) {
        self.cluster.get_or_init(|| cluster);
    }

    /// From now on Raft runs: where it leads, it knows what others had acknowledged.
    pub fn lead_with(&self, raft: Raft) {
        self.raft.get_or_init(|| raft);
    }

    /// Set once another node has said that this disk is an old copy, or its node was removed. Who sees it must quarantine the folder and stop
    /// the process.
    pub fn stale(&self) -> watch::Receiver<Option<Seen>> {
        self.stale.subscribe()
    }

    pub(super) fn is_stale(&self) -> bool {
        self.stale.borrow().is_some()
    }

    pub(super) fn found_stale(&self, seen: Seen) {
        let news = self.stale.send_if_modified(|stale| stale.replace(seen).is_none());
        if news {
            tracing::error!("{seen}");
        }
    }

    /// Another node belongs to that cluster. Once, it is said what became of this one.
    pub(super) fn met(&self, theirs: &[u8; 32]) {
        let Some(ours) = self.cluster() else { return };
        if family(&ours) == family(theirs) && ours != *theirs && !self.left_behind.swap(true, Relaxed) {
            tracing::error!(
                "this disk is of {}, which was recovered or restored as {}: start this node with an empty --data-dir to \
                 join that",
                cluster_name(Some(&ours)),
                cluster_name(Some(theirs)),
            );
        }
    }

    /// What this disk has, in its log or in a snapshot that was installed a moment ago.
    fn last(&self) -> Option<LogIdV1> {
        let applied = self.machine.last_applied().as_ref().map(LogIdV1::from);
        self.log.last().into_iter().chain(applied).max_by_key(|id| id.index)
    }

    fn last_log(&self) -> Option<u64> {
        self.last().map(|id| id.index)
    }

    /// What this node's vote and log are, for who asks before Raft runs here.
    pub(super) fn standing(&self) -> VoteAnswerV1 {
        let nobody = VoteV1 { term: 0, node: 0, committed: false };
        VoteAnswerV1 { vote: self.log.vote().unwrap_or(nobody), granted: false, last: self.last() }
    }

    pub(super) fn hello(&self, target: &Target) -> Hello {
        Hello {
            protocol: self.protocol(),
            cluster: target.cluster,
            node: self.node,
            start: self.start,
            last_log: self.last_log(),
            purpose: target.purpose,
            to: target.to,
        }
    }

    /// What this node says that it speaks.
    pub(super) fn protocol(&self) -> u16 {
        self.needed().max(self.asked.load(Relaxed))
    }

    /// The least that is spoken in this node's cluster, as far as it knows: that of the level agreed on.
    fn needed(&self) -> u16 {
        wire::protocol_of(self.machine.state().level())
    }

    /// Another node wants to hear that this one speaks more than it has said. Its cluster has agreed on more than this node
    /// knows of yet.
    pub(super) fn is_asked_for(&self, protocol: u16) {
        if protocol <= PROTOCOL {
            self.asked.fetch_max(protocol, Relaxed);
        }
    }

    /// The answer to a hello. Who belongs to no cluster yet may dial for first contact only.
    pub(super) fn welcome(&self, hello: &Hello) -> Welcome {
        let ours = self.cluster();
        let stranger = hello.cluster.is_none() || ours.is_none();
        let needed = self.needed();
        // What another cluster speaks is nothing that a node would have to speak from now on.
        if hello.to.is_some_and(|to| to != self.node) {
            Welcome::OtherNode(self.node)
        } else if if stranger { hello.purpose != Purpose::Rpc } else { hello.cluster != ours } {
            Welcome::OtherCluster(ours)
        } else if hello.protocol < needed {
            Welcome::OtherProtocol(needed)
        } else if hello.protocol > PROTOCOL {
            Welcome::OtherProtocol(PROTOCOL)
        } else if let Some(seen) = self.objection(hello.node, hello.start) {
            Welcome::Stale(seen)
        } else {
            Welcome::Come(Me { node: self.node, start: self.start, last_log: self.last_log() })
        }
    }

    /// The dialler's judgement on who answered. `acknowledged` was asked for before the hello was sent, so no
    /// acknowledgement on another connection can overtake the answer.
    pub(super) fn judge(&self, me: &Me, acknowledged: Option<u64>) -> Result<(), Seen> {
        match (self.objection(me.node, me.start), acknowledged) {
            (Some(seen), _) => Err(seen),
            (None, Some(seen)) if me.last_log < Some(seen) => Err(Seen::Log { seen, shown: me.last_log }),
            (None, _) => Ok(()),
        }
    }

    /// What the replicated state has against a disk that shows this start.
    fn objection(&self, node: NodeId, shown: Start) -> Option<Seen> {
        let state = self.machine.state();
        if state.is_removed(node) {
            return Some(Seen::Removed);
        }
        let seen = state.find_node(node)?.facts.start;
        let older = shown.is_of_an_older_copy_than(seen);
        older.then_some(Seen::Start { seen: seen.count, shown: shown.count })
    }

    /// Index up to which `node` has acknowledged entries that are committed: those are never truncated, so its log
    /// must have them. Known to a leader only.
    pub(super) fn acknowledged(&self, node: NodeId) -> Option<u64> {
        let metrics = self.raft.get()?.metrics();
        let metrics = metrics.borrow_watched();
        let matched = metrics.replication.as_ref()?.get(&node)?.as_ref()?.index;
        let committed = metrics.cluster_committed.as_ref()?.index;
        Some(matched.min(committed))
    }
}
