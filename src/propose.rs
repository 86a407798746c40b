//! From a command to its committed reply, from any node. The leader takes it; who follows passes it on and tries again
//! inside the deadline. That is safe because every command carries what makes a repetition harmless: a request key, or
//! an attempt and a session.

use std::sync::Arc;
use std::time::Duration;

use openraft::ReadPolicy;
use openraft::async_runtime::WatchReceiver;
use openraft::errors::{ClientWriteError, LinearizableReadError, RaftError};
use pinode_raft::{Machine, Raft};
use pinode_scheduler::mutant::{self, Mutant};
use pinode_scheduler::{Command, Entry, NodeId, Reply};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::clock;
use crate::transport::Peers;
use crate::transport::wire::{Answer, Ask};

/// Proposals of this node under way at once; more wait their turn inside their deadline.
const IN_FLIGHT_MAX: usize = 1_024;
/// Before the leader that gave no answer is asked again: as long, then twice as long, up to the longest. Another leader
/// is asked at once.
const PAUSE: Duration = Duration::from_millis(20);
/// The longest.
const PAUSE_MAX: Duration = Duration::from_millis(160);
/// Longest wait for one answer of the leader before it is asked again, and longest work of a leader on one question.
const TRY_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a command was not committed, or is not known to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProposeError {
    /// No quorum, or no leader, until the deadline.
    #[error("no quorum within {} ms; a majority of the voting nodes must be up and reach each other", .0.as_millis())]
    NoQuorum(Duration),
    /// This node stops.
    #[error("this node is stopping")]
    Stopped,
}

/// Commits commands. Clones share it.
#[derive(Clone, Debug)]
pub struct Proposer {
    raft: Raft,
    machine: Machine,
    peers: Arc<Peers>,
    me: NodeId,
    room: Arc<Semaphore>,
}

impl Proposer {
    /// On top of Raft.
    pub fn new(raft: Raft, machine: Machine, peers: Arc<Peers>, me: NodeId) -> Proposer {
        Proposer { raft, machine, peers, me, room: Arc::new(Semaphore::new(IN_FLIGHT_MAX)) }
    }

    /// Commits `command` and returns what `apply` answered.
    pub async fn propose(&self, command: Command, within: Duration) -> Result<Reply, ProposeError> {
        let ask = Ask::Propose(command);
        let committed = async {
            let _place = self.room.acquire().await.map_err(|_| ProposeError::Stopped)?;
            let reply = |answer: &Answer| {
                if let Answer::Proposed(reply) = answer { Some(reply.clone()) } else { None }
            };
            self.until_answered(&ask, reply).await
        };
        timeout(within, committed).await.unwrap_or(Err(ProposeError::NoQuorum(within)))
    }

    /// Asks whoever leads, until the answer is one of those that are wanted.
    async fn until_answered<T>(
        &self,
        ask: &Ask,
        wanted: impl Fn(&Answer) -> Option<T>,
    ) -> Result<T, ProposeError> {
        let mut pause = PAUSE;
        loop {
            let leader = self.another_leads(None).await?;
            if let Some(answer) = self.ask_while_it_leads(leader, ask).await? {
                if let Some(wanted) = wanted(&answer) {
                    return Ok(wanted);
                }
                tracing::debug!(answer = answer.word(), "ask again");
            }
            tokio::select! {
                another = self.another_leads(Some(leader)) => {
                    another?;
                    pause = PAUSE;
                }
                () = sleep(pause) => pause = PAUSE_MAX.min(pause * 2),
            }
        }
    }

    /// Asks the leader, and gives up when somebody else leads: a leader that is cut off never answers.
    async fn ask_while_it_leads(&self, leader: NodeId, ask: &Ask) -> Result<Option<Answer>, ProposeError> {
        let answer = async {
            if leader != self.me {
                return self.ask(leader, ask).await;
            }
            // Nothing else is asked so.
            Some(if let Ask::Propose(command) = ask {
                self.propose_here(command.clone()).await
            } else {
                self.read_index_here().await
            })
        };
        tokio::select! {
            // An answer that is there is never thrown away, whoever leads by now.
            biased;
            answer = answer => Ok(answer),
            another = self.another_leads(Some(leader)) => another.map(|_| None),
        }
    }

    /// Waits until there is a leader, and not that one. These metrics change with the leader and not with every
    /// heartbeat; they end with Raft.
    async fn another_leads(&self, than: Option<NodeId>) -> Result<NodeId, ProposeError> {
        let mut metrics = self.raft.server_metrics();
        loop {
            let leader = metrics.borrow_watched().current_leader;
            if let Some(leader) = leader.filter(|_| leader != than) {
                return Ok(leader);
            }
            metrics.changed().await.map_err(|_| ProposeError::Stopped)?;
        }
    }

    /// Commits `command` if this node leads.
    pub async fn propose_here(&self, command: Command) -> Answer {
        let entry = Arc::new(Entry { at_ms: clock::wall_ms(), command });
        match timeout(TRY_TIMEOUT, self.raft.client_write(entry)).await {
            Ok(Ok(written)) => Answer::Proposed(written.response().clone()),
            Ok(Err(RaftError::APIError(ClientWriteError::ForwardToLeader(to)))) => {
                Answer::NotLeader(to.leader_id)
            }
            Ok(Err(error)) => Answer::Unable(error.to_string()),
            Err(_) => Answer::Unable("no majority has it yet".to_owned()),
        }
    }

    /// Waits until this node's state contains everything that was committed when it was asked: reads after it are
    /// linearizable.
    pub async fn read_barrier(&self, within: Duration) -> Result<(), ProposeError> {
        if mutant::is(Mutant::ReadsStale) {
            return Ok(());
        }
        let caught_up = async {
            let index =
                |answer: &Answer| if let Answer::ReadIndex(index) = answer { Some(*index) } else { None };
            let index = self.until_answered(&Ask::ReadIndex, index).await?;
            let mut applied = self.machine.applied();
            applied.wait_for(|at| *at >= index).await.map_err(|_| ProposeError::Stopped).map(drop)
        };
        timeout(within, caught_up).await.unwrap_or(Err(ProposeError::NoQuorum(within)))
    }

    /// The read index, if this node leads: never by lease, always by asking a quorum.
    pub async fn read_index_here(&self) -> Answer {
        match timeout(TRY_TIMEOUT, self.raft.get_read_linearizer(ReadPolicy::ReadIndex)).await {
            Ok(Ok(linearizer)) => Answer::ReadIndex(linearizer.read_log_id().index()),
            Ok(Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(to)))) => {
                Answer::NotLeader(to.leader_id)
            }
            Ok(Err(error)) => Answer::Unable(error.to_string()),
            Err(_) => Answer::Unable("no majority answers".to_owned()),
        }
    }

    /// Asks the member `node`; none if there was no answer.
    pub async fn ask(&self, node: NodeId, ask: &Ask) -> Option<Answer> {
        let addr = self.address(node)?;
        match self.peers.call_member(node, &addr, ask, TRY_TIMEOUT).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                tracing::debug!(%error, "ask a peer");
                None
            }
        }
    }

    /// Where nodes reach the member `node`.
    pub fn address(&self, node: NodeId) -> Option<String> {
        let metrics = self.raft.metrics();
        let membership = metrics.borrow_watched().membership_config.clone();
        membership.membership().get_node(&node).map(|member| member.peer.clone())
    }

    /// Who leads, as far as this node knows.
    pub async fn leader(&self) -> Option<NodeId> {
        self.raft.current_leader().await
    }
}
