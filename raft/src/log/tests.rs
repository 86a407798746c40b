//! What was acknowledged is there, or the folder is set aside.

mod measured;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use openraft::EntryPayload;
use openraft::storage::{IOFlushed, RaftLogReader, RaftLogStorage, RaftLogStorageExt};
use openraft::testing::log::{StoreBuilder, Suite};
use openraft::type_config::TypeConfigExt;
use pinode_scheduler::{Command as Entered, Entry, NodeFacts, SessionId};

use super::LogStore;
use crate::codec::LogIdV1;
use crate::machine::Machine;
use crate::open::{OpenError, open};
use crate::snapshot::Snapshots;
use crate::types::{LogEntry, TypeConfig};

fn store(dir: &Path) -> LogStore {
    LogStore::open(dir, Box::new(|error| panic!("sync failed: {error}"))).unwrap()
}

/// As a node does it.
fn store_that_stops(dir: &Path) -> LogStore {
    LogStore::open(dir, Box::new(|_| std::process::abort())).unwrap()
}

fn entry(index: u64) -> LogEntry {
    LogEntry { log_id: LogIdV1 { term: 1, node: 1, index }.into(), payload: EntryPayload::Blank }
}

/// An entry that takes a little more room than that, in bytes.
fn large(index: u64, bytes: usize) -> LogEntry {
    let facts = NodeFacts {
        name: "n".repeat(bytes),
        api: String::new(),
        peer: String::new(),
        boot_id: String::new(),
        start: pinode_scheduler::node::Start { count: 1, mark: 1 },
        capacity: Default::default(),
        labels: Default::default(),
        shared_id: None,
        feature: 1,
        engine: String::new(),
    };
    let session = SessionId { node: 1, number: 1 };
    let command = Entered::SessionOpened { session, facts };
    LogEntry { payload: EntryPayload::Normal(Arc::new(Entry { at_ms: 1, command })), ..entry(index) }
}

async fn append(store: &mut LogStore, indexes: std::ops::Range<u64>) {
    store.blocking_append(indexes.map(entry).collect::<Vec<_>>()).await.unwrap();
}

fn last(store: &LogStore) -> Option<u64> {
    store.recovered().last.map(|id| id.index)
}

struct Builder;

