//! Bytes that must stay as they are, and bytes that are no record.

use super::*;

fn entry() -> EntryV1 {
    EntryV1 { id: LogIdV1 { term: 3, node: 7, index: 300 }, payload: PayloadV1::Blank }
}

/// If this fails, the layout moved and old disks no longer read: add a schema, do not change the golden bytes.
#[test]
fn a_stored_record_never_changes_its_bytes() {
    let golden = [b"pnd1\x01\x00\x06\x00\x00\x00".as_slice(), b"\x03\x07\xfb\x2c\x01\x00"].concat();
    let record = encode(Schema::Entry, &entry()).unwrap();
    assert_eq!(record[..record.len() - CRC], golden);
    assert_eq!(decode::<EntryV1>(Schema::Entry, &record), Ok(entry()));
}

/// The same for a command: the scheduler's own types are part of the layout.
#[test]
fn a_stored_command_never_changes_its_bytes() {
    use pinode_scheduler::node::Ailment;
    use pinode_scheduler::{Command, SessionId};
    let session = SessionId { node: 7, number: 2 };
    let command =
        Command::NodeCondition { session, ailment: Ailment::Engine, problem: Some("away".to_owned()) };
    is_stored_as(command, b"\x0a\x07\x02\x00\x01\x04away");
}

#[test]
fn what_an_operator_said_never_changes_its_bytes() {
    use pinode_scheduler::{Command, Request, RequestKey};
    let request = || Request { key: RequestKey("k".to_owned()), body: [9; 32] };
    let said = |command: Command, kind: u8, rest: &[u8]| {
        let bytes = [&[kind, 1, b'k'], [9; 32].as_slice(), rest].concat();
        is_stored_as(command, &bytes);
    };
    said(Command::Drain { request: request(), node: 7, deadline_ms: Some(9) }, 22, b"\x07\x01\x09");
    said(Command::Undrain { request: request(), node: 7 }, 23, b"\x07");
    said(Command::RemoveNode { request: request(), node: 7, force: true }, 24, b"\x07\x01");
    let labels = [("a".to_owned(), Some("b".to_owned())), ("c".to_owned(), None)].into();
    let label = Command::LabelNode { request: request(), node: 7, labels };
    said(label, 25, b"\x07\x02\x01a\x01\x01b\x01c\x00");
    let configure = Command::Configure { request: request(), voters: Some(3), replace_voter_after_ms: None };
    said(configure, 26, b"\x01\x03\x00");
}

/// As the one entry 300, taken at 5 ms.
fn is_stored_as(command: pinode_scheduler::Command, bytes: &[u8]) {
    let payload = PayloadV1::Normal(Arc::new(SchedulerEntry { at_ms: 5, command }));
    let entry = EntryV1 { id: LogIdV1 { term: 3, node: 7, index: 300 }, payload };
    let head = b"\x03\x07\xfb\x2c\x01\x01\x05";
    let length = u32::try_from(head.len() + bytes.len()).unwrap().to_le_bytes();
    let golden = [b"pnd1\x01\x00".as_slice(), &length, head, bytes].concat();
    let record = encode(Schema::Entry, &entry).unwrap();
    assert_eq!(record[..record.len() - CRC], golden);
    assert_eq!(decode::<EntryV1>(Schema::Entry, &record), Ok(entry));
}

#[test]
fn a_flipped_bit_anywhere_is_seen() {
    let record = encode(Schema::Entry, &entry()).unwrap();
    for bit in 0..record.len() * 8 {
        let mut damaged = record.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(decode::<EntryV1>(Schema::Entry, &damaged).is_err(), "bit {bit}");
    }
}

#[test]
fn a_cut_record_is_seen() {
    let record = encode(Schema::Entry, &entry()).unwrap();
    for length in 0..record.len() {
        assert!(decode::<EntryV1>(Schema::Entry, &record[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn another_schema_is_refused() {
    let record = encode(Schema::Vote, &VoteV1 { term: 1, node: 1, committed: true }).unwrap();
    assert_eq!(decode::<EntryV1>(Schema::Entry, &record), Err(BadRecord::Schema { found: 2, wanted: 1 }));
}

#[test]
fn openraft_s_types_come_back_from_their_mirrors() {
    let members = [(1, Member { name: "n1".to_owned(), peer: "a:1".to_owned() }), (2, Member::default())];
    let membership = Membership::new(vec![[1].into()], BTreeMap::from(members)).unwrap();
    let id: LogId = LogIdV1 { term: 1, node: 2, index: 3 }.into();
    let entry = LogEntry { log_id: id, payload: EntryPayload::Membership(membership.clone()) };
    assert_eq!(LogEntry::from(EntryV1::from(&entry)), entry);
    let meta =
        SnapshotMeta { last_log_id: Some(id), last_membership: StoredMembership::new(Some(id), membership) };
    assert_eq!(SnapshotMeta::from(SnapshotMetaV1::from(&meta)), meta);
}

fn snapshot(level: u16) -> SnapshotV1 {
    use pinode_scheduler::{Command, NodeFacts, SessionId, State};
    let facts = NodeFacts {
        name: "n1".to_owned(),
        api: String::new(),
        peer: String::new(),
        boot_id: String::new(),
        start: pinode_scheduler::node::Start { count: 1, mark: 1 },
        capacity: Default::default(),
        labels: Default::default(),
        shared_id: None,
        feature: level,
        engine: String::new(),
    };
    let mut state = State::default();
    let open = Command::SessionOpened { session: SessionId { node: 1, number: 1 }, facts };
    state.apply(1, &SchedulerEntry { at_ms: 1, command: open });
    state.apply(2, &SchedulerEntry { at_ms: 1, command: Command::LevelRaised { level } });
    let membership = MembershipV1 { voters: vec![], members: vec![] };
    let last = Some(LogIdV1 { term: 1, node: 1, index: 2 });
    SnapshotV1 { meta: SnapshotMetaV1 { last, membership_at: None, membership }, state }
}

#[test]
fn a_snapshot_that_holds_nothing_new_is_one_that_every_version_reads() {
    let first = snapshot(1);
    let record = encode_snapshot(&first).unwrap();
    assert_eq!(record[4..6], [4, 0]);
    assert_eq!(decode_snapshot(&record), Ok(first.clone()));
    let whole = encode(Schema::LaterSnapshot, &first).unwrap();
    // No level, nobody away, and a pace of two zeros.
    assert_eq!(whole.len() - record.len(), 4);
    assert!(
        encode_state(&first.state).unwrap().ends_with(&record[record.len() - CRC - 8..record.len() - CRC])
    );
}

#[test]
fn a_snapshot_of_a_later_level_has_a_schema_of_its_own() {
    let later = snapshot(2);
    let record = encode_snapshot(&later).unwrap();
    assert_eq!(record[4..6], [8, 0]);
    assert_eq!(decode_snapshot(&record), Ok(later));
}

#[test]
fn a_snapshot_with_a_flipped_bit_is_none() {
    for level in [1, 2] {
        let record = encode_snapshot(&snapshot(level)).unwrap();
        for bit in 0..record.len() * 8 {
            let mut damaged = record.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode_snapshot(&damaged).is_err(), "level {level}, bit {bit}");
        }
    }
}
