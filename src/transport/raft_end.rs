//! What another node's openraft asks ours, answered in the order it was asked: the connection's order is Raft's.

use pinode_raft::Raft;
use pinode_raft::codec::{RECORD_MAX_BYTES, SnapshotMetaV1, VoteV1};
use pinode_raft::types::Snapshot;

use super::wire::{Answer, Ask, TransferAnswerV1};

/// Raft's end of one connection, with the pieces of a snapshot that came on it.
#[derive(Debug, Default)]
pub(super) struct RaftEnd {
    pieces: u32,
    bytes: Vec<u8>,
}

impl RaftEnd {
    pub(super) async fn answer(&mut self, raft: &Raft, ask: Ask) -> Answer {
        let answer = match ask {
            Ask::Append(rpc) => match raft.append_entries(rpc.into()).await {
                Ok(answer) => Ok(Answer::Append((&answer).into())),
                Err(error) => Err(error.to_string()),
            },
            Ask::Vote(rpc) => match raft.vote(rpc.into()).await {
                Ok(answer) => Ok(Answer::Vote((&answer).into())),
                Err(error) => Err(error.to_string()),
            },
            Ask::PreVote(rpc) => match raft.pre_vote(rpc.into()).await {
                Ok(answer) => Ok(Answer::Vote((&answer).into())),
                Err(error) => Err(error.to_string()),
            },
            Ask::Transfer(rpc) => match raft.handle_transfer_leader(rpc.into()).await {
                Ok(Ok(())) => Ok(Answer::Transfer(TransferAnswerV1::Accepted)),
                Ok(Err(error)) => Ok(Answer::Transfer(TransferAnswerV1::Rejected(error.to_string()))),
                Err(error) => Err(error.to_string()),
            },
            Ask::Piece { piece, bytes } => self.piece(piece, &bytes),
            Ask::Install { vote, meta, bytes } => self.install(raft, vote, meta, bytes).await,
            Ask::Propose(_)
            | Ask::ReadIndex
            | Ask::Renew(_)
            | Ask::RenewMeasured { .. }
            | Ask::Found(_)
            | Ask::Join(_) => Err("this is not Raft's".to_owned()),
        };
        answer.unwrap_or_else(Answer::Unable)
    }

    fn piece(&mut self, piece: u32, bytes: &[u8]) -> Result<Answer, String> {
        if piece == 0 {
            *self = RaftEnd::default();
        }
        if piece != self.pieces {
            return Err(format!("piece {piece} of a snapshot came after {} pieces", self.pieces));
        }
        if self.bytes.len() + bytes.len() > RECORD_MAX_BYTES {
            *self = RaftEnd::default();
            return Err(format!("a snapshot of more than {RECORD_MAX_BYTES} bytes"));
        }
        self.pieces += 1;
        self.bytes.extend_from_slice(bytes);
        Ok(Answer::More)
    }

    async fn install(
        &mut self,
        raft: &Raft,
        vote: VoteV1,
        meta: SnapshotMetaV1,
        bytes: u64,
    ) -> Result<Answer, String> {
        let came = std::mem::take(self).bytes;
        if came.len() as u64 != bytes {
            return Err(format!("{} of {bytes} bytes of a snapshot came", came.len()));
        }
        let snapshot = Snapshot { meta: meta.into(), snapshot: came };
        let installed = raft.install_full_snapshot(vote.into(), snapshot).await;
        installed.map(|answer| Answer::Installed((&answer.vote).into())).map_err(|error| error.to_string())
    }
}