impl StoreBuilder<TypeConfig, LogStore, Machine, tempfile::TempDir> for Builder {
    async fn build(
        &self,
    ) -> Result<(tempfile::TempDir, LogStore, Machine), openraft::StorageError<TypeConfig>> {
        let dir = tempfile::tempdir().unwrap();
        let machine = Machine::open(Snapshots::open(&dir.path().join("snapshots")).unwrap()).unwrap();
        let store = store(&dir.path().join("log"));
        Ok((dir, store, machine))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn openraft_s_own_suite_passes() {
    Suite::<TypeConfig, LogStore, Machine, Builder, tempfile::TempDir>::test_all(Builder).await.unwrap();
}

#[tokio::test]
async fn what_was_appended_voted_purged_and_truncated_is_so_after_a_reopen() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = store(dir.path());
    append(&mut first, 0..10).await;
    first.save_vote(&crate::codec::VoteV1 { term: 4, node: 2, committed: true }.into()).await.unwrap();
    first.truncate_after(Some(entry(7).log_id)).await.unwrap();
    first.purge(entry(2).log_id).await.unwrap();
    first.close().await.unwrap();
    let before = first.recovered();
    drop(first);
    let mut second = store(dir.path());
    assert_eq!(second.recovered(), before);
    let entries = second.try_get_log_entries(..).await.unwrap();
    assert_eq!(entries, (3..8).map(entry).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_entry_larger_than_sled_syncs_comes_back_whole() {
    let dir = tempfile::tempdir().unwrap();
    let large = large(0, 300_000);
    let mut first = store(dir.path());
    first.blocking_append([large.clone()]).await.unwrap();
    drop(first);
    assert_eq!(store(dir.path()).try_get_log_entries(..).await.unwrap(), [large]);
}

/// sled writes a page again whole after a few changes to it, and one that is too large for its log to a file that it does
/// not sync.
#[tokio::test]
async fn nothing_of_the_log_is_in_files_that_are_not_synced() {
    for bytes in [10, 1_000, 12_000, 100_000] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = store(dir.path());
        let blobs = || fs::read_dir(dir.path().join("sled/blobs")).unwrap().count();
        for index in 0..100 {
            store.blocking_append([large(index, bytes)]).await.unwrap();
            assert_eq!(blobs(), 0, "of {index} entries of {bytes} bytes");
        }
        store.purge(entry(60).log_id).await.unwrap();
        store.truncate_after(Some(entry(80).log_id)).await.unwrap();
        assert_eq!(blobs(), 0, "of entries of {bytes} bytes");
    }
}

/// Runs as a child of the next test: appends and says what was acknowledged, until it is killed.
#[test]
#[ignore = "the child of those that kill it, or give it a disk that is full"]
fn child_that_appends_until_it_is_killed() {
    let dir = std::env::var("PINODE_TEST_DIR").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    runtime.block_on(async {
        let mut store = store_that_stops(Path::new(&dir));
        for index in last(&store).map_or(0, |last| last + 1).. {
            let (tell, told) = TypeConfig::oneshot();
            store.append([entry(index)], IOFlushed::signal(tell)).await.unwrap();
            told.await.unwrap().unwrap();
            println!("acknowledged {index}");
        }
    });
}

#[tokio::test]
async fn a_killed_process_has_lost_nothing_that_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = child(&[], dir.path());
    tokio::time::sleep(Duration::from_millis(600)).await;
    child.kill().unwrap();
    let acknowledged = acknowledged_by(child);
    assert!(last(&store(dir.path())) >= Some(acknowledged), "{acknowledged} was acknowledged");
}

const CHILD: [&str; 4] =
    ["--ignored", "--exact", "--nocapture", "log::tests::child_that_appends_until_it_is_killed"];

fn child(before: &[&str], dir: &Path) -> std::process::Child {
    let myself = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
    let words: Vec<&str> = before.iter().copied().chain([myself.as_str()]).chain(CHILD).collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).env("PINODE_TEST_DIR", dir).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().unwrap()
}

fn acknowledged_by(child: std::process::Child) -> u64 {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    // The last line may be cut off by the kill.
    let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().rev().find_map(|line| line.strip_prefix("acknowledged ")?.parse().ok()).unwrap()
}

/// A limit on the size of files refuses writes as a full disk does. At its start sled writes a segment of 2 MiB to its end.
#[tokio::test]
async fn a_full_disk_stops_the_process_at_once_and_nothing_that_it_acknowledged_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = store(dir.path());
    append(&mut first, 0..5).await;
    first.close().await.unwrap();
    drop(first);
    let has_kib = fs::metadata(dir.path().join("sled/db")).unwrap().len() / 1024;
    let limit = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", has_kib + 5_000);
    let full = child(&["bash", "-c", &limit, "bash"], dir.path());
    let acknowledged = acknowledged_by(full);
    let again = store(dir.path());
    assert!(
        last(&again) >= Some(acknowledged),
        "{acknowledged} was acknowledged, {:?} is there",
        last(&again)
    );
}

