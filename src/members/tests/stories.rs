//! Founding, joining, restarting, leading.

use std::collections::BTreeSet;
use std::time::Duration;

use pinode_scheduler::{Command, Reply, SessionId};
use tokio::time::{sleep, timeout};

use super::harness::{Disk, Gate, Node, PATIENCE, eventually, leader, session_opened, start_all, three};
use crate::members::hand_over;
use crate::node::until_raft_ends;

/// Long enough for what must not happen to happen, were it going to.
const A_WHILE: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_found_a_cluster_and_commit_from_any_of_them() {
    let (_disks, nodes) = three().await;
    for node in &nodes {
        assert_eq!(node.open_session(node.id, &node.name, 1).await, Reply::Done);
    }
    for node in &nodes {
        for other in &nodes {
            node.sees(&other.name).await;
        }
        assert_eq!(node.voters().await, BTreeSet::from([1, 2, 3]));
        assert_eq!(node.greeting.cluster(), nodes[0].greeting.cluster());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_peers_is_a_cluster_of_one_that_others_join() {
    let disks = [Disk::new(1), Disk::new(2), Disk::new(3)];
    let one = disks[0].start(&[]).await;
    one.open_session(1, "n1", 1).await;
    let two = disks[1].start(&[&disks[0]]).await;
    two.sees("n1").await;
    assert_eq!(one.voters().await, BTreeSet::from([1]), "two voters are worse than one");
    let three = disks[2].start(&[&disks[1]]).await;
    three.sees("n1").await;
    eventually("three vote", async || (three.voters().await.len() == 3).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_founds_while_one_is_absent() {
    let disks = [Disk::new(1), Disk::new(2), Disk::new(3)];
    let all = [&disks[0], &disks[1], &disks[2]];
    let (one, two) = (disks[0].start(&all).await, disks[1].start(&all).await);
    sleep(A_WHILE).await;
    assert!(!one.is_up() && !two.is_up());
    let three = disks[2].start(&all).await;
    three.open_session(3, "n3", 1).await;
    one.sees("n3").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn different_peer_lists_never_found_two_clusters() {
    let disks = [Disk::new(1), Disk::new(2), Disk::new(3)];
    let [a, b, c] = &disks;
    let nodes = [a.start(&[a, b, c]).await, b.start(&[a, b, c]).await, c.start(&[a, c]).await];
    sleep(A_WHILE).await;
    assert!(nodes.iter().all(|node| !node.is_up()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_founding_goes_on_where_it_was() {
    let disks = [Disk::new(1), Disk::new(2), Disk::new(3)];
    let all = [&disks[0], &disks[1], &disks[2]];
    // Kills at many moments of the founding; what is on the disks then is any prefix of its steps.
    for ms in [50, 150, 250, 350, 450, 550] {
        let nodes = start_all(&disks).await;
        sleep(Duration::from_millis(ms)).await;
        for node in nodes {
            node.kill().await;
        }
    }
    let nodes = [disks[0].start(&all).await, disks[1].start(&all).await, disks[2].start(&all).await];
    nodes[0].open_session(1, "n1", 1).await;
    nodes[2].sees("n1").await;
    assert_eq!(nodes[0].greeting.cluster(), nodes[2].greeting.cluster());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_survives_the_restart_of_one_and_of_all() {
    let (disks, nodes) = three().await;
    nodes[0].open_session(1, "n1", 1).await;
    let cluster = nodes[0].greeting.cluster();
    let [one, two, three] = nodes;
    one.kill().await;
    two.open_session(2, "n2", 1).await;
    let one = disks[0].start(&[&disks[1]]).await;
    one.sees("n2").await;
    for node in [one, two, three] {
        node.kill().await;
    }
    let nodes = start_all(&disks).await;
    nodes[1].open_session(3, "n3", 1).await;
    for node in &nodes {
        node.sees("n1").await;
        node.sees("n3").await;
        assert_eq!(node.greeting.cluster(), cluster);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fourth_node_learns_by_snapshot_and_a_fifth_makes_five_voters() {
    let (disks, nodes) = three().await;
    nodes[0].open_session(1, "n1", 1).await;
    let leader = leader(&nodes).await.raft().await;
    leader.trigger().snapshot().await.unwrap();
    let covered = leader.wait(Some(PATIENCE)).metrics(|m| m.snapshot.is_some(), "a snapshot").await.unwrap();
    leader.trigger().purge_log(covered.snapshot.unwrap().index).await.unwrap();
    leader.wait(Some(PATIENCE)).metrics(|m| m.purged.is_some(), "a purge").await.unwrap();
    let more = [Disk::new(4), Disk::new(5)];
    let four = more[0].start(&[&disks[0]]).await;
    four.sees("n1").await;
    let (founded, joined) = (nodes[0].up().await, four.up().await);
    assert_eq!(founded.machine.state().hash().unwrap(), joined.machine.state().hash().unwrap());
    sleep(Duration::from_secs(1)).await;
    assert_eq!(four.voters().await, BTreeSet::from([1, 2, 3]));
    let five = more[1].start(&[&disks[1], &more[0]]).await;
    eventually("five vote", async || (five.voters().await.len() == 5).then_some(())).await;
    assert_eq!(five.open_session(5, "n5", 1).await, Reply::Done);
    four.sees("n5").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_disk_is_a_new_node_once_its_old_session_is_lost() {
    let (disks, nodes) = three().await;
    nodes[0].open_session(3, "n3", 1).await;
    let [one, two, gone] = nodes;
    gone.kill().await;
    let [a, b, c] = disks;
    let c = c.wiped(9);
    let new = c.start(&[&a, &b]).await;
    sleep(A_WHILE).await;
    assert!(one.membership().await.get_node(&9).is_none(), "the old session is not lost yet");
    one.propose(Command::NodeLost { session: SessionId { node: 3, number: 1 } }).await;
    eventually("the new disk votes", async || {
        (one.voters().await == BTreeSet::from([1, 2, 9])).then_some(())
    })
    .await;
    eventually("the old is forgotten", async || one.membership().await.get_node(&3).is_none().then_some(()))
        .await;
    assert_eq!(new.open_session(9, "n3", 1).await, Reply::Done);
    two.sees("n3").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn survivors_commit_when_the_leader_is_killed() {
    let (_disks, nodes) = three().await;
    let old = leader(&nodes).await.id;
    let mut nodes: Vec<Node> = nodes.into_iter().collect();
    let at = nodes.iter().position(|node| node.id == old).unwrap();
    nodes.remove(at).kill().await;
    assert_eq!(nodes[0].open_session(1, "n1", 1).await, Reply::Done);
    nodes[1].sees("n1").await;
    let proposer = nodes[1].up().await.proposer.clone();
    proposer.read_barrier(PATIENCE).await.unwrap();
    assert!(proposer.leader().await.is_some());
}

/// What it has lost with the third cannot be asked, and is waited for no longer than for a moment.
#[tokio::test(flavor = "multi_thread")]
async fn two_of_three_go_on_after_a_power_cut_that_the_third_does_not_come_back_from() {
    let (disks, nodes) = three().await;
    leader(&nodes).await;
    for node in nodes {
        node.kill().await;
    }
    let [one, two, three] = &disks;
    let nodes = [one.start(&[two, three]).await, two.start(&[one, three]).await];
    assert_eq!(nodes[0].open_session(1, "n1", 1).await, Reply::Done);
    nodes[1].sees("n1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_the_end_of_raft_hears_of_it_and_of_nothing_else() {
    let disk = Disk::new(1);
    let node = disk.start(&[]).await;
    let raft = node.raft().await;
    let ends = until_raft_ends(&raft);
    tokio::pin!(ends);
    assert_eq!(node.open_session(1, "n1", 1).await, Reply::Done);
    assert!(timeout(A_WHILE, &mut ends).await.is_err(), "it runs");
    raft.shutdown().await.unwrap();
    timeout(PATIENCE, ends).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_forwards_many_proposals_at_once() {
    let (_disks, nodes) = three().await;
    let leads = leader(&nodes).await.id;
    let follower = nodes.iter().find(|node| node.id != leads).unwrap();
    let proposer = follower.up().await.proposer.clone();
    let many = (100..1_100_u64).map(|id| {
        let proposer = proposer.clone();
        tokio::spawn(
            async move { proposer.propose(session_opened(id, &format!("m{id}"), 1), PATIENCE).await },
        )
    });
    for one in many.collect::<Vec<_>>() {
        assert_eq!(one.await.unwrap(), Ok(Reply::Done));
    }
    proposer.read_barrier(PATIENCE).await.unwrap();
    assert_eq!(follower.machine.state().nodes().count(), 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_hands_over_before_it_stops() {
    let (_disks, nodes) = three().await;
    let old = leader(&nodes).await;
    assert!(hand_over(&old.raft().await, PATIENCE).await);
    assert_ne!(leader(&nodes).await.id, old.id);
    assert_eq!(old.open_session(1, "n1", 1).await, Reply::Done);
}

/// It was in a quorum once, and has none now.
async fn one_left_of_three() -> ([Disk; 3], Node) {
    let (disks, nodes) = three().await;
    nodes[0].open_session(1, "n1", 1).await;
    let [one, two, three] = nodes;
    two.kill().await;
    three.kill().await;
    (disks, one)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_majority_a_proposal_ends_with_its_deadline() {
    let (_disks, one) = one_left_of_three().await;
    let within = Duration::from_millis(700);
    let begun = crate::clock::now();
    let proposed = one.up().await.proposer.propose(session_opened(2, "n2", 1), within).await;
    assert_eq!(proposed.unwrap_err(), crate::propose::ProposeError::NoQuorum(within));
    assert!(crate::clock::now().since(begun) < Duration::from_secs(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_that_waits_for_a_majority_ends_with_raft() {
    let (_disks, one) = one_left_of_three().await;
    let proposer = one.up().await.proposer.clone();
    let proposed =
        tokio::spawn(async move { proposer.propose(session_opened(2, "n2", 1), 4 * PATIENCE).await });
    sleep(A_WHILE).await;
    one.raft().await.shutdown().await.unwrap();
    let proposed = timeout(PATIENCE, proposed).await.unwrap().unwrap();
    assert_eq!(proposed.unwrap_err(), crate::propose::ProposeError::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hears_nobody_does_not_depose_the_leader() {
    let disks = [Disk::new(1), Disk::new(2), Disk::new(3)];
    let gates =
        [Gate::to(disks[0].listen).await, Gate::to(disks[1].listen).await, Gate::to(disks[2].listen).await];
    let peers: BTreeSet<String> = gates.iter().map(|gate| gate.addr.clone()).collect();
    let mut nodes = Vec::new();
    for (disk, gate) in disks.iter().zip(&gates) {
        nodes.push(disk.start_as(&gate.addr, &peers).await);
    }
    let leads = leader(&nodes).await.id;
    let deaf = nodes.iter().position(|node| node.id != leads).unwrap();
    let term = nodes[deaf].term().await;
    gates[deaf].shut();
    sleep(A_WHILE).await;
    assert_eq!(nodes[deaf].term().await, term, "it asks before it raises the term");
    gates[deaf].open();
    let speaker = nodes.iter().find(|node| node.id == leads).unwrap();
    speaker.open_session(1, "n1", 1).await;
    nodes[deaf].sees("n1").await;
    assert_eq!(leader(&nodes).await.id, leads);
    assert_eq!(nodes[deaf].term().await, term);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_comes_back_at_another_address_is_found_again() {
    let (disks, nodes) = three().await;
    nodes[0].open_session(1, "n1", 1).await;
    let [one, two, three] = nodes;
    three.kill().await;
    let gate = Gate::to(disks[2].listen).await;
    let three = disks[2].start_as(&gate.addr, &[disks[0].addr(), disks[1].addr()].into()).await;
    assert!(matches!(three.up().await.raft.is_initialized().await, Ok(true)));
    eventually("the address is known", async || {
        let membership = one.membership().await;
        (membership.get_node(&3)?.peer == gate.addr).then_some(())
    })
    .await;
    two.open_session(2, "n2", 1).await;
    three.sees("n2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_disks_that_need_300_ms_for_a_sync_elect_once_and_commit() {
    let slow = |id| Disk::slow(id, Duration::from_millis(300));
    let disks = [slow(1), slow(2), slow(3)];
    let nodes = start_all(&disks).await;
    let first = leader(&nodes).await;
    let term = first.term().await;
    for starts in 1..10 {
        for node in &nodes {
            assert_eq!(node.open_session(node.id, &node.name, starts).await, Reply::Done);
        }
    }
    sleep(A_WHILE * 3).await;
    let now = leader(&nodes).await.term().await;
    assert!(now <= term + 1, "{} elections without a reason", now - term);
    assert!(now <= 6, "{now} elections until somebody led");
}
