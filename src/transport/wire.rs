//! What travels between nodes. Enums grow at the end only: a newer node must be understood by an older one until all
//! are new.

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use pinode_raft::codec::{SnapshotMetaV1, VoteV1};
use pinode_scheduler::later::LEVEL;
use pinode_scheduler::node::Start;
use pinode_scheduler::{Command, NodeId, Reply, SessionId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio_util::codec::LengthDelimitedCodec;

pub use super::mirror::{
    AppendAnswerV1, AppendV1, TransferAnswerV1, TransferV1, VoteAnswerV1, VoteRequestV1,
};

/// The newest protocol that this binary speaks: one for each feature level, so that a hello says the level too.
pub const PROTOCOL: u16 = protocol_of(LEVEL);
/// Largest frame, in bytes.
pub const FRAME_MAX_BYTES: usize = 8 << 20;
/// Largest question or answer, in bytes; the rest of the frame is for its number.
pub const MESSAGE_MAX_BYTES: usize = FRAME_MAX_BYTES - 64;
/// A snapshot travels in pieces of this size, in bytes.
pub const SNAPSHOT_PIECE_BYTES: usize = 2 << 20;

/// The protocol of a cluster that has agreed on a level. Level 1 came with protocol 3.
pub const fn protocol_of(level: u16) -> u16 {
    level + 2
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Purpose {
    /// Heartbeats and votes.
    Heartbeat,
    /// Entries.
    Append,
    /// Snapshots.
    Snapshot,
    /// Everything else.
    Rpc,
    /// After the handshake no frames, but one HTTP conversation with the API of the node that was dialled.
    Http,
}

/// The first frame of a connection, from who dials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The protocol of the cluster's level, as far as it knows; who says more must be able to.
    pub protocol: u16,
    /// The cluster it belongs to; none before its first contact.
    pub cluster: Option<[u8; 32]>,
    /// Who it is.
    pub node: NodeId,
    /// Which start of a process on its disk this is.
    pub start: Start,
    /// Index of the last entry of its log.
    pub last_log: Option<u64>,
    /// What the connection is for.
    pub purpose: Purpose,
    /// Whom it means; none if it knows only an address. A wiped disk is another node at the same address, and must
    /// not answer for the old one.
    pub to: Option<NodeId>,
}

/// What the dialled node says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// Who it is.
    pub node: NodeId,
    /// Which start of a process on its disk this is.
    pub start: Start,
    /// Index of the last entry of its log.
    pub last_log: Option<u64>,
}

/// The answer to a hello. The sentence is for the dialler's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Welcome {
    /// Go on.
    #[error("go on")]
    Come(Me),
    /// The dialled node belongs to another cluster, or to none yet.
    #[error("it belongs to {}; clusters never merge", cluster_name(.0.as_ref()))]
    OtherCluster(Option<[u8; 32]>),
    /// The dialler's disk must not speak any more.
    #[error("{0}")]
    Stale(Seen),
    /// The dialled node speaks another protocol.
    #[error("it speaks protocol {0}, and this pinode {PROTOCOL}; run the same version on all nodes")]
    OtherProtocol(u16),
    /// Another node than the one that was meant.
    #[error("node {0:x} answers there")]
    OtherNode(NodeId),
}

/// Why a disk must not speak any more: what the cluster has seen of it, and it does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Seen {
    /// A later start, or another one with the same count.
    #[error(
        "this disk is an old copy: the cluster has seen its start {seen}, and this one counts as {shown}"
    )]
    Start {
        /// In the replicated state.
        seen: u64,
        /// In its hello.
        shown: u64,
    },
    /// A committed entry that it had acknowledged.
    #[error(
        "this disk is an old copy: it had acknowledged entry {seen}, and its log ends at {}", .shown.unwrap_or(0)
    )]
    Log {
        /// Index of that entry.
        seen: u64,
        /// The last index it has.
        shown: Option<u64>,
    },
    /// An operator declared its node gone, or another disk has taken its name.
    #[error(
        "this node was removed from its cluster, or another has taken its name; to use the machine again, start it with an \
         empty --data-dir"
    )]
    Removed,
}

/// The dialler's word on a welcome, before the first question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Questions follow.
    Fine,
    /// The dialled node's disk must not speak any more; no questions follow.
    Stale(Seen),
}

