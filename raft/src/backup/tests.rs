use std::collections::BTreeMap;
use std::sync::Arc;

use pinode_scheduler::node::{Capacity, NodeFacts, Start};
use pinode_scheduler::{Command, Entry, Rejection, Reply, SessionId};

use super::*;
use crate::codec::{EntryV1, MembershipV1, PayloadV1};
use crate::identity::family;
use crate::log::LogStore;
use crate::types::LogEntry;
use crate::{Machine, Remains, open};

const CLUSTER: [u8; 32] = [7; 32];

fn opened(node: u64) -> Command {
    let facts = NodeFacts {
        name: format!("n{node}"),
        api: String::new(),
        peer: String::new(),
        boot_id: "boot".to_owned(),
        start: Start { count: 1, mark: node },
        capacity: Capacity::default(),
        labels: BTreeMap::new(),
        shared_id: None,
        feature: 1,
        engine: String::new(),
    };
    Command::SessionOpened { session: SessionId { node, number: 1 }, facts }
}

fn meta(last: LogIdV1) -> SnapshotMetaV1 {
    let member = |id: u64| (id, MemberV1 { name: format!("n{id}"), peer: format!("h{id}:1") });
    let membership = MembershipV1 { voters: vec![vec![1, 2, 3]], members: (1..=3).map(member).collect() };
    SnapshotMetaV1 { last: Some(last), membership_at: Some(last), membership }
}

fn backup() -> BackupV1 {
    let mut state = State::default();
    for node in 1..=3 {
        state.apply(node, &Entry { at_ms: node, command: opened(node) });
    }
    BackupV1 { cluster: CLUSTER, at_ms: 9, meta: meta(LogIdV1 { term: 4, node: 2, index: 3 }), state }
}

fn again(dir: &Path) -> (Identity, LogStore, Machine) {
    let opened = open(dir, 99, Box::new(|error| panic!("a sync failed: {error}"))).unwrap();
    (opened.identity, opened.log, opened.machine)
}

#[test]
fn a_damaged_backup_is_refused() {
    let record = backup().encode().unwrap();
    assert_eq!(BackupV1::decode(&record).unwrap(), backup());
    for at in (0..record.len()).step_by(7) {
        let mut damaged = record.clone();
        damaged[at] ^= 1;
        assert!(BackupV1::decode(&damaged).is_err(), "byte {at}");
    }
    assert!(BackupV1::decode(&record[..record.len() - 1]).is_err());
}

#[tokio::test]
async fn a_restored_folder_is_another_node_in_another_cluster_of_the_family_with_every_session_closed() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("new");
    backup().restore(&folder, 42).await.unwrap();
    let (identity, log, machine) = again(&folder);
    assert_eq!(identity.node(), 42);
    let cluster = identity.cluster().unwrap();
    assert!(cluster != CLUSTER && family(&cluster) == family(&CLUSTER));
    assert_eq!(machine.state().nodes().filter(|node| node.is_open()).count(), 0);
    assert_eq!(machine.last_applied().map(|id| id.index), Some(9));
    assert_eq!(log.recovered().last.map(|id| (id.term, id.index)), Some((5, 9)));
}

#[tokio::test]
async fn nothing_is_restored_over_something() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("mine"), b"").unwrap();
    assert!(matches!(backup().restore(dir.path(), 42).await, Err(RestoreError::NotEmpty(_))));
}

/// The disk of node 3 of three: a snapshot up to entry 3, then entries 4 to 6 of its log, of which 5 is known to be
/// committed.
async fn survivor(dir: &Path) {
    use openraft::storage::{RaftLogStorage, RaftLogStorageExt};
    let mut identity = Identity::open(dir, 3).unwrap();
    let BackupV1 { meta, state, .. } = backup();
    crate::snapshot::Snapshots::open(&dir.join("snapshots"))
        .unwrap()
        .save(&SnapshotV1 { meta: meta.clone(), state })
        .unwrap();
    let mut log = LogStore::open(&dir.join("log"), Box::new(|_| {})).unwrap();
    log.purge(meta.last.unwrap().into()).await.unwrap();
    log.save_vote(&crate::codec::VoteV1 { term: 8, node: 1, committed: true }.into()).await.unwrap();
    let entries = (4..=6).map(|index| {
        let command = opened(10 + index);
        let payload = PayloadV1::Normal(Arc::new(Entry { at_ms: index, command }));
        LogEntry::from(EntryV1 { id: LogIdV1 { term: 7, node: 1, index }, payload })
    });
    log.blocking_append(entries).await.unwrap();
    log.save_committed(Some(LogIdV1 { term: 7, node: 1, index: 5 }.into())).await.unwrap();
    log.close().await.unwrap();
    identity.join_cluster(CLUSTER).unwrap();
}

