//! Who votes while nodes die, come back, and are declared gone.

use std::collections::BTreeSet;
use std::time::Duration;

use pinode_scheduler::{Command, NodeId, Reply, Request, RequestKey, SessionId};
use tokio::time::sleep;

use super::harness::{Disk, Node, eventually, is_stale, leader, three};
use crate::transport::wire::Seen;

fn request(key: &str) -> Request {
    Request { key: RequestKey(key.to_owned()), body: [0; 32] }
}

/// A dead voter is replaced after a second.
async fn impatient(node: &Node) {
    let replace_voter_after_ms = Some(1_000);
    let configure = Command::Configure { request: request("settings"), voters: None, replace_voter_after_ms };
    assert_eq!(node.propose(configure).await, Reply::Done);
}

async fn vote(node: &Node, ids: &[NodeId]) {
    let wanted = BTreeSet::from_iter(ids.iter().copied());
    let what = format!("{wanted:?} vote");
    eventually(&what, async || (node.voters().await == wanted).then_some(())).await;
}

async fn learner(node: &Node, id: NodeId) {
    let what = format!("{id} learns");
    eventually(&what, async || node.membership().await.learner_ids().any(|other| other == id).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_voter_is_replaced_by_a_learner_and_comes_back_as_one() {
    let (disks, nodes) = three().await;
    impatient(&nodes[0]).await;
    let fourth = Disk::new(4);
    let four = fourth.start(&[&disks[0]]).await;
    learner(&nodes[0], 4).await;
    let [one, two, dead] = nodes;
    dead.kill().await;
    vote(&one, &[1, 2, 4]).await;
    let back = disks[2].start(&[&disks[0], &disks[1]]).await;
    one.open_session(1, "n1", 1).await;
    back.sees("n1").await;
    learner(&one, 3).await;
    // It is as good as it was: with a fifth node there is room for it.
    let fifth = Disk::new(5);
    let five = fifth.start(&[&disks[1]]).await;
    vote(&two, &[1, 2, 3, 4, 5]).await;
    assert_eq!(five.open_session(5, "n5", 1).await, Reply::Done);
    four.sees("n5").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_voters_of_which_two_die_become_three() {
    let disks: Vec<Disk> = (1..=5).map(Disk::new).collect();
    let all: Vec<&Disk> = disks.iter().collect();
    let mut nodes = Vec::new();
    for disk in &disks {
        nodes.push(disk.start(&all).await);
    }
    impatient(&nodes[0]).await;
    for _ in 0..2 {
        nodes.remove(0).kill().await;
    }
    vote(&nodes[0], &[3, 4, 5]).await;
    // Now one more may die.
    nodes.remove(0).kill().await;
    assert_eq!(nodes[0].open_session(4, "n4", 1).await, Reply::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_node_votes_no_more_and_its_disk_is_refused() {
    let (disks, nodes) = three().await;
    nodes[0].open_session(3, "n3", 1).await;
    let [one, two, gone] = nodes;
    gone.kill().await;
    one.propose(Command::NodeLost { session: SessionId { node: 3, number: 1 } }).await;
    let remove = Command::RemoveNode { request: request("rm"), node: 3, force: false };
    assert_eq!(one.propose(remove).await, Reply::Done);
    eventually("it is no member", async || one.membership().await.get_node(&3).is_none().then_some(())).await;
    assert_eq!(one.voters().await.len(), 1, "two voters are worse than one");
    two.open_session(2, "n2", 1).await;
    two.sees("n2").await;
    let back = disks[2].start(&[&disks[0], &disks[1]]).await;
    assert_eq!(eventually("it is told", async || is_stale(&back)).await, Seen::Removed);
    sleep(Duration::from_secs(2)).await;
    assert!(one.membership().await.get_node(&3).is_none());
    assert!(back.machine.state().find_node_named("n2").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_comes_back_after_another_took_its_name_is_refused() {
    let (disks, nodes) = three().await;
    nodes[0].open_session(3, "n3", 1).await;
    let [one, two, gone] = nodes;
    gone.kill().await;
    one.propose(Command::NodeLost { session: SessionId { node: 3, number: 1 } }).await;
    let mut fresh = Disk::new(9);
    fresh.name = "n3".to_owned();
    let new = fresh.start(&[&disks[0], &disks[1]]).await;
    vote(&one, &[1, 2, 9]).await;
    assert_eq!(new.open_session(9, "n3", 1).await, Reply::Done);
    let replaced = async || one.machine.state().is_removed(3) && two.machine.state().is_removed(3);
    eventually("both know that 3 is nobody", async || replaced().await.then_some(())).await;
    let back = disks[2].start(&[&disks[0], &disks[1]]).await;
    assert_eq!(eventually("it is told", async || is_stale(&back)).await, Seen::Removed);
    eventually("it is no member", async || one.membership().await.get_node(&3).is_none().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_leader_names_another_before_it_is_forgotten() {
    let (_disks, nodes) = three().await;
    let old = leader(&nodes).await.id;
    let rest = nodes.iter().find(|node| node.id != old).unwrap();
    rest.open_session(old, "old", 1).await;
    rest.open_session(rest.id, "rest", 1).await;
    let remove = Command::RemoveNode { request: request("rm"), node: old, force: true };
    assert_eq!(rest.propose(remove).await, Reply::Done);
    eventually("it is no member", async || rest.membership().await.get_node(&old).is_none().then_some(()))
        .await;
    assert_eq!(rest.open_session(9, "n9", 1).await, Reply::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_voters_follows_the_setting() {
    let (disks, nodes) = three().await;
    let configure = |key: &str, voters: u8| Command::Configure {
        request: request(key),
        voters: Some(voters),
        replace_voter_after_ms: None,
    };
    nodes[0].propose(configure("one", 1)).await;
    eventually("one votes", async || (nodes[0].voters().await.len() == 1).then_some(())).await;
    assert_eq!(nodes[1].open_session(1, "n1", 1).await, Reply::Done);
    nodes[0].propose(configure("five", 5)).await;
    let fourth = Disk::new(4);
    let _four = fourth.start(&[&disks[0]]).await;
    vote(&nodes[2], &[1, 2, 3]).await;
}
