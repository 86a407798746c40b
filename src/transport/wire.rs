//! What travels between nodes. Enums grow at the end only: a newer node must be understood by an older one until all
//! are new.

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Bytes, BytesMut};
use openraft::raft::{TransferLeaderRequest, TransferLeaderResponse};
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse};
use pinode_raft::TypeConfig;
use pinode_raft::types::Vote;
use pinode_scheduler::{Command, NodeId, Reply, SessionId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio_util::codec::LengthDelimitedCodec;

/// Spoken by this binary.
pub const PROTOCOL: u16 = 1;
/// Largest frame, in bytes.
pub const FRAME_MAX_BYTES: usize = 8 << 20;
/// A snapshot travels in pieces of this size, in bytes.
pub const SNAPSHOT_PIECE_BYTES: usize = 2 << 20;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Purpose {
    /// Heartbeats and votes.
    Heartbeat,
    /// Entries.
    Append,
    /// Snapshots.
    Snapshot,
    /// Everything else.
    Rpc,
}

/// The first frame of a connection, from who dials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL`].
    pub protocol: u16,
    /// The cluster it belongs to; none before its first contact.
    pub cluster: Option<[u8; 32]>,
    /// Who it is.
    pub node: NodeId,
    /// Starts of a process on its disk.
    pub starts: u64,
    /// Index of the last entry of its log.
    pub last_log: Option<u64>,
    /// What the connection is for.
    pub purpose: Purpose,
}

/// The answer to a hello.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Welcome {
    /// Go on.
    Come,
    /// The dialled node belongs to another cluster.
    OtherCluster([u8; 32]),
    /// The dialler's disk is an old copy: the log has seen a later start of it.
    Stale {
        /// Starts that the log has seen.
        seen: u64,
    },
    /// The dialled node speaks another protocol.
    OtherProtocol(u16),
}

/// What a node says of itself before there is a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Founder {
    /// Its id.
    pub node: NodeId,
    /// Its peer address.
    pub addr: String,
    /// Its name.
    pub name: String,
    /// The addresses it was told, and its own.
    pub set: BTreeSet<String>,
    /// The founders it has heard of so far: address to id and name.
    pub seen: BTreeMap<String, (NodeId, String)>,
    /// The cluster it belongs to, if it is not empty.
    pub cluster: Option<[u8; 32]>,
}

/// A node that wants to be a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joiner {
    /// Its id.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Its peer address.
    pub addr: String,
}

/// The answer to a joiner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Admission {
    /// It is a member.
    Member,
    /// Not yet, and why.
    Wait(String),
    /// Ask this one.
    AskLeader(Option<String>),
}

/// A renewal of a node's lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// Whose.
    pub session: SessionId,
    /// Index up to which it has applied the log.
    pub applied: u64,
}

/// The answer to a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Granted {
    /// The session lives, by a read that a quorum confirmed.
    Yes,
    /// It is lost, or about to be declared so.
    No,
    /// This node cannot say.
    NotLeader,
}

/// A question.
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// Raft.
    Append(AppendEntriesRequest<TypeConfig>),
    /// Raft.
    Vote(VoteRequest<TypeConfig>),
    /// Raft.
    PreVote(VoteRequest<TypeConfig>),
    /// Raft.
    Transfer(TransferLeaderRequest<TypeConfig>),
    /// A piece of a snapshot; the last one installs it.
    Snapshot {
        /// The sender's vote.
        vote: Vote,
        /// Position of the piece, from 0.
        piece: u32,
        /// Whether it is the last.
        last: bool,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Commit a command.
    Propose(Command),
    /// The index up to which a linearizable read must see.
    ReadIndex,
    /// Prolong a lease.
    Renew(Renewal),
    /// First contact.
    Found(Founder),
    /// Be a member.
    Join(Joiner),
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    /// To `Append`.
    Append(AppendEntriesResponse<TypeConfig>),
    /// To `Vote` and `PreVote`.
    Vote(VoteResponse<TypeConfig>),
    /// To `Transfer`.
    Transfer(TransferLeaderResponse<TypeConfig>),
    /// To the last piece of a snapshot.
    Snapshot(SnapshotResponse<TypeConfig>),
    /// To an earlier piece.
    More,
    /// To `Propose`.
    Proposed(Reply),
    /// To `ReadIndex`.
    ReadIndex(u64),
    /// To `Renew`.
    Renewed(Granted),
    /// To `Found`.
    Found(Founder),
    /// To `Join`.
    Joined(Admission),
    /// It leads no more, or never did; nothing was done.
    NotLeader(Option<NodeId>),
    /// It can not answer now.
    Unable(String),
}

/// A value that does not encode or decode.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadFrame(String);

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<FRAME_MAX_BYTES>()
}

/// A value as a frame's bytes.
pub fn encode<T: Serialize>(value: &T) -> Result<Bytes, BadFrame> {
    let bytes = bincode::serde::encode_to_vec(value, config()).map_err(|error| BadFrame(error.to_string()))?;
    Ok(bytes.into())
}

/// The value of a frame.
pub fn decode<T: DeserializeOwned>(frame: &BytesMut) -> Result<T, BadFrame> {
    let (value, read) =
        bincode::serde::decode_from_slice(frame, config()).map_err(|error| BadFrame(error.to_string()))?;
    if read == frame.len() { Ok(value) } else { Err(BadFrame(format!("{} bytes too many", frame.len() - read))) }
}

/// Frames on a connection.
pub fn framing() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().max_frame_length(FRAME_MAX_BYTES).new_codec()
}
