//! Answers that are lost: was it done, or not?

use std::time::Duration;

use pinode_scheduler::Outcome;
use tokio::time::sleep;

use super::node::{Node, docker_name, never_started, recovered, remove, run, secs, witnessed};
use crate::agent::What;
use crate::agent::fake::{Call, Program};
use crate::agent::runtime::Status;

/// A second in which it runs, and then 0.
fn short(name: &str) -> Node {
    let mut node = Node::new();
    node.fake.on_start(name, Program::runs_for(secs(1)));
    node.owes(run(name));
    node
}

/// Every Docker container was sent at most one start, and every attempt ran so often.
fn assert_ran(node: &Node, times: u32) {
    let mut starts = node.fake.targets_of(Call::Start);
    let sent = starts.len();
    starts.sort();
    starts.dedup();
    assert_eq!(starts.len(), sent, "a container was sent a second start");
    assert_eq!(node.fake.runs().values().sum::<u32>(), times);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_was_done_and_not_answered_is_not_sent_again() {
    let mut node = short("split");
    node.fake.lose_reply_of(Call::Start);
    assert_eq!(node.end().await, recovered(0));
    assert_ran(&node, 1);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_over_before_its_lost_start_is_looked_at_does_not_run_again() {
    let mut node = Node::new();
    node.fake.lose_reply_of(Call::Start);
    node.owes(run("true"));
    assert_eq!(node.end().await, recovered(0));
    assert_ran(&node, 1);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_never_came_is_settled_by_a_removal_without_force() {
    let mut node = short("split");
    node.fake.lose_request_of(Call::Start);
    let end = node.end().await;
    assert!(never_started(&end), "{end:?}");
    assert_eq!(node.fake.count(), 0);
    assert_ran(&node, 0);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_comes_late_is_adopted() {
    let mut node = short("split");
    node.fake.delay_effect_of(Call::Start, secs(5));
    assert_eq!(node.end().await, recovered(0));
    assert_ran(&node, 1);
}

/// Without an intent the next process would find a container that has not started, and start it.
#[tokio::test(start_paused = true)]
async fn a_crash_while_a_start_is_on_its_way_is_not_followed_by_another() {
    let mut node = short("split");
    node.fake.delay_effect_of(Call::Start, secs(5));
    sleep(secs(1)).await;
    node.crash();
    let connection = node.fake.connect();
    node.begin(connection);
    assert_eq!(node.end().await, recovered(0));
    assert_ran(&node, 1);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_comes_after_the_removal_starts_nothing() {
    let mut node = short("split");
    node.fake.delay_effect_of(Call::Start, secs(20));
    let end = node.end().await;
    assert!(never_started(&end), "{end:?}");
    assert_eq!(node.said_within(secs(60)).await, []);
    assert_ran(&node, 0);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_overtakes_the_removal_is_adopted() {
    let mut node = short("split");
    node.fake.on_start("split", Program::runs_for(secs(30)));
    node.fake.slow_down(Call::Remove, secs(2));
    node.fake.delay_effect_of(Call::Start, secs(11));
    assert_eq!(node.end().await, recovered(0));
    assert_ran(&node, 1);
}

/// What has come to its end is removed without force as well: that it could be removed does not say that it never ran.
#[tokio::test(start_paused = true)]
async fn a_job_that_is_over_when_the_removal_comes_is_not_called_never_started() {
    let mut node = Node::new();
    node.fake.slow_down(Call::Remove, secs(2));
    node.fake.delay_effect_of(Call::Start, secs(11));
    node.owes(run("true"));
    assert_eq!(node.end().await, Outcome::Unknown);
    assert_ran(&node, 1);
}

#[tokio::test(start_paused = true)]
async fn a_settling_removal_without_an_answer_leaves_it_unknown_whether_it_ran() {
    let mut node = short("split");
    node.fake.lose_request_of(Call::Start);
    node.fake.lose_reply_of(Call::Remove);
    assert_eq!(node.end().await, Outcome::Unknown);
    assert_ran(&node, 0);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_was_made_and_not_answered_is_found_by_its_name() {
    let mut node = short("split");
    node.fake.lose_reply_of(Call::Create);
    assert_eq!(node.end().await, witnessed(0));
    assert_eq!(node.fake.count(), 1);
    assert_ran(&node, 1);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_is_made_late_is_not_made_twice() {
    for late in [Duration::from_millis(100), secs(2)] {
        let mut node = short("split");
        node.fake.delay_effect_of(Call::Create, late);
        assert_eq!(node.end().await, witnessed(0), "{late:?} late");
        assert_eq!(node.said_within(secs(60)).await, []);
        assert_eq!(node.fake.count(), 1);
        assert_ran(&node, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_never_came_is_sent_again() {
    let mut node = short("split");
    node.fake.lose_request_of(Call::Create);
    assert_eq!(node.end().await, witnessed(0));
    assert_ran(&node, 1);
}

#[tokio::test(start_paused = true)]
async fn a_removal_is_reported_when_it_is_certain_whatever_becomes_of_its_answer() {
    type Lose = fn(&Node);
    let lost: [Lose; 3] = [
        |node| node.fake.lose_reply_of(Call::Remove),
        |node| node.fake.lose_request_of(Call::Remove),
        |node| node.fake.delay_effect_of(Call::Remove, secs(3)),
    ];
    for lose in lost {
        let mut node = short("split");
        node.end().await;
        lose(&node);
        node.owes(remove("split"));
        assert_eq!(node.report().await.what, What::Removed);
        assert_eq!(node.fake.status_of(&docker_name("split")), None);
        assert_eq!(node.intents().of(super::node::key("split")), Default::default());
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_that_fails_after_a_start_changes_nothing() {
    let mut node = short("split");
    node.fake.lose_reply_of(Call::Inspect);
    assert_eq!(node.end().await, witnessed(0));
    assert_ran(&node, 1);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_is_gone_after_an_intent_may_have_run() {
    let mut node = Node::new();
    node.fake.on_start("split", Program::runs_for_ever());
    node.owes(run("split"));
    node.started().await;
    assert_eq!(node.fake.status_of(&docker_name("split")), Some(Status::Running));
    assert!(node.fake.remove_from_outside(&docker_name("split")));
    assert_eq!(node.end().await, Outcome::Unknown);
}
