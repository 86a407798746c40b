//! openraft's messages as types of our own, so that its versions cannot move what travels. Frozen once released; enums
//! grow at the end only.

use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, TransferLeaderRequest, VoteRequest, VoteResponse,
};
use pinode_raft::TypeConfig;
use pinode_raft::codec::{EntryV1, LogIdV1, VoteV1};
use pinode_scheduler::NodeId;
use serde::{Deserialize, Serialize};

/// Mirror of an append request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendV1 {
    /// The leader's vote.
    pub vote: VoteV1,
    /// The entry before.
    pub prev: Option<LogIdV1>,
    /// The entries.
    pub entries: Vec<EntryV1>,
    /// What is committed.
    pub commit: Option<LogIdV1>,
}

/// Mirror of an append answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AppendAnswerV1 {
    /// All of it.
    Success,
    /// Up to here.
    Partial(Option<LogIdV1>),
    /// The entry before is another one here.
    Conflict,
    /// Somebody else leads.
    HigherVote(VoteV1),
}

/// Mirror of a vote request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteRequestV1 {
    /// The candidate's vote.
    pub vote: VoteV1,
    /// Its last entry.
    pub last: Option<LogIdV1>,
    /// The leader told it to.
    pub transfer: bool,
}

/// Mirror of a vote answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteAnswerV1 {
    /// The voter's vote now.
    pub vote: VoteV1,
    /// Whether it was given.
    pub granted: bool,
    /// The voter's last entry.
    pub last: Option<LogIdV1>,
}

/// Mirror of a transfer request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferV1 {
    /// The leader's vote.
    pub from: VoteV1,
    /// Who is to lead.
    pub to: NodeId,
    /// What it must have.
    pub last: Option<LogIdV1>,
}

/// The answer to a transfer. openraft only logs why not, so a sentence is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferAnswerV1 {
    /// It stands for election.
    Accepted,
    /// It does not; the sentence says why.
    Rejected(String),
}

impl From<&AppendEntriesRequest<TypeConfig>> for AppendV1 {
    fn from(request: &AppendEntriesRequest<TypeConfig>) -> Self {
        AppendV1 {
            vote: (&request.vote).into(),
            prev: request.prev_log_id.as_ref().map(Into::into),
            entries: request.entries.iter().map(Into::into).collect(),
            commit: request.leader_commit.as_ref().map(Into::into),
        }
    }
}

impl From<AppendV1> for AppendEntriesRequest<TypeConfig> {
    fn from(mirror: AppendV1) -> Self {
        AppendEntriesRequest {
            vote: mirror.vote.into(),
            prev_log_id: mirror.prev.map(Into::into),
            entries: mirror.entries.into_iter().map(Into::into).collect(),
            leader_commit: mirror.commit.map(Into::into),
        }
    }
}

impl From<&AppendEntriesResponse<TypeConfig>> for AppendAnswerV1 {
    fn from(answer: &AppendEntriesResponse<TypeConfig>) -> Self {
        match answer {
            AppendEntriesResponse::Success => AppendAnswerV1::Success,
            AppendEntriesResponse::PartialSuccess(last) => {
                AppendAnswerV1::Partial(last.as_ref().map(Into::into))
            }
            AppendEntriesResponse::Conflict => AppendAnswerV1::Conflict,
            AppendEntriesResponse::HigherVote(vote) => AppendAnswerV1::HigherVote(vote.into()),
        }
    }
}

impl From<AppendAnswerV1> for AppendEntriesResponse<TypeConfig> {
    fn from(mirror: AppendAnswerV1) -> Self {
        match mirror {
            AppendAnswerV1::Success => AppendEntriesResponse::Success,
            AppendAnswerV1::Partial(last) => AppendEntriesResponse::PartialSuccess(last.map(Into::into)),
            AppendAnswerV1::Conflict => AppendEntriesResponse::Conflict,
            AppendAnswerV1::HigherVote(vote) => AppendEntriesResponse::HigherVote(vote.into()),
        }
    }
}

impl From<&VoteRequest<TypeConfig>> for VoteRequestV1 {
    fn from(request: &VoteRequest<TypeConfig>) -> Self {
        VoteRequestV1 {
            vote: (&request.vote).into(),
            last: request.last_log_id.as_ref().map(Into::into),
            transfer: request.leadership_transfer,
        }
    }
}

impl From<VoteRequestV1> for VoteRequest<TypeConfig> {
    fn from(mirror: VoteRequestV1) -> Self {
        VoteRequest {
            vote: mirror.vote.into(),
            last_log_id: mirror.last.map(Into::into),
            leadership_transfer: mirror.transfer,
        }
    }
}

impl From<&VoteResponse<TypeConfig>> for VoteAnswerV1 {
    fn from(answer: &VoteResponse<TypeConfig>) -> Self {
        VoteAnswerV1 {
            vote: (&answer.vote).into(),
            granted: answer.vote_granted,
            last: answer.last_log_id.as_ref().map(Into::into),
        }
    }
}

impl From<VoteAnswerV1> for VoteResponse<TypeConfig> {
    fn from(mirror: VoteAnswerV1) -> Self {
        VoteResponse {
            vote: mirror.vote.into(),
            vote_granted: mirror.granted,
            last_log_id: mirror.last.map(Into::into),
        }
    }
}

impl From<&TransferLeaderRequest<TypeConfig>> for TransferV1 {
    fn from(request: &TransferLeaderRequest<TypeConfig>) -> Self {
        TransferV1 {
            from: request.from_leader().into(),
            to: *request.to_node_id(),
            last: request.last_log_id().map(Into::into),
        }
    }
}

impl From<TransferV1> for TransferLeaderRequest<TypeConfig> {
    fn from(mirror: TransferV1) -> Self {
        TransferLeaderRequest::new(mirror.from.into(), mirror.to, mirror.last.map(Into::into))
    }
}
