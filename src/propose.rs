//! From a command to its committed reply, from any node. The leader takes it; who follows passes it on and tries again
//! inside the deadline. That is safe because every command carries what makes a repetition harmless: a request key, or
//! an attempt and a session.

use std::sync::Arc;
use std::time::Duration;

use openraft::ReadPolicy;
use openraft::errors::{ClientWriteError, LinearizableReadError, RaftError};
use pinode_raft::{Machine, Raft};
use pinode_scheduler::mutant::{self, Mutant};
use pinode_scheduler::{Command, Entry, NodeId, Reply};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::clock;
use crate::transport::Peers;
use crate::transport::wire::{Answer, Ask};

/// Proposals of this node under way at once; more wait their turn inside their deadline.
const IN_FLIGHT_MAX: usize = 1_024;
/// Pause before the next try while there is no leader.
const PAUSE: Duration = Duration::from_millis(20);
/// Longest wait for one answer of the leader before it is asked again, and longest work of a leader on one question.
const TRY_TIMEOUT: Duration = Duration::from_secs(2);
/// Between two looks at whether the leader that was asked still leads.
const LEADER_LOOK: Duration = Duration::from_millis(50);

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

enum Try {
    Done(Reply),
    Again,
}

impl Proposer {
    /// On top of Raft.
    pub fn new(raft: Raft, machine: Machine, peers: Arc<Peers>, me: NodeId) -> Proposer {
        Proposer { raft, machine, peers, me, room: Arc::new(Semaphore::new(IN_FLIGHT_MAX)) }
    }

    /// Commits `command` and returns what `apply` answered.
    pub async fn propose(&self, command: Command, within: Duration) -> Result<Reply, ProposeError> {
        let deadline = Instant::now() + within;
        let late = |_| ProposeError::NoQuorum(within);
        let Ok(_place) = timeout_at(deadline, self.room.acquire()).await.map_err(late)? else {
            return Err(ProposeError::Stopped);
        };
        loop {
            let tried = timeout_at(deadline, self.try_once(&command)).await.map_err(late)??;
            match tried {
                Try::Done(reply) => return Ok(reply),
                Try::Again => timeout_at(deadline, sleep(PAUSE)).await.map_err(late)?,
            }
        }
    }

    async fn try_once(&self, command: &Command) -> Result<Try, ProposeError> {
        let answer = match self.raft.current_leader().await {
            None if self.has_stopped() => return Err(ProposeError::Stopped),
            None => return Ok(Try::Again),
            Some(leader) if leader == self.me => self.propose_here(command.clone()).await,
            Some(leader) => match self.ask_while_it_leads(leader, &Ask::Propose(command.clone())).await {
                Some(answer) => answer,
                None => return Ok(Try::Again),
            },
        };
        if let Answer::Proposed(reply) = answer {
            return Ok(Try::Done(reply));
        }
        tracing::debug!(answer = answer.word(), "propose again");
        if self.has_stopped() { Err(ProposeError::Stopped) } else { Ok(Try::Again) }
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

    /// Whether Raft has ended on this node.
    fn has_stopped(&self) -> bool {
        let metrics = self.raft.metrics();
        openraft::async_runtime::WatchReceiver::borrow_watched(&metrics).running_state.is_err()
    }

    /// Asks the leader, and gives up when somebody else leads: a leader that is cut off never answers.
    async fn ask_while_it_leads(&self, leader: NodeId, ask: &Ask) -> Option<Answer> {
        let another_leads = async {
            while self.raft.current_leader().await.is_none_or(|now| now == leader) {
                sleep(LEADER_LOOK).await;
            }
        };
        tokio::select! {
            answer = self.ask(leader, ask) => answer,
            () = another_leads => None,
        }
    }

    /// Waits until this node's state contains everything that was committed when it was asked: reads after it are
    /// linearizable.
    pub async fn read_barrier(&self, within: Duration) -> Result<(), ProposeError> {
        if mutant::is(Mutant::ReadsStale) {
            return Ok(());
        }
        let deadline = Instant::now() + within;
        let late = |_| ProposeError::NoQuorum(within);
        let index = loop {
            if let Some(index) = timeout_at(deadline, self.read_index()).await.map_err(late)? {
                break index;
            }
            timeout_at(deadline, sleep(PAUSE)).await.map_err(late)?;
        };
        let mut applied = self.machine.applied();
        let caught_up = timeout_at(deadline, applied.wait_for(|at| *at >= index)).await.map_err(late)?;
        caught_up.map(drop).map_err(|_| ProposeError::Stopped)
    }

    async fn read_index(&self) -> Option<u64> {
        let answer = match self.raft.current_leader().await? {
            leader if leader == self.me => self.read_index_here().await,
            leader => self.ask_while_it_leads(leader, &Ask::ReadIndex).await?,
        };
        if let Answer::ReadIndex(index) = answer { Some(index) } else { None }
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
        let membership =
            openraft::async_runtime::WatchReceiver::borrow_watched(&metrics).membership_config.clone();
        membership.membership().get_node(&node).map(|member| member.peer.clone())
    }

    /// Who leads, as far as this node knows.
    pub async fn leader(&self) -> Option<NodeId> {
        self.raft.current_leader().await
    }
}
