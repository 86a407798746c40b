//! Every byte that is stored. A record is magic, schema, length, payload, CRC; the payload is bincode of structs that
//! are frozen once released and mirror openraft's types, so that neither a crate's new version nor ours can move what
//! an old disk holds. Enums grow at the end only; a changed struct gets a new schema number beside the old one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use openraft::EntryPayload;
use openraft::vote::RaftLeaderId;
use pinode_scheduler::Entry as SchedulerEntry;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::types::{LogEntry, LogId, Member, Membership, SnapshotMeta, StoredMembership, Vote};

const MAGIC: [u8; 4] = *b"pnd1";
const HEADER: usize = 4 + 2 + 4;
const CRC: usize = 4;
/// No record is larger, in bytes: a length read from a damaged disk must not become an allocation.
pub const RECORD_MAX_BYTES: usize = 1 << 30;

/// What kind of record it is, and in which version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Schema {
    /// [`EntryV1`].
    Entry = 1,
    /// [`VoteV1`].
    Vote = 2,
    /// An optional [`LogIdV1`].
    LogId = 3,
    /// [`SnapshotV1`].
    Snapshot = 4,
    /// [`crate::identity::IdentityV1`]. It is read first, so before the first release its number stands for the layout of
    /// the whole folder, and rises with every change: an older folder is refused and not taken for a damaged one.
    Identity = 10,
    /// [`crate::log::high_water::MarkV1`].
    Mark = 6,
    /// [`SnapshotV1`] whose state holds what its first layout could not say: its last field, [`Later`].
    ///
    /// [`Later`]: pinode_scheduler::later
    LaterSnapshot = 8,
    /// [`crate::backup::BackupV1`]: a hundred more than the layout of the state that is in it, see `Identity`.
    Backup = 110,
}

/// Why bytes are no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// Fewer bytes than the header says.
    #[error("the record is cut off after {0} bytes")]
    Short(usize),
    /// It does not begin as ours do.
    #[error("the record does not begin with the magic")]
    Magic,
    /// Another kind, or a version that this binary does not know.
    #[error(
        "the record has schema {found}, not {wanted}; another version of pinode wrote it, or it is damaged"
    )]
    Schema {
        /// As read.
        found: u16,
        /// As asked.
        wanted: u16,
    },
    /// The checksum does not fit.
    #[error("the record's checksum does not fit its bytes")]
    Crc,
    /// The checksum fits and the payload does not decode.
    #[error(
        "the record's payload does not decode, though its checksum fits; another version of pinode wrote it: {0}"
    )]
    Payload(String),
}

impl BadRecord {
    /// Whether it is whole, and not ours to read.
    pub fn is_of_another_version(&self) -> bool {
        match self {
            BadRecord::Schema { .. } | BadRecord::Payload(_) => true,
            BadRecord::Short(_) | BadRecord::Magic | BadRecord::Crc => false,
        }
    }
}

fn config() -> bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    bincode::config::Limit<RECORD_MAX_BYTES>,
> {
    bincode::config::standard().with_limit::<RECORD_MAX_BYTES>()
}

/// A value as a record.
pub fn encode<T: Serialize>(schema: Schema, value: &T) -> Result<Vec<u8>, BadRecord> {
    seal(schema, &encode_plain(value)?)
}

/// A snapshot as a record. As long as it holds nothing new, every version reads it.
pub fn encode_snapshot(snapshot: &SnapshotV1) -> Result<Vec<u8>, BadRecord> {
    let record = encode(Schema::LaterSnapshot, snapshot)?;
    if !snapshot.state.is_of_the_first_layout() {
        return Ok(record);
    }
    let payload = &record[HEADER..record.len() - CRC];
    seal(Schema::Snapshot, &payload[..payload.len() - later_tail()?.len()])
}

/// The snapshot of a record, in either layout: one of the first ends before the state's last field.
pub fn decode_snapshot(record: &[u8]) -> Result<SnapshotV1, BadRecord> {
    match payload(Schema::Snapshot, record) {
        Ok(first) => decode_payload(&[first, later_tail()?.as_slice()].concat()),
        Err(BadRecord::Schema { .. }) => decode(Schema::LaterSnapshot, record),
        Err(error) => Err(error),
    }
}

