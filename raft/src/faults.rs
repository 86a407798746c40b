//! Whatever becomes of a file, the next start finds the truth or sets the folder aside. It never finds something else,
//! never begins anew, and never panics.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use openraft::EntryPayload;
use openraft::storage::{RaftLogReader, RaftLogStorage, RaftLogStorageExt};
use pinode_scheduler::node::Start;
use pinode_scheduler::{Command, Entry, NodeFacts, SessionId, State};
use tempfile::TempDir;

use crate::codec::{self, LogIdV1, MembershipV1, SnapshotMetaV1, SnapshotV1, VoteV1};
use crate::identity::IdentityError;
use crate::log::sled_file::open_sled;
use crate::open::{OpenError, open};
use crate::snapshot::Snapshots;
use crate::types::LogEntry;

/// The log's last entry, and what the two snapshots cover.
const LAST: u64 = 40;
const COVERED: [u64; 2] = [10, 20];
/// So many places of each file are harmed; with PINODE_TEST_EVERY_OFFSET set, every one.
const PLACES: usize = 40;

/// What a start finds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    node: u64,
    cluster: Option<[u8; 32]>,
    vote: Option<VoteV1>,
    last: Option<u64>,
    /// After the log was applied to the snapshot.
    state: Vec<u8>,
}

/// How a start ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Truth,
    SetAside,
    /// An error at every start, and nothing is taken for an empty disk.
    Refused,
}

fn command(index: u64) -> Entry {
    let facts = NodeFacts {
        name: format!("n{index}"),
        api: "10.77.1.1:7373".to_owned(),
        peer: "10.77.1.1:7374".to_owned(),
        boot_id: "boot".to_owned(),
        start: Start { count: index, mark: 1 },
        capacity: Default::default(),
        labels: Default::default(),
        shared_id: None,
        feature: 2,
        engine: "20.10".to_owned(),
    };
    Entry {
        at_ms: index,
        command: Command::SessionOpened { session: SessionId { node: 1, number: index }, facts },
    }
}

fn id(index: u64) -> LogIdV1 {
    LogIdV1 { term: 1, node: 1, index }
}

fn entry(index: u64) -> LogEntry {
    LogEntry { log_id: id(index).into(), payload: EntryPayload::Normal(Arc::new(command(index))) }
}

fn state_at(index: u64) -> State {
    let mut state = State::default();
    (1..=index).for_each(|index| drop(state.apply(index, &command(index))));
    state
}

/// A folder with a log that was purged, and two snapshots of real states. Its process was killed, or has stopped in order.
async fn folder(in_order: bool) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(dir.path(), 7, Box::new(|_| ())).unwrap();
    opened.identity.join_cluster([1; 32]).unwrap();
    let mut log = opened.log.clone();
    log.save_vote(&VoteV1 { term: 3, node: 2, committed: true }.into()).await.unwrap();
    let blank = LogEntry { log_id: id(0).into(), payload: EntryPayload::Blank };
    log.blocking_append([blank].into_iter().chain((1..=LAST).map(entry))).await.unwrap();
    let snapshots = Snapshots::open(&dir.path().join("snapshots")).unwrap();
    for index in COVERED {
        let membership = MembershipV1 { voters: vec![vec![7]], members: vec![] };
        let meta = SnapshotMetaV1 { last: Some(id(index)), membership_at: None, membership };
        snapshots.save(&SnapshotV1 { meta, state: state_at(index) }).unwrap();
    }
    log.purge(id(COVERED[0]).into()).await.unwrap();
    log.save_vote(&VoteV1 { term: 4, node: 2, committed: true }.into()).await.unwrap();
    if in_order {
        log.close().await.unwrap();
    }
    dir
}

async fn start(dir: &Path) -> Result<Found, OpenError> {
    // A child that another test starts has the lock's file for the moment between fork and exec.
    let mut tries = 0..500;
    let mut opened = loop {
        match open(dir, 8, Box::new(|_| ())) {
            Err(OpenError::Identity(IdentityError::InUse(_))) if tries.next().is_some() => {
                std::thread::sleep(Duration::from_millis(10));
            }
            opened => break opened?,
        }
    };
    let covered = opened.machine.last_applied().map_or(0, |id| id.index);
    let mut state = opened.machine.state().clone();
    for entry in opened.log.try_get_log_entries(covered + 1..).await.unwrap() {
        let EntryPayload::Normal(command) = entry.payload else { continue };
        state.apply(entry.log_id.index, &command);
    }
    let recovered = opened.log.recovered();
    Ok(Found {
        node: opened.identity.node(),
        cluster: opened.identity.cluster(),
        vote: recovered.vote,
        last: recovered.last.map(|id| id.index),
        state: codec::encode_state(&state).unwrap(),
    })
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn copy(from: &Path) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    for file in files(from) {
        let target = to.path().join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(file, target).unwrap();
    }
    to
}