#[tokio::test]
async fn the_remains_of_a_cluster_are_looked_at_without_a_change() {
    let dir = tempfile::tempdir().unwrap();
    survivor(dir.path()).await;
    for _ in 0..2 {
        let remains = Remains::of(dir.path()).unwrap();
        assert_eq!((remains.node(), remains.last.index, remains.committed.unwrap().index), (3, 6, 5));
        assert_eq!(remains.membership.voters, [[1, 2, 3]]);
        assert!(remains.lost.is_none() && remains.state.find_node(16).is_some());
    }
    assert_eq!(again(dir.path()).0.start().count, 2, "a look is no start");
}

#[tokio::test]
async fn a_survivor_made_alone_keeps_its_name_and_every_entry_and_belongs_to_another_cluster() {
    let dir = tempfile::tempdir().unwrap();
    survivor(dir.path()).await;
    let aside = Remains::of(dir.path()).unwrap().make_alone(5).await.unwrap();
    assert!(aside.join("log").exists() && aside.join("snapshots").exists());
    let (identity, log, machine) = again(dir.path());
    let cluster = identity.cluster().unwrap();
    assert!(identity.node() == 3 && cluster != CLUSTER && family(&cluster) == family(&CLUSTER));
    assert_eq!(machine.state().nodes().count(), 6);
    assert!(log.recovered().vote.unwrap().term >= 8, "no term is used twice");
    drop((identity, log, machine));
    let remains = Remains::of(dir.path()).unwrap();
    assert_eq!((remains.membership.voters.clone(), remains.last.index), (vec![vec![3]], 6));
    assert_eq!(remains.membership.members[0].1.peer, "h3:1");
}

#[tokio::test]
async fn two_halves_that_are_both_recovered_are_strangers() {
    let halves = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut ids = Vec::new();
    for (half, random) in halves.iter().zip([5, 6]) {
        survivor(half.path()).await;
        Remains::of(half.path()).unwrap().make_alone(random).await.unwrap();
        ids.push(again(half.path()).0.cluster().unwrap());
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_quarantined_survivor_says_what_it_lost_and_can_still_be_made_alone() {
    let dir = tempfile::tempdir().unwrap();
    survivor(dir.path()).await;
    std::fs::remove_dir_all(dir.path().join("log/sled")).unwrap();
    assert!(open(dir.path(), 99, Box::new(|_| {})).is_err());
    assert!(open(dir.path(), 99, Box::new(|_| {})).is_err(), "it is quarantined");
    let remains = Remains::of(dir.path()).unwrap();
    assert_eq!(remains.last.index, 3, "what the snapshot has");
    assert!(
        remains.lost.as_ref().is_some_and(|lost| lost.contains("entries 4 to 6 were")),
        "{:?}",
        remains.lost
    );
    remains.make_alone(5).await.unwrap();
    let (_identity, _log, machine) = again(dir.path());
    let mut state = machine.state().clone();
    let applied = state.apply(9, &Entry { at_ms: 9, command: opened(1) });
    assert!(!matches!(applied.reply, Reply::Rejected(Rejection::NodeRemoved)));
}

#[tokio::test]
async fn an_empty_folder_has_no_remains() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Remains::of(dir.path()).is_err());
    drop(Identity::open(dir.path(), 3).unwrap());
    assert!(matches!(Remains::of(dir.path()), Err(crate::RecoverError::Nothing(_))));
}