/// What the snapshot of a record covers, without the state: that takes the time, and who only passes a record on has no
/// use for it.
pub fn decode_snapshot_meta(record: &[u8]) -> Result<SnapshotMetaV1, BadRecord> {
    let payload = match payload(Schema::Snapshot, record) {
        Err(BadRecord::Schema { .. }) => payload(Schema::LaterSnapshot, record),
        first => first,
    }?;
    let decoded = bincode::serde::decode_from_slice(payload, config());
    decoded.map(|(meta, _)| meta).map_err(|error| BadRecord::Payload(error.to_string()))
}

/// A state as every version hashes it that can hold it.
pub fn encode_state(state: &pinode_scheduler::State) -> Result<Vec<u8>, BadRecord> {
    let mut bytes = encode_plain(state)?;
    if state.is_of_the_first_layout() {
        bytes.truncate(bytes.len() - later_tail()?.len());
    }
    Ok(bytes)
}

/// How a state ends that holds nothing new.
fn later_tail() -> Result<Vec<u8>, BadRecord> {
    encode_plain(&pinode_scheduler::later::Later::default())
}

fn encode_plain<T: Serialize>(value: &T) -> Result<Vec<u8>, BadRecord> {
    bincode::serde::encode_to_vec(value, config()).map_err(|error| BadRecord::Payload(error.to_string()))
}

fn seal(schema: Schema, payload: &[u8]) -> Result<Vec<u8>, BadRecord> {
    let length = u32::try_from(payload.len()).map_err(|_| BadRecord::Payload("too large".to_owned()))?;
    let mut record = MAGIC.to_vec();
    record.extend_from_slice(&(schema as u16).to_le_bytes());
    record.extend_from_slice(&length.to_le_bytes());
    record.extend_from_slice(payload);
    record.extend_from_slice(&crc32fast::hash(&record).to_le_bytes());
    Ok(record)
}

/// The value of a record. Bytes after it are not looked at.
pub fn decode<T: DeserializeOwned>(schema: Schema, record: &[u8]) -> Result<T, BadRecord> {
    decode_payload(payload(schema, record)?)
}

fn decode_payload<T: DeserializeOwned>(payload: &[u8]) -> Result<T, BadRecord> {
    let (value, read) = bincode::serde::decode_from_slice(payload, config())
        .map_err(|error| BadRecord::Payload(error.to_string()))?;
    if read == payload.len() {
        Ok(value)
    } else {
        Err(BadRecord::Payload(format!("{read} of {} bytes", payload.len())))
    }
}

fn payload(schema: Schema, record: &[u8]) -> Result<&[u8], BadRecord> {
    let header = record.get(..HEADER).ok_or(BadRecord::Short(record.len()))?;
    if header[..4] != MAGIC {
        return Err(BadRecord::Magic);
    }
    let length = u32::from_le_bytes([header[6], header[7], header[8], header[9]]) as usize;
    let end = HEADER.saturating_add(length);
    let crc = record.get(end..end.saturating_add(CRC)).ok_or(BadRecord::Short(record.len()))?;
    if crc != crc32fast::hash(&record[..end]).to_le_bytes() {
        return Err(BadRecord::Crc);
    }
    let found = u16::from_le_bytes([header[4], header[5]]);
    if found != schema as u16 {
        return Err(BadRecord::Schema { found, wanted: schema as u16 });
    }
    Ok(&record[HEADER..end])
}

/// Mirror of a log id. Frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogIdV1 {
    /// Term of the leader that proposed it.
    pub term: u64,
    /// That leader.
    pub node: u64,
    /// Position.
    pub index: u64,
}

/// Mirror of a vote. Frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VoteV1 {
    /// Term.
    pub term: u64,
    /// Candidate.
    pub node: u64,
    /// Whether a quorum granted it.
    pub committed: bool,
}

/// Mirror of a member. Frozen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberV1 {
    /// Name.
    pub name: String,
    /// Peer address.
    pub peer: String,
}

/// Mirror of a membership. Frozen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipV1 {
    /// One set of voters, or two in a joint change.
    pub voters: Vec<Vec<u64>>,
    /// All members.
    pub members: Vec<(u64, MemberV1)>,
}

/// Mirror of an entry's payload. Grows at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PayloadV1 {
    /// A new leader's first.
    Blank,
    /// For the scheduler.
    Normal(Arc<SchedulerEntry>),
    /// For Raft.
    Membership(MembershipV1),
}

