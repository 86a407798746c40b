//! openraft's view of the transport.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Timeout, Unreachable};
use openraft::network::{Backoff, RPCOption, RPCTypes, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use pinode_raft::types::{LogId, Snapshot, Vote};
use pinode_raft::{Member, TypeConfig};
use pinode_scheduler::NodeId;

use super::connection::{CallError, Connection};
use super::peers::Peers;
use super::wire::{self, Answer, AppendV1, Ask, BadFrame, Purpose, SNAPSHOT_PIECE_BYTES, TransferAnswerV1};

/// Between two attempts of openraft to reach who can not be reached. Short: a failed dial is cheap, and the connection
/// itself pauses between dials.
const RETRY: Duration = Duration::from_millis(100);
/// Longest wait for one piece of a snapshot.
const PIECE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait until a snapshot is verified, durable and installed.
const INSTALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Makes openraft's lines to other nodes.
#[derive(Clone, Debug)]
pub struct Network {
    peers: Arc<Peers>,
}

impl Network {
    /// On these connections.
    pub fn new(peers: Arc<Peers>) -> Network {
        Network { peers }
    }

    fn line(&self, node: NodeId, member: &Member, appends: Purpose) -> Line {
        Line { peers: Arc::clone(&self.peers), node, addr: member.peer.clone(), appends }
    }
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Line;

    async fn new_client(&mut self, target: NodeId, node: &Member) -> Line {
        self.line(target, node, Purpose::Append)
    }

    async fn new_heartbeat_client(&mut self, target: NodeId, node: &Member) -> Line {
        self.line(target, node, Purpose::Heartbeat)
    }
}

/// openraft's way to one node. What is said picks the connection, so that openraft's many clients share a few.
#[derive(Debug)]
pub struct Line {
    peers: Arc<Peers>,
    node: NodeId,
    addr: String,
    /// Where appends go: a heartbeat does not wait behind entries.
    appends: Purpose,
}

#[derive(Debug, thiserror::Error)]
#[error("{addr} answered {answer}")]
struct Odd {
    addr: String,
    answer: String,
}

type Failed = RPCError<TypeConfig>;

impl Line {
    fn connection(&self, purpose: Purpose) -> Connection {
        self.peers.connection(&self.addr, Some(self.node), purpose)
    }

    async fn ask(
        &self,
        purpose: Purpose,
        kind: RPCTypes,
        ask: &Ask,
        within: Duration,
    ) -> Result<Answer, Failed> {
        let answer = self.connection(purpose).call(ask, within).await;
        answer.map_err(|error| self.failed(&error, kind, within))
    }

    fn failed(&self, error: &CallError, kind: RPCTypes, within: Duration) -> Failed {
        match error {
            CallError::Late { .. } => {
                let id = self.peers.me();
                RPCError::Timeout(Timeout { action: kind, id, target: self.node, timeout: within })
            }
            CallError::Broken { .. } | CallError::Busy { .. } => RPCError::Network(NetworkError::new(error)),
            CallError::Dial { .. }
            | CallError::Refused { .. }
            | CallError::Nonsense { .. }
            | CallError::Stopped => RPCError::Unreachable(Unreachable::new(error)),
        }
    }

    fn odd(&self, answer: &Answer) -> Failed {
        let odd = Odd { addr: self.addr.clone(), answer: answer.word().to_owned() };
        RPCError::Unreachable(Unreachable::new(&odd))
    }

    async fn ask_for_vote(&self, ask: Ask, option: &RPCOption) -> Result<VoteResponse<TypeConfig>, Failed> {
        let answer = self.ask(Purpose::Heartbeat, RPCTypes::Vote, &ask, option.soft_ttl()).await?;
        if let Answer::Vote(vote) = answer { Ok(vote.into()) } else { Err(self.odd(&answer)) }
    }

    async fn send_snapshot(&self, vote: &Vote, snapshot: Snapshot) -> Result<Vote, Failed> {
        let kind = RPCTypes::InstallSnapshot;
        let whole = Bytes::from(snapshot.snapshot);
        for (piece, from) in (0..).zip((0..whole.len()).step_by(SNAPSHOT_PIECE_BYTES)) {
            let to = whole.len().min(from + SNAPSHOT_PIECE_BYTES);
            let ask = Ask::Piece { piece, bytes: whole.slice(from..to) };
            let answer = self.ask(Purpose::Snapshot, kind, &ask, PIECE_TIMEOUT).await?;
            if answer != Answer::More {
                return Err(self.odd(&answer));
            }
        }
        let ask =
            Ask::Install { vote: vote.into(), meta: (&snapshot.meta).into(), bytes: whole.len() as u64 };
        let answer = self.ask(Purpose::Snapshot, kind, &ask, INSTALL_TIMEOUT).await?;
        if let Answer::Installed(vote) = answer { Ok(vote.into()) } else { Err(self.odd(&answer)) }
    }
}

impl RaftNetworkV2<TypeConfig> for Line {
    type SnapshotData = Vec<u8>;

    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, Failed> {
        let within = option.soft_ttl();
        let (question, cut_after) =
            encode_append(&rpc).map_err(|error| RPCError::Unreachable(Unreachable::new(&error)))?;
        let answer = self.connection(self.appends).call_encoded(question, within).await;
        let answer = answer.map_err(|error| self.failed(&error, RPCTypes::AppendEntries, within))?;
        if let Answer::Append(answer) = answer {
            let answer = AppendEntriesResponse::from(answer);
            let cut_after = cut_after.filter(|_| answer.is_success());
            Ok(cut_after.map_or(answer, |last| AppendEntriesResponse::PartialSuccess(Some(last))))
        } else {
            Err(self.odd(&answer))
        }
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, Failed> {
        self.ask_for_vote(Ask::Vote((&rpc).into()), &option).await
    }

    async fn pre_vote(
        &mut self,
        rpc: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, Failed> {
        self.ask_for_vote(Ask::PreVote((&rpc).into()), &option).await
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        tokio::select! {
            closed = cancel => Err(StreamingError::Closed(closed)),
            sent = self.send_snapshot(&vote, snapshot) => Ok(SnapshotResponse::new(sent?)),
        }
    }

    async fn transfer_leader(
        &mut self,
        req: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, Failed> {
        let ask = Ask::Transfer((&req).into());
        let answer = self.ask(Purpose::Heartbeat, RPCTypes::TransferLeader, &ask, option.soft_ttl()).await?;
        if let Answer::Transfer(answer) = answer {
            match answer {
                TransferAnswerV1::Accepted => Ok(Ok(())),
                TransferAnswerV1::Rejected(why) => Err(RPCError::Unreachable(Unreachable::from_string(why))),
            }
        } else {
            Err(self.odd(&answer))
        }
    }

    fn backoff(&self) -> Option<Backoff> {
        Some(Backoff::new(std::iter::repeat(RETRY)))
    }
}

/// As many of the entries as fit one frame, and the last of these if some did not: a few hundred pipelines are more
/// than a frame, and openraft goes on behind what was taken.
fn encode_append(rpc: &AppendEntriesRequest<TypeConfig>) -> Result<(Bytes, Option<LogId>), BadFrame> {
    let mut ask = Ask::Append(AppendV1::from(rpc));
    loop {
        let encoded = wire::encode(&ask);
        let Ask::Append(append) = &mut ask else { return Ok((encoded?, None)) };
        let count = append.entries.len();
        if matches!(encoded, Err(BadFrame::TooLarge(_))) && count > 1 {
            append.entries.truncate(count / 2);
        } else {
            let last = append.entries.last().map(|entry| LogId::from(entry.id));
            return Ok((encoded?, last.filter(|_| count < rpc.entries.len())));
        }
    }
}

#[cfg(test)]
mod tests {
    use openraft::EntryPayload;
    use pinode_raft::codec::{LogIdV1, VoteV1};
    use pinode_raft::types::LogEntry;
    use pinode_scheduler::{Command, ContainerId, Entry, Request, RequestKey};

    use super::*;

    fn append(entries: usize, bytes_each: usize) -> AppendEntriesRequest<TypeConfig> {
        let entry = |index: u64| {
            let request = Request { key: RequestKey("k".repeat(bytes_each)), body: [0; 32] };
            let command = Command::Retry { request, container: ContainerId([0; 32]) };
            let log_id = LogIdV1 { term: 1, node: 1, index }.into();
            LogEntry { log_id, payload: EntryPayload::Normal(Arc::new(Entry { at_ms: 0, command })) }
        };
        AppendEntriesRequest {
            vote: VoteV1 { term: 1, node: 1, committed: true }.into(),
            prev_log_id: None,
            entries: (0..entries as u64).map(entry).collect(),
            leader_commit: None,
        }
    }

    #[test]
    fn entries_that_fit_one_frame_go_in_one() {
        let (_, cut_after) = encode_append(&append(300, 100)).unwrap();
        assert_eq!(cut_after, None);
    }

    #[test]
    fn entries_that_fit_no_frame_go_in_part_and_say_so() {
        let (bytes, cut_after) = encode_append(&append(20, 1 << 20)).unwrap();
        assert!(bytes.len() <= wire::MESSAGE_MAX_BYTES);
        assert_eq!(cut_after.map(|id| id.index), Some(4), "5 of 20 fit");
    }
}