#[tokio::test]
async fn after_a_sync_that_failed_nothing_is_ever_called_durable() {
    use std::sync::atomic::{AtomicU32, Ordering};
    static TRIES: AtomicU32 = AtomicU32::new(0);
    static STOPPED: AtomicU32 = AtomicU32::new(0);
    let dir = tempfile::tempdir().unwrap();
    // As a kernel does it that has dropped the pages: the second sync says that all is well.
    let sync = |file: &fs::File| match TRIES.fetch_add(1, Ordering::Relaxed) {
        2 => Err(std::io::Error::other("the disk is gone")),
        _ => file.sync_data(),
    };
    let fatal = |_: &std::io::Error| {
        STOPPED.fetch_add(1, Ordering::Relaxed);
    };
    let mut first = LogStore::open_with(dir.path(), Box::new(sync), Box::new(fatal)).unwrap();
    append(&mut first, 0..1).await;
    append(&mut first, 1..2).await;
    for index in 2..5 {
        let (tell, told) = TypeConfig::oneshot();
        first.append([entry(index)], IOFlushed::signal(tell)).await.unwrap();
        assert!(told.await.unwrap().is_err(), "entry {index}");
    }
    assert_eq!(TRIES.load(Ordering::Relaxed), 3);
    assert!(STOPPED.load(Ordering::Relaxed) >= 1);
    assert!(first.close().await.is_err());
    drop(first);
    assert!(!dir.path().join("clean-stop").exists(), "the next start distrusts the tail");
    assert!(last(&store(dir.path())) >= Some(1));
}

#[tokio::test]
async fn after_a_sync_that_failed_what_is_purged_is_let_be() {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    static GONE: AtomicBool = AtomicBool::new(false);
    static STOPPED: AtomicU32 = AtomicU32::new(0);
    let dir = tempfile::tempdir().unwrap();
    let sync = |file: &fs::File| match GONE.load(Ordering::Relaxed) {
        true => Err(std::io::Error::other("the disk is gone")),
        false => file.sync_data(),
    };
    let fatal = |_: &std::io::Error| {
        STOPPED.fetch_add(1, Ordering::Relaxed);
    };
    let mut store = LogStore::open_with(dir.path(), Box::new(sync), Box::new(fatal)).unwrap();
    store.blocking_append((0..100).map(|index| large(index, 1_000))).await.unwrap();
    GONE.store(true, Ordering::Relaxed);
    // More than there is room for beside a portion that goes.
    store.blocking_append((100..150).map(|index| large(index, 1_000))).await.unwrap_err();
    store.purge(entry(90).log_id).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let stopped = STOPPED.load(Ordering::Relaxed);
    assert!(stopped < 5, "said {stopped} times");
}

#[tokio::test]
async fn a_slow_disk_says_how_slow_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let slow = |file: &fs::File| {
        std::thread::sleep(Duration::from_millis(30));
        file.sync_data()
    };
    let mut store = LogStore::open_with(dir.path(), Box::new(slow), Box::new(|_| ())).unwrap();
    assert!(store.measure_sync().await.unwrap() >= Duration::from_millis(30));
    assert_eq!(store.sync_p99(), None);
    for index in 0..40 {
        append(&mut store, index..index + 1).await;
    }
    assert!(store.sync_p99() >= Some(Duration::from_millis(30)));
}

#[tokio::test]
async fn a_flipped_bit_below_the_mark_quarantines_and_keeps_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open(dir.path(), 7, Box::new(|_| ())).unwrap();
    append(&mut opened.log.clone(), 0..500).await;
    opened.log.close().await.unwrap();
    drop(opened);
    let path = dir.path().join("log/sled/db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.windows(4).rposition(|at| at == b"pnd1").unwrap();
    bytes[middle + 14] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(matches!(open(dir.path(), 8, Box::new(|_| ())), Err(OpenError::Quarantined { .. })));
    let again = open(dir.path(), 8, Box::new(|_| ())).unwrap_err().to_string();
    assert!(again.contains("is quarantined"), "{again}");
    assert!(path.exists());
}

#[tokio::test]
async fn a_truncated_file_below_the_mark_quarantines() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open(dir.path(), 7, Box::new(|_| ())).unwrap();
    append(&mut opened.log.clone(), 0..500).await;
    drop(opened);
    let path = dir.path().join("log/sled/db");
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_len(0).unwrap();
    assert!(matches!(open(dir.path(), 8, Box::new(|_| ())), Err(OpenError::Quarantined { .. })));
}

#[tokio::test]
async fn a_missing_high_water_file_quarantines() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open(dir.path(), 7, Box::new(|_| ())).unwrap();
    append(&mut opened.log.clone(), 0..5).await;
    drop(opened);
    fs::remove_file(dir.path().join("log/high-water")).unwrap();
    assert!(matches!(open(dir.path(), 8, Box::new(|_| ())), Err(OpenError::Quarantined { .. })));
}