/// Mirror of an entry. Frozen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryV1 {
    /// Position.
    pub id: LogIdV1,
    /// Content.
    pub payload: PayloadV1,
}

/// Mirror of a snapshot's description. Frozen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotMetaV1 {
    /// The last entry that it covers.
    pub last: Option<LogIdV1>,
    /// The entry of its membership.
    pub membership_at: Option<LogIdV1>,
    /// Its membership.
    pub membership: MembershipV1,
}

/// A snapshot file's content. Frozen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotV1 {
    /// What it covers.
    pub meta: SnapshotMetaV1,
    /// The state, encoded by itself.
    pub state: pinode_scheduler::State,
}

impl From<&LogId> for LogIdV1 {
    fn from(id: &LogId) -> Self {
        LogIdV1 { term: id.leader_id.term, node: id.leader_id.node_id, index: id.index }
    }
}

impl From<LogIdV1> for LogId {
    fn from(id: LogIdV1) -> Self {
        LogId { leader_id: RaftLeaderId::new(id.term, id.node), index: id.index }
    }
}

impl From<&Vote> for VoteV1 {
    fn from(vote: &Vote) -> Self {
        VoteV1 { term: vote.leader_id.term, node: vote.leader_id.node_id, committed: vote.committed }
    }
}

impl From<VoteV1> for Vote {
    fn from(vote: VoteV1) -> Self {
        Vote { leader_id: RaftLeaderId::new(vote.term, vote.node), committed: vote.committed }
    }
}

impl From<&Membership> for MembershipV1 {
    fn from(membership: &Membership) -> Self {
        let voters = membership.get_joint_config().iter().map(|set| set.iter().copied().collect()).collect();
        let mirror = |member: &Member| MemberV1 { name: member.name.clone(), peer: member.peer.clone() };
        MembershipV1 {
            voters,
            members: membership.nodes().map(|(id, member)| (*id, mirror(member))).collect(),
        }
    }
}

impl From<MembershipV1> for Membership {
    fn from(mirror: MembershipV1) -> Self {
        let voters: Vec<BTreeSet<u64>> =
            mirror.voters.into_iter().map(|set| set.into_iter().collect()).collect();
        let mut members: BTreeMap<u64, Member> =
            voters.iter().flatten().map(|id| (*id, Member::default())).collect();
        members.extend(mirror.members.into_iter().map(|(id, m)| (id, Member { name: m.name, peer: m.peer })));
        // Fails only for a voter that is no member, and the line above leaves none.
        Membership::new(voters, members).unwrap_or_default()
    }
}

impl From<&LogEntry> for EntryV1 {
    fn from(entry: &LogEntry) -> Self {
        let payload = match &entry.payload {
            EntryPayload::Blank => PayloadV1::Blank,
            EntryPayload::Normal(entry) => PayloadV1::Normal(entry.clone()),
            EntryPayload::Membership(membership) => PayloadV1::Membership(membership.into()),
        };
        EntryV1 { id: (&entry.log_id).into(), payload }
    }
}

impl From<EntryV1> for LogEntry {
    fn from(entry: EntryV1) -> Self {
        let payload = match entry.payload {
            PayloadV1::Blank => EntryPayload::Blank,
            PayloadV1::Normal(entry) => EntryPayload::Normal(entry),
            PayloadV1::Membership(membership) => EntryPayload::Membership(membership.into()),
        };
        LogEntry { log_id: entry.id.into(), payload }
    }
}

impl From<&SnapshotMeta> for SnapshotMetaV1 {
    fn from(meta: &SnapshotMeta) -> Self {
        SnapshotMetaV1 {
            last: meta.last_log_id.as_ref().map(Into::into),
            membership_at: meta.last_membership.log_id().as_ref().map(Into::into),
            membership: meta.last_membership.membership().into(),
        }
    }
}

impl From<SnapshotMetaV1> for SnapshotMeta {
    fn from(mirror: SnapshotMetaV1) -> Self {
        let at = mirror.membership_at.map(Into::into);
        SnapshotMeta {
            last_log_id: mirror.last.map(Into::into),
            last_membership: StoredMembership::new(at, mirror.membership.into()),
        }
    }
}

#[cfg(test)]
mod tests;