/// Harms one file of a copy, starts twice, and judges.
fn judge(folder: &Path, file: &Path, what: &str, harm: impl FnOnce(&Path)) -> End {
    let copy = copy(folder);
    harm(&copy.path().join(file));
    let truth = Found {
        node: 7,
        cluster: Some([1; 32]),
        vote: Some(VoteV1 { term: 4, node: 2, committed: true }),
        last: Some(LAST),
        state: codec::encode_state(&state_at(LAST)).unwrap(),
    };
    let mut ends = BTreeSet::new();
    for _ in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let started = catch_unwind(AssertUnwindSafe(|| runtime.block_on(start(copy.path()))));
        ends.insert(match started.unwrap_or_else(|_| panic!("{what}: it panicked")) {
            Ok(found) => {
                assert_eq!(found, truth, "{what}");
                End::Truth
            }
            Err(OpenError::Quarantined { .. } | OpenError::Identity(IdentityError::Quarantined { .. })) => {
                End::SetAside
            }
            Err(OpenError::Identity(IdentityError::Damaged { .. })) => End::Refused,
            Err(error) => panic!("{what}: {error:?}"),
        });
    }
    assert_eq!(ends.len(), 1, "{what}: {ends:?}");
    ends.pop_first().unwrap()
}

/// Places in a file: evenly spread over what was written, and the very ends of it.
fn places(path: &Path) -> Vec<usize> {
    let bytes = fs::read(path).unwrap();
    let written = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let every = if std::env::var_os("PINODE_TEST_EVERY_OFFSET").is_some() { 1 } else { written / PLACES + 1 };
    (0..written).step_by(every).chain(written.checked_sub(1)).collect()
}

/// Every file but those that hold nothing, harmed at many places; how it ended, by the kind of file.
async fn harm_everywhere(
    in_order: bool,
    word: &str,
    harm: impl Fn(&Path, usize),
) -> Vec<(String, BTreeSet<End>)> {
    let folder = folder(in_order).await;
    let dir = folder.path().to_owned();
    tokio::task::block_in_place(|| {
        let mut all = Vec::new();
        for file in files(&dir) {
            let name = file.strip_prefix(&dir).unwrap().to_owned();
            let ends = places(&file).into_iter().map(|at| {
                judge(&dir, &name, &format!("{}, {word} {at}", name.display()), |path| harm(path, at))
            });
            let ends: BTreeSet<End> = ends.collect();
            if !ends.is_empty() {
                all.push((name.display().to_string(), ends));
            }
        }
        all
    })
}

fn of<'a>(all: &'a [(String, BTreeSet<End>)], name: &str) -> &'a BTreeSet<End> {
    let found = all.iter().find(|(file, _)| file.contains(name));
    &found.unwrap_or_else(|| panic!("no file {name} among {all:?}")).1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_anywhere_is_survived_or_seen() {
    for in_order in [true, false] {
        let ends = harm_everywhere(in_order, "a bit in byte", |path, at| {
            let mut bytes = fs::read(path).unwrap();
            bytes[at] ^= 1 << (at % 8);
            fs::write(path, bytes).unwrap();
        })
        .await;
        assert_eq!(*of(&ends, "high-water"), [End::Truth].into(), "one slot is whole");
        assert_eq!(*of(&ends, "00020.snapshot"), [End::Truth].into(), "there is the one before");
        assert_eq!(*of(&ends, "00010.snapshot"), [End::Truth].into(), "there is the one after");
        assert_eq!(*of(&ends, "identity"), [End::Refused].into());
        assert!(of(&ends, "sled/db").contains(&End::SetAside), "a log that lost what it had acknowledged");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_cut_off_anywhere_is_survived_or_seen() {
    let ends = harm_everywhere(false, "cut at", |path, at| {
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_len(at as u64).unwrap();
    })
    .await;
    assert_eq!(*of(&ends, "00020.snapshot"), [End::Truth].into());
    assert_eq!(*of(&ends, "identity"), [End::Refused].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_is_survived_or_seen() {
    let folder = folder(false).await;
    let gone = |name: &str| {
        let files = files(folder.path());
        let file = files.iter().find(|file| file.display().to_string().contains(name)).unwrap();
        let file = file.strip_prefix(folder.path()).unwrap();
        tokio::task::block_in_place(|| {
            judge(folder.path(), file, &format!("{name} is gone"), |path| fs::remove_file(path).unwrap())
        })
    };
    for name in ["identity", "high-water", "sled/db"] {
        assert_eq!(gone(name), End::SetAside, "{name}");
    }
    for name in ["00020.snapshot", "00010.snapshot"] {
        assert_eq!(gone(name), End::Truth, "{name}");
    }
}

/// A node that was downgraded must not take what it cannot read for damage, and least of all cut it off.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_a_later_version_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    drop(open(dir.path(), 7, Box::new(|_| ())).unwrap());
    {
        // A payload that no version so far has written, in a record that is whole.
        let db = open_sled(&log.join("sled"), &log).unwrap();
        let record = codec::encode(codec::Schema::Entry, &(1_u64, 1_u64, 0_u64, 250_u32)).unwrap();
        let mut key = [b'l'; 11];
        key[1..].fill(0);
        db.insert(key, record).unwrap();
        db.flush().unwrap();
    }
    for _ in 0..2 {
        let error = open(dir.path(), 8, Box::new(|_| ())).unwrap_err();
        let text = format!("{error:?}");
        assert!(matches!(error, OpenError::Log(_)) && text.contains("Unsupported"), "{text}");
    }
    assert!(!dir.path().join("QUARANTINE").exists());
}
