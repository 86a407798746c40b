//! The lease runs out, or the session is over: nothing starts, and what must be dead is dead.

use std::time::Duration;

use pinode_scheduler::Duty;
use tokio::time::sleep;

use super::node::{
    Node, docker_name, is_interrupted, key, never_started, resolve, run, secs, stop, witnessed, work,
};
use crate::agent::Signal;
use crate::agent::fake::{Call, Program};
use crate::agent::runtime::Status;

/// How long after the lease everything that is fenced must be dead.
const DEAD_WITHIN: Duration = Duration::from_secs(5);

/// It runs until it is killed, and then Docker shows 0.
async fn running(name: &str) -> Node {
    let mut node = Node::new();
    node.fake.on_start(name, Program::runs_for_ever().shows_when_killed(0));
    node.owes(run(name));
    node.started().await;
    node
}

#[tokio::test(start_paused = true)]
async fn what_runs_when_the_lease_lapses_is_killed_and_no_success() {
    let mut node = running("split").await;
    node.lease.lapses();
    let end = node.end().await;
    assert!(is_interrupted(&end), "{end:?}");
    assert_eq!(node.fake.targets_of(Call::Kill).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn that_it_is_killed_by_a_fence_is_on_disk_before_the_kill() {
    let mut node = running("split").await;
    node.fake.slow_down(Call::Kill, secs(1));
    node.lease.lapses();
    sleep(Duration::from_millis(500)).await;
    assert_eq!(node.fake.targets_of(Call::Kill).len(), 1, "the kill is under way");
    assert_eq!(node.fake.status_of(&docker_name("split")), Some(Status::Running));
    assert_eq!(node.intents().of(key("split")).signal, Some(Signal::Fence));
    node.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_fence_whose_kill_is_lost_kills_again() {
    let node = running("split").await;
    node.fake.lose_request_of(Call::Kill);
    node.lease.lapses();
    sleep(DEAD_WITHIN).await;
    assert_eq!(node.fake.status_of(&docker_name("split")), Some(Status::Exited));
}

#[tokio::test(start_paused = true)]
async fn a_fence_whose_kill_is_not_answered_is_no_success() {
    let mut node = running("split").await;
    node.fake.lose_reply_of(Call::Kill);
    node.lease.lapses();
    let end = node.end().await;
    assert!(is_interrupted(&end), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn what_may_never_run_again_is_left_running_when_the_lease_lapses() {
    let mut node = Node::new();
    node.fake.on_start("mail", Program::runs_for(secs(30)));
    node.owes(Duty::Run(pinode_scheduler::Work { fenced: false, ..work("mail") }));
    node.started().await;
    node.lease.lapses();
    assert_eq!(node.end().await, witnessed(0));
    assert_eq!(node.fake.targets_of(Call::Kill).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_lapses_between_create_and_start_starts_nothing() {
    let mut node = Node::new();
    node.fake.slow_down(Call::Create, secs(2));
    node.owes(run("split"));
    sleep(secs(1)).await;
    node.lease.lapses();
    let end = node.end().await;
    assert!(never_started(&end), "{end:?}");
    assert_eq!(node.fake.targets_of(Call::Start).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_lapses_between_intent_and_start_starts_nothing() {
    let mut node = Node::new();
    // Asked before the create, before the intent, and after it.
    node.lease.lapses_after(2);
    node.owes(run("split"));
    let end = node.end().await;
    assert!(never_started(&end), "{end:?}");
    assert_eq!(node.fake.targets_of(Call::Start).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_still_unanswered_when_the_lease_lapses_does_not_hold_the_kill_up() {
    let mut node = Node::new();
    node.fake.on_start("split", Program::runs_for_ever());
    node.fake.answer_late(Call::Start, secs(60));
    node.owes(run("split"));
    sleep(secs(1)).await;
    node.lease.lapses();
    sleep(DEAD_WITHIN).await;
    assert_eq!(node.fake.status_of(&docker_name("split")), Some(Status::Exited));
}

#[tokio::test(start_paused = true)]
async fn a_start_in_doubt_when_the_lease_lapses_is_settled_at_once() {
    let mut node = Node::new();
    node.fake.on_start("split", Program::runs_for_ever());
    node.fake.lose_request_of(Call::Start);
    node.owes(run("split"));
    sleep(secs(1)).await;
    node.lease.lapses();
    sleep(DEAD_WITHIN).await;
    assert_eq!(node.fake.status_of(&docker_name("split")), None);
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_session_left_running_is_killed_and_no_success() {
    let mut node = running("split").await;
    node.owes(resolve("split"));
    let end = node.end().await;
    assert!(is_interrupted(&end), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_session_had_not_launched_is_not_launched() {
    let mut node = Node::new();
    node.owes(resolve("split"));
    let end = node.end().await;
    assert!(never_started(&end), "{end:?}");
    assert_eq!(node.fake.count(), 0);
}

/// The next session has a lease of its own: that one may start is not enough.
#[tokio::test(start_paused = true)]
async fn a_create_that_outlives_its_session_is_not_followed_by_a_start() {
    let mut node = Node::new();
    node.fake.slow_down(Call::Create, secs(30));
    node.owes(run("split"));
    sleep(secs(1)).await;
    node.lease.lapses();
    sleep(secs(20)).await;
    node.owes(resolve("split"));
    node.lease.is_renewed();
    let end = node.end().await;
    assert!(never_started(&end), "{end:?}");
    assert_eq!(node.fake.targets_of(Call::Start).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_attempt_is_no_longer_owed_is_not_followed_by_a_start() {
    let mut node = Node::new();
    node.fake.slow_down(Call::Create, secs(30));
    node.owes(run("split"));
    sleep(secs(1)).await;
    node.owes_nothing();
    sleep(secs(60)).await;
    assert_eq!(node.fake.targets_of(Call::Start).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_create_that_a_stop_overtakes_is_not_followed_by_a_start() {
    let mut node = Node::new();
    node.fake.slow_down(Call::Create, secs(2));
    node.owes(run("split"));
    sleep(secs(1)).await;
    node.owes(stop("split"));
    node.end().await;
    assert_eq!(node.fake.targets_of(Call::Start).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_claim_of_an_earlier_session_is_not_started_under_the_lease_of_the_next() {
    let mut node = Node::new();
    node.lease.is_of_session(2);
    node.owes(run("split"));
    assert_eq!(node.said_within(secs(60)).await, []);
    assert_eq!((node.fake.targets_of(Call::Create).len(), node.fake.targets_of(Call::Start).len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_kill_that_the_lease_s_return_overtakes_is_carried_out() {
    let mut node = running("split").await;
    for _ in 0..3 {
        node.fake.lose_request_of(Call::Kill);
    }
    node.lease.lapses();
    sleep(Duration::from_millis(600)).await;
    node.lease.is_renewed();
    let end = node.end().await;
    assert!(is_interrupted(&end), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_told_to_start_and_has_not_is_taken_back_before_the_next_session() {
    let mut node = Node::new();
    node.fake.on_start("split", Program::runs_for_ever());
    node.fake.delay_effect_of(Call::Start, secs(3));
    node.owes(run("split"));
    sleep(secs(1)).await;
    node.lease.lapses_after(0);
    node.falls_silent().await;
    assert_eq!(node.fake.status_of(&docker_name("split")), None);
    sleep(secs(10)).await;
    assert_eq!(node.fake.runs().values().sum::<u32>(), 0);
    node.owes(resolve("split"));
    let end = node.end().await;
    assert!(never_started(&end), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn what_runs_is_killed_before_the_next_session_and_no_success() {
    let mut node = running("split").await;
    node.falls_silent().await;
    let end = node.end().await;
    assert!(is_interrupted(&end), "{end:?}");
}
