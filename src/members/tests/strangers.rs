//! Who must not be listened to: other clusters, old copies of a disk, other nodes than the one that was meant, noise.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use openraft::RaftMetrics;
use pinode_raft::codec::VoteV1;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::codec::Framed;

use futures_util::{SinkExt, StreamExt};
use pinode_scheduler::later::LEVEL;
use pinode_scheduler::node::Start;
use pinode_scheduler::{Command, NodeFacts, Reply};

use super::harness::{Disk, Node, PATIENCE, eventually, is_stale, leader, session_opened, three};
use crate::transport::wire::{self, Ask, Hello, PROTOCOL, Purpose, Seen, Verdict, VoteRequestV1, Welcome};
use crate::transport::{Greeting, Peers};

fn hello(node: &Node) -> Hello {
    Hello {
        protocol: wire::protocol_of(1),
        cluster: node.greeting.cluster(),
        node: 77,
        start: Start { count: 1, mark: 1 },
        last_log: None,
        purpose: Purpose::Heartbeat,
        to: Some(node.id),
    }
}

/// A hello for `purpose`, as a member of `cluster`.
pub(super) async fn knock(node: &Node, cluster: Option<[u8; 32]>, purpose: Purpose) -> Welcome {
    say(node, &Hello { cluster, purpose, ..hello(node) }).await
}