#[tokio::test]
async fn a_log_that_vanished_from_a_disk_of_a_cluster_quarantines() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(dir.path(), 7, Box::new(|_| ())).unwrap();
    opened.identity.join_cluster([1; 32]).unwrap();
    append(&mut opened.log.clone(), 0..5).await;
    drop(opened);
    fs::remove_dir_all(dir.path().join("log")).unwrap();
    let refused = open(dir.path(), 8, Box::new(|_| ()));
    assert!(matches!(refused, Err(OpenError::Quarantined { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_first_start_that_was_cut_off_before_there_was_a_log_is_no_loss() {
    let dir = tempfile::tempdir().unwrap();
    drop(crate::Identity::open(dir.path(), 7).unwrap());
    assert_eq!(open(dir.path(), 8, Box::new(|_| ())).unwrap().identity.node(), 7);
}

#[tokio::test]
async fn a_high_water_file_without_a_whole_slot_quarantines() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open(dir.path(), 7, Box::new(|_| ())).unwrap();
    append(&mut opened.log.clone(), 0..5).await;
    drop(opened);
    fs::write(dir.path().join("log/high-water"), [0; 8_192]).unwrap();
    let refused = open(dir.path(), 8, Box::new(|_| ()));
    assert!(matches!(refused, Err(OpenError::Quarantined { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_snapshot_that_covers_something_else_than_was_said_is_not_kept() {
    use openraft::storage::{RaftSnapshotBuilder, RaftStateMachine};
    let dir = tempfile::tempdir().unwrap();
    let snapshots = Snapshots::open(dir.path()).unwrap();
    let mut machine = Machine::open(Snapshots::open(&dir.path().join("sender")).unwrap()).unwrap();
    let sent = machine.build_snapshot().await.unwrap().snapshot;
    let said = crate::types::SnapshotMeta { last_log_id: Some(entry(9).log_id), ..Default::default() };
    let mut receiver = Machine::open(snapshots.clone()).unwrap();
    receiver.install_snapshot(&said, sent).await.unwrap_err();
    assert!(snapshots.newest().unwrap().is_none());
}

#[tokio::test]
async fn one_torn_slot_of_the_high_water_file_is_survived() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = store(dir.path());
    append(&mut first, 0..5).await;
    append(&mut first, 5..6).await;
    drop(first);
    let path = dir.path().join("high-water");
    let mut bytes = fs::read(&path).unwrap();
    bytes[10] ^= 0xff;
    fs::write(&path, bytes).unwrap();
    assert_eq!(last(&store(dir.path())), Some(5));
}

#[tokio::test]
async fn entries_above_the_mark_are_kept_if_their_chain_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = store(dir.path());
    append(&mut first, 0..5).await;
    let mark = fs::read(dir.path().join("high-water")).unwrap();
    append(&mut first, 5..9).await;
    drop(first);
    fs::write(dir.path().join("high-water"), mark).unwrap();
    assert_eq!(last(&store(dir.path())), Some(8));
}

#[tokio::test]
async fn a_snapshot_that_does_not_verify_is_passed_over_for_the_one_before_it() {
    use crate::codec::{MembershipV1, SnapshotMetaV1, SnapshotV1};
    let dir = tempfile::tempdir().unwrap();
    let snapshots = Snapshots::open(dir.path()).unwrap();
    let at = |index| SnapshotV1 {
        meta: SnapshotMetaV1 {
            last: Some(LogIdV1 { term: 1, node: 1, index }),
            membership_at: None,
            membership: MembershipV1 { voters: vec![], members: vec![] },
        },
        state: Default::default(),
    };
    for index in [10, 20, 30] {
        snapshots.save(&at(index)).unwrap();
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    fs::write(dir.path().join(format!("{:020}.snapshot", 30)), b"pnd1").unwrap();
    assert_eq!(snapshots.newest().unwrap().unwrap(), at(20));
}