/// A cluster as people read it: the first eight digits of its id, and the last four, which tell it from a recovery of it.
pub fn cluster_name(cluster: Option<&[u8; 32]>) -> String {
    let digits = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let name = |id: &[u8; 32]| format!("cluster {}-{}", digits(&id[..4]), digits(&id[30..]));
    cluster.map_or_else(|| "no cluster yet".to_owned(), name)
}

/// What a node says of itself at first contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Founder {
    /// Who it is.
    pub me: Joiner,
    /// The addresses it was told, and its own; for people.
    pub set: BTreeSet<String>,
    /// Who is there when all of them have answered that they are empty, sorted by id; until then nobody.
    pub view: Vec<Joiner>,
    /// The cluster it belongs to, if it is not empty.
    pub cluster: Option<[u8; 32]>,
    /// Who founded that cluster, if this node knows.
    pub founders: Vec<Joiner>,
}

/// A node that is, or wants to be, a member.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// Raft: entries, or a heartbeat.
    Append(AppendV1),
    /// Raft.
    Vote(VoteRequestV1),
    /// Raft.
    PreVote(VoteRequestV1),
    /// Raft.
    Transfer(TransferV1),
    /// A piece of a snapshot; the first one forgets what came before it on this connection.
    Piece {
        /// Position of the piece, from 0.
        piece: u32,
        /// Its bytes.
        bytes: Bytes,
    },
    /// All pieces were sent: install them.
    Install {
        /// The sender's vote.
        vote: VoteV1,
        /// What the snapshot covers.
        meta: SnapshotMetaV1,
        /// Its bytes in all.
        bytes: u64,
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
    /// As `Renew`; and how long a sync takes on that node's disk. Understood from the level of paces on.
    RenewMeasured {
        /// The renewal.
        renewal: Renewal,
        /// In milliseconds.
        sync_ms: u32,
    },
}

impl Ask {
    /// Whether it may come on a connection for `purpose`. An append may take two ways: heartbeats have their own.
    pub(super) fn fits(&self, purpose: Purpose) -> bool {
        match self {
            Ask::Append(append) if append.entries.is_empty() => {
                matches!(purpose, Purpose::Append | Purpose::Heartbeat)
            }
            Ask::Append(_) => purpose == Purpose::Append,
            Ask::Vote(_) | Ask::PreVote(_) | Ask::Transfer(_) => purpose == Purpose::Heartbeat,
            Ask::Piece { .. } | Ask::Install { .. } => purpose == Purpose::Snapshot,
            Ask::Propose(_)
            | Ask::ReadIndex
            | Ask::Renew(_)
            | Ask::RenewMeasured { .. }
            | Ask::Found(_)
            | Ask::Join(_) => purpose == Purpose::Rpc,
        }
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// To `Append`.
    Append(AppendAnswerV1),
    /// To `Vote` and `PreVote`.
    Vote(VoteAnswerV1),
    /// To `Transfer`.
    Transfer(TransferAnswerV1),
    /// To `Install`: the receiver's vote.
    Installed(VoteV1),
    /// To `Piece`.
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

impl Answer {
    /// The kind of answer, for a log line.
    pub fn word(&self) -> &str {
        match self {
            Answer::Append(_) => "an append",
            Answer::Vote(_) => "a vote",
            Answer::Transfer(_) => "a transfer",
            Answer::Installed(_) | Answer::More => "a snapshot",
            Answer::Proposed(_) => "a proposal",
            Answer::ReadIndex(_) => "a read",
            Answer::Renewed(_) => "a renewal",
            Answer::Found(_) => "a first contact",
            Answer::Joined(_) => "a knock",
            Answer::NotLeader(_) => "that it does not lead",
            Answer::Unable(why) => why,
        }
    }
}

/// A value that does not encode or decode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// It fits no frame.
    #[error("a message of {0} bytes is more than {MESSAGE_MAX_BYTES}")]
    TooLarge(usize),
    /// It has no bytes.
    #[error("encode a message: {0}")]
    Encode(String),
    /// Its bytes are none of ours.
    #[error("decode a message: {0}")]
    Decode(String),
}

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<FRAME_MAX_BYTES>()
}

/// A value as bytes.
pub fn encode<T: Serialize>(value: &T) -> Result<Bytes, BadFrame> {
    let bytes = bincode::serde::encode_to_vec(value, config())
        .map_err(|error| BadFrame::Encode(error.to_string()))?;
    if bytes.len() > MESSAGE_MAX_BYTES { Err(BadFrame::TooLarge(bytes.len())) } else { Ok(bytes.into()) }
}

