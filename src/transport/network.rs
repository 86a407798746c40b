//! openraft's view of the transport.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{Backoff, RPCOption, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::{TransferLeaderRequest, TransferLeaderResponse};
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse};
use pinode_raft::types::{Snapshot, Vote};
use pinode_raft::{Member, TypeConfig};
use pinode_scheduler::NodeId;

use super::connection::{CallError, Connection};
use super::peers::Greeting;
use super::wire::{Answer, Ask, Purpose, SNAPSHOT_PIECE_BYTES};

/// Wait before a peer that was unreachable is tried again.
const REDIAL: Duration = Duration::from_millis(100);
/// Longest wait for the answer to one piece of a snapshot, the installing one included.
const PIECE_TIMEOUT: Duration = Duration::from_secs(30);

/// Makes connections for openraft.
#[derive(Clone, Debug)]
pub struct Network {
    greeting: Arc<Greeting>,
}

impl Network {
    /// Dials as `greeting` says.
    pub fn new(greeting: Arc<Greeting>) -> Network {
        Network { greeting }
    }

    fn line(&self, node: &Member, purpose: Purpose) -> Line {
        Line { greeting: self.greeting.clone(), purpose, connection: Connection::new(node.peer.clone()) }
    }
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Line;

    async fn new_client(&mut self, _target: NodeId, node: &Member) -> Line {
        self.line(node, Purpose::Append)
    }

    async fn new_heartbeat_client(&mut self, _target: NodeId, node: &Member) -> Line {
        self.line(node, Purpose::Heartbeat)
    }

    async fn new_snapshot_client(&mut self, _target: NodeId, node: &Member) -> Line {
        self.line(node, Purpose::Snapshot)
    }
}

/// One connection to one peer for one of Raft's purposes.
#[derive(Debug)]
pub struct Line {
    greeting: Arc<Greeting>,
    purpose: Purpose,
    connection: Connection,
}

/// An answer of another kind than the question.
#[derive(Debug, thiserror::Error)]
#[error("{addr} answered {answer}")]
struct Odd {
    addr: String,
    answer: String,
}

impl Line {
    async fn ask(&mut self, ask: &Ask, within: Duration) -> Result<Answer, RPCError<TypeConfig>> {
        let answer = self.connection.call(&self.greeting.hello(self.purpose), ask, within).await;
        answer.map_err(|error| {
            self.greeting.note(&error);
            match &error {
                CallError::Dial { .. } | CallError::Refused { .. } => RPCError::Unreachable(Unreachable::new(&error)),
                CallError::Broken { .. } | CallError::Late { .. } | CallError::Nonsense { .. } => {
                    RPCError::Network(NetworkError::new(&error))
                }
            }
        })
    }

    fn odd(&self, answer: &Answer) -> RPCError<TypeConfig> {
        let odd = Odd { addr: self.connection.addr().to_owned(), answer: format!("{answer:?}") };
        RPCError::Network(NetworkError::new(&odd))
    }
}

impl RaftNetworkV2<TypeConfig> for Line {
    type SnapshotData = Vec<u8>;

    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RPCError<TypeConfig>> {
        match self.ask(&Ask::Append(rpc), option.hard_ttl()).await? {
            Answer::Append(answer) => Ok(answer),
            other => Err(self.odd(&other)),
        }
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        match self.ask(&Ask::Vote(rpc), option.hard_ttl()).await? {
            Answer::Vote(answer) => Ok(answer),
            other => Err(self.odd(&other)),
        }
    }

    async fn pre_vote(
        &mut self,
        rpc: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        match self.ask(&Ask::PreVote(rpc), option.hard_ttl()).await? {
            Answer::Vote(answer) => Ok(answer),
            other => Err(self.odd(&other)),
        }
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let mut cancel = std::pin::pin!(cancel);
        let pieces: Vec<&[u8]> = snapshot.snapshot.chunks(SNAPSHOT_PIECE_BYTES).collect();
        for (piece, bytes) in (0..).zip(&pieces) {
            let last = piece as usize + 1 == pieces.len();
            let ask = Ask::Snapshot { vote, piece, last, bytes: bytes.to_vec() };
            let answer = tokio::select! {
                closed = &mut cancel => return Err(StreamingError::Closed(closed)),
                answer = self.ask(&ask, PIECE_TIMEOUT) => answer,
            };
            match answer.map_err(streaming)? {
                Answer::Snapshot(answer) => return Ok(answer),
                Answer::More if !last => {}
                other => return Err(streaming(self.odd(&other))),
            }
        }
        Err(streaming(self.odd(&Answer::More)))
    }

    async fn transfer_leader(
        &mut self,
        req: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, RPCError<TypeConfig>> {
        match self.ask(&Ask::Transfer(req), option.hard_ttl()).await? {
            Answer::Transfer(answer) => Ok(answer),
            other => Err(self.odd(&other)),
        }
    }

    fn backoff(&self) -> Option<Backoff> {
        Some(Backoff::new(std::iter::repeat(REDIAL)))
    }
}

fn streaming(error: RPCError<TypeConfig>) -> StreamingError<TypeConfig> {
    match error {
        RPCError::Timeout(error) => StreamingError::Timeout(error),
        RPCError::Unreachable(error) => StreamingError::Unreachable(error),
        RPCError::Network(error) => StreamingError::Network(error),
        RPCError::RemoteError(error) => StreamingError::Network(NetworkError::new(&error)),
    }
}