async fn say(node: &Node, hello: &Hello) -> Welcome {
    let socket = TcpStream::connect(&node.addr).await.unwrap();
    let mut frames = Framed::new(socket, wire::framing());
    frames.send(wire::encode(hello).unwrap()).await.unwrap();
    wire::decode(&frames.next().await.unwrap().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_cluster_another_protocol_and_another_node_are_refused() {
    let disk = Disk::new(1);
    let node = disk.start(&[]).await;
    node.up().await;
    let fine = hello(&node);
    assert!(matches!(say(&node, &fine).await, Welcome::Come(me) if me.node == 1 && me.start.count == 1));
    let cluster = node.greeting.cluster();
    let other = Hello { cluster: Some([9; 32]), ..fine.clone() };
    assert_eq!(say(&node, &other).await, Welcome::OtherCluster(cluster));
    let none = Hello { cluster: None, ..fine.clone() };
    assert_eq!(
        say(&node, &none).await,
        Welcome::OtherCluster(cluster),
        "first contact is not for heartbeats"
    );
    let newer = Hello { protocol: PROTOCOL + 1, ..fine.clone() };
    assert_eq!(say(&node, &newer).await, Welcome::OtherProtocol(PROTOCOL));
    let astray = Hello { to: Some(2), ..fine };
    assert_eq!(
        say(&node, &astray).await,
        Welcome::OtherNode(1),
        "a wiped disk does not vote for the old one"
    );
}

/// Raised, every level is one more protocol: who does not speak it would not understand the log.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_speak_the_level_that_was_agreed_on_is_no_longer_listened_to() {
    let disk = Disk::new(1);
    let node = disk.start(&[]).await;
    let Command::SessionOpened { session, facts } = session_opened(1, "n1", 1) else { unreachable!() };
    let facts = NodeFacts { feature: LEVEL, ..facts };
    assert_eq!(node.propose(Command::SessionOpened { session, facts }).await, Reply::Done);
    let older = hello(&node);
    assert!(matches!(say(&node, &older).await, Welcome::Come(_)), "until it is raised, both are members");
    assert_eq!(node.propose(Command::LevelRaised { level: LEVEL }).await, Reply::Done);
    assert_eq!(say(&node, &older).await, Welcome::OtherProtocol(PROTOCOL));
    let elsewhere = Hello { cluster: Some([9; 32]), ..older.clone() };
    let theirs = node.greeting.cluster();
    assert_eq!(
        say(&node, &elsewhere).await,
        Welcome::OtherCluster(theirs),
        "another cluster's level is its own"
    );
    let newer = Hello { protocol: PROTOCOL, ..older };
    assert!(matches!(say(&node, &newer).await, Welcome::Come(_)));
    // A node that knows of no level yet is told, says so, and is let in.
    let late = Disk::new(2);
    let late = late.start(&[&disk]).await;
    late.sees("n1").await;
}

/// Or its first question, which may be whether an image is there, is answered by an error.
#[tokio::test(flavor = "multi_thread")]
async fn who_hears_of_a_new_level_later_than_the_others_is_let_in_at_its_first_try() {
    let disk = Disk::new(1);
    let node = disk.start(&[]).await;
    node.up().await;
    let late = Disk::new(2);
    let opened = late.open().await;
    let (start, cluster) = (opened.identity.start(), node.greeting.cluster());
    let greeting = Greeting::new(2, start, opened.log, opened.machine, cluster);
    let Command::SessionOpened { session, facts } = session_opened(1, "n1", 1) else { unreachable!() };
    let facts = NodeFacts { feature: LEVEL, ..facts };
    assert_eq!(node.propose(Command::SessionOpened { session, facts }).await, Reply::Done);
    assert_eq!(node.propose(Command::LevelRaised { level: LEVEL }).await, Reply::Done);
    let peers = Peers::new(Arc::new(greeting));
    let answer = peers.call_member(1, &node.addr, &Ask::ReadIndex, PATIENCE).await;
    assert!(answer.is_ok(), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_on_the_port_does_no_harm() {
    let (_disks, nodes) = three().await;
    nodes[0].up().await;
    let mut frame_of_nonsense = 20_u32.to_be_bytes().to_vec();
    frame_of_nonsense.extend([0xff; 20]);
    let noises: [&[u8]; 5] = [b"GET / HTTP/1.1\r\n\r\n", &[0xff; 64], &[0; 64], &frame_of_nonsense, b""];
    for noise in noises {
        let mut socket = TcpStream::connect(&nodes[0].addr).await.unwrap();
        socket.write_all(noise).await.unwrap();
        socket.shutdown().await.unwrap();
        let mut answer = Vec::new();
        timeout(PATIENCE, socket.read_to_end(&mut answer)).await.unwrap().ok();
        assert!(answer.is_empty(), "{answer:?}");
    }
    assert_eq!(nodes[0].open_session(1, "n1", 1).await, Reply::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_on_the_wrong_connection_ends_it() {
    let disk = Disk::new(1);
    let node = disk.start(&[]).await;
    node.up().await;
    let socket = TcpStream::connect(&node.addr).await.unwrap();
    let mut frames = Framed::new(socket, wire::framing());
    frames.send(wire::encode(&Hello { purpose: Purpose::Snapshot, ..hello(&node) }).unwrap()).await.unwrap();
    frames.next().await.unwrap().unwrap();
    frames.send(wire::encode(&Verdict::Fine).unwrap()).await.unwrap();
    let vote = VoteV1 { term: 99, node: 77, committed: false };
    let ask = Ask::Vote(VoteRequestV1 { vote, last: None, transfer: true });
    frames.send(wire::numbered(1, &wire::encode(&ask).unwrap())).await.unwrap();
    assert!(timeout(PATIENCE, frames.next()).await.unwrap().is_none_or(|frame| frame.is_err()));
    assert_ne!(node.term().await, 99);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_copy_of_a_disk_is_told_and_exchanges_no_raft_message() {
    let (disks, nodes) = three().await;
    // The cluster has seen start 50 of the third disk; what comes back counts 2.
    assert_eq!(nodes[0].open_session(3, "n3", 50).await, Reply::Done);
    let [one, two, three] = nodes;
    // Who has not applied it yet would still vote for the old copy.
    one.sees("n3").await;
    two.sees("n3").await;
    three.kill().await;
    let copy = disks[2].start(&[&disks[0], &disks[1]]).await;
    let seen = eventually("it is told", async || is_stale(&copy)).await;
    assert!(matches!(seen, Seen::Start { seen: 50, .. }), "{seen}");
    one.open_session(1, "n1", 1).await;
    two.sees("n1").await;
    sleep(Duration::from_secs(1)).await;
    assert!(copy.machine.state().find_node_named("n1").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_copy_that_counts_its_starts_right_is_known_by_what_it_had_acknowledged() {
    let (disks, nodes) = three().await;
    let leads = leader(&nodes).await.id;
    let at = nodes.iter().position(|node| node.id != leads).unwrap();
    let mut nodes = Vec::from(nodes);
    nodes[at].open_session(1, "early", 1).await;
    nodes[at].sees("early").await;
    nodes.remove(at).kill().await;
    let copy = tempfile::tempdir().unwrap();
    copy_folder(disks[at].path(), copy.path());
    let peers: Vec<&Disk> = disks.iter().collect();
    let again = disks[at].start(&peers).await;
    nodes[0].open_session(2, "late", 1).await;
    again.sees("late").await;
    let leader = nodes.iter().find(|node| node.id == leads).unwrap().raft().await;
    let id = again.id;
    let acknowledged = |m: &RaftMetrics<_>| {
        let matched = m.replication.as_ref().and_then(|all| all.get(&id).copied().flatten());
        matched.map(|id| id.index) == m.last_log_index
    };
    leader.wait(Some(PATIENCE)).metrics(acknowledged, "it has acknowledged all").await.unwrap();
    again.kill().await;
    std::fs::remove_dir_all(disks[at].path()).unwrap();
    copy_folder(copy.path(), disks[at].path());
    let restored = disks[at].start(&peers).await;
    let seen = eventually("it is told", async || is_stale(&restored)).await;
    assert!(matches!(seen, Seen::Log { .. }), "{seen}");
}

/// Nobody's memory helps here: the node that lacks the entry and the old copy are a majority, and the third has just
/// begun to start when they could already vote.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_copy_does_not_help_to_forget_what_its_node_had_acknowledged() {
    let (disks, nodes) = three().await;
    let all: Vec<&Disk> = disks.iter().collect();
    let [one, two, three] = nodes;
    assert_eq!(one.open_session(1, "early", 1).await, Reply::Done);
    for node in [&one, &two, &three] {
        node.sees("early").await;
    }
    three.kill().await;
    two.kill().await;
    let copy = tempfile::tempdir().unwrap();
    copy_folder(disks[1].path(), copy.path());
    let two = disks[1].start(&all).await;
    assert_eq!(two.open_session(2, "late", 1).await, Reply::Done);
    one.kill().await;
    two.kill().await;
    std::fs::remove_dir_all(disks[1].path()).unwrap();
    copy_folder(copy.path(), disks[1].path());
    let three = disks[2].start(&all).await;
    let restored = disks[1].start(&all).await;
    sleep(Duration::from_millis(1_500)).await;
    let one = disks[0].start(&all).await;
    for node in [&one, &restored, &three] {
        node.sees("late").await;
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = {
            let entry = entry.unwrap();
            (entry.path(), to.join(entry.file_name()))
        };
        if from.is_dir() { copy_folder(&from, &to) } else { assert!(std::fs::copy(&from, &to).is_ok()) }
    }
}