/// The value of bytes; all of them.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BadFrame> {
    let (value, read) = bincode::serde::decode_from_slice(bytes, config())
        .map_err(|error| BadFrame::Decode(error.to_string()))?;
    let left = bytes.len() - read;
    if left == 0 { Ok(value) } else { Err(BadFrame::Decode(format!("{left} bytes are left over"))) }
}

/// A frame of a question or an answer: the number that pairs the two, then the message.
pub fn numbered(number: u64, message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(8 + message.len());
    frame.extend_from_slice(&number.to_be_bytes());
    frame.extend_from_slice(message);
    frame.freeze()
}

/// The number and the value of such a frame.
pub fn decode_numbered<T: DeserializeOwned>(frame: &[u8]) -> Result<(u64, T), BadFrame> {
    let cut = || BadFrame::Decode("it has no number".to_owned());
    let (number, message) = frame.split_first_chunk::<8>().ok_or_else(cut)?;
    Ok((u64::from_be_bytes(*number), decode(message)?))
}

/// Frames on a connection.
pub fn framing() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().max_frame_length(FRAME_MAX_BYTES).new_codec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If this fails, nodes of two versions no longer understand each other's first frame: raise PROTOCOL instead.
    #[test]
    fn the_hello_never_changes_its_bytes() {
        let hello = Hello {
            protocol: 2,
            cluster: None,
            node: 3,
            start: Start { count: 4, mark: 5 },
            last_log: Some(6),
            purpose: Purpose::Rpc,
            to: Some(7),
        };
        assert_eq!(encode(&hello).unwrap().as_ref(), [2, 0, 3, 4, 5, 1, 6, 3, 1, 7]);
    }

    #[test]
    fn a_numbered_frame_gives_back_its_number_and_its_message() {
        let frame = numbered(7, &encode(&Ask::ReadIndex).unwrap());
        assert_eq!(decode_numbered::<Ask>(&frame), Ok((7, Ask::ReadIndex)));
        assert!(decode_numbered::<Ask>(&frame[..5]).is_err());
    }

    #[test]
    fn a_piece_of_a_snapshot_travels_as_it_always_has() {
        let piece = Ask::Piece { piece: 3, bytes: Bytes::from_static(&[7, 255, 0]) };
        let frame = encode(&piece).unwrap();
        assert_eq!(
            frame.as_ref(),
            [4, 3, 3, 7, 255, 0],
            "which kind, which piece, how many bytes, and those"
        );
        assert_eq!(decode::<Ask>(&frame), Ok(piece));
    }

    #[test]
    fn bytes_left_over_are_refused() {
        assert!(matches!(decode::<u8>(&[1, 2]), Err(BadFrame::Decode(_))));
    }

    #[test]
    fn a_length_out_of_nowhere_allocates_nothing() {
        // 253 marks eight bytes of length: a string of 2^56.
        assert!(matches!(decode::<String>(&[253, 0, 0, 0, 0, 0, 0, 0, 1]), Err(BadFrame::Decode(_))));
    }

    #[test]
    fn a_message_that_fits_no_frame_is_refused_before_it_is_sent() {
        let bytes = vec![0; FRAME_MAX_BYTES].into();
        assert!(matches!(encode(&Ask::Piece { piece: 0, bytes }), Err(BadFrame::TooLarge(_))));
    }

    #[test]
    fn entries_never_come_on_the_connection_of_heartbeats() {
        let vote = VoteV1 { term: 1, node: 1, committed: true };
        let heartbeat = Ask::Append(AppendV1 { vote, prev: None, entries: Vec::new(), commit: None });
        assert!(heartbeat.fits(Purpose::Heartbeat) && heartbeat.fits(Purpose::Append));
        let id = pinode_raft::codec::LogIdV1 { term: 1, node: 1, index: 1 };
        let entry = pinode_raft::codec::EntryV1 { id, payload: pinode_raft::codec::PayloadV1::Blank };
        let entries = Ask::Append(AppendV1 { vote, prev: None, entries: vec![entry], commit: None });
        assert!(
            entries.fits(Purpose::Append) && !entries.fits(Purpose::Heartbeat) && !entries.fits(Purpose::Rpc)
        );
    }
}
