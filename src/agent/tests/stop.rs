//! Somebody wants it to end, or to be gone.

use std::time::Duration;

use pinode_scheduler::Outcome;
use tokio::time::{Instant, sleep};

use super::node::{Node, docker_name, key, kill, remove, run, secs, stop};
use crate::agent::fake::{Call, Program};
use crate::agent::intents::Intent;
use crate::agent::runtime::Status;
use crate::agent::{Signal, What};

async fn running(name: &str, program: Program) -> Node {
    let mut node = Node::new();
    node.fake.on_start(name, program);
    node.owes(run(name));
    node.started().await;
    node
}

fn cancelled(code: i64) -> Outcome {
    Outcome::Cancelled { code: Some(code) }
}

#[tokio::test(start_paused = true)]
async fn what_is_stopped_was_cancelled_with_the_code_that_it_left() {
    for code in [143, 0, 7] {
        let mut node = running("web", Program::runs_for_ever().exits_when_told_to_end(code)).await;
        node.owes(stop("web"));
        assert_eq!(node.end().await, cancelled(code));
        assert_eq!(node.said_within(secs(60)).await, [], "and said once");
    }
}

#[tokio::test(start_paused = true)]
async fn that_it_is_stopped_is_on_disk_before_the_signal() {
    let mut node = running("web", Program::runs_for_ever()).await;
    node.fake.slow_down(Call::Stop, secs(1));
    node.owes(stop("web"));
    sleep(Duration::from_millis(500)).await;
    assert_eq!(node.fake.targets_of(Call::Stop).len(), 1, "the stop is under way");
    assert_eq!(node.fake.status_of(&docker_name("web")), Some(Status::Running));
    assert_eq!(node.intents().of(key("web")).signal, Some(Signal::Stop));
    node.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_does_not_listen_is_killed_when_its_grace_is_over() {
    let mut node = running("web", Program::runs_for_ever().does_not_listen()).await;
    let asked = Instant::now();
    node.owes(stop("web"));
    assert_eq!(node.end().await, cancelled(137));
    assert!(asked.elapsed() >= secs(10) && asked.elapsed() < secs(11), "after {:?}", asked.elapsed());
    assert_eq!(node.fake.targets_of(Call::Stop).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_kill_does_not_wait_for_the_grace_of_a_stop() {
    let mut node = running("web", Program::runs_for_ever().does_not_listen()).await;
    node.owes(stop("web"));
    sleep(secs(1)).await;
    let asked = Instant::now();
    node.owes(kill("web"));
    assert_eq!(node.end().await, cancelled(137));
    assert!(asked.elapsed() < secs(1), "after {:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_is_killed_was_cancelled_even_with_code_0() {
    let mut node = running("web", Program::runs_for_ever().shows_when_killed(0)).await;
    node.owes(kill("web"));
    assert_eq!(node.end().await, cancelled(0));
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_the_engine_did_not_hear_is_asked_for_again() {
    let mut node = running("web", Program::runs_for_ever()).await;
    node.fake.lose_request_of(Call::Stop);
    node.owes(stop("web"));
    assert_eq!(node.end().await, cancelled(143));
}

#[tokio::test(start_paused = true)]
async fn a_stop_goes_on_after_a_crash() {
    let mut node = running("web", Program::runs_for_ever()).await;
    node.fake.lose_request_of(Call::Stop);
    node.owes(stop("web"));
    sleep(secs(1)).await;
    node.crash();
    let connection = node.fake.connect();
    node.begin(connection);
    assert_eq!(node.end().await, cancelled(143));
}

#[tokio::test(start_paused = true)]
async fn what_is_stopped_before_its_launch_is_never_made() {
    let mut node = Node::new();
    node.owes(stop("web"));
    assert_eq!(node.end().await, Outcome::Cancelled { code: None });
    assert_eq!(node.fake.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_owed_to_be_removed_is_removed_and_said_to_be() {
    let mut node = Node::new();
    node.owes(run("true"));
    node.end().await;
    node.owes(remove("true"));
    assert_eq!(node.report().await.what, What::Removed);
    assert_eq!(node.fake.count(), 0);
    assert_eq!(node.intents().of(key("true")), Intent::default(), "its intent is gone as well");
}

#[tokio::test(start_paused = true)]
async fn what_still_runs_is_removed_all_the_same() {
    let mut node = running("web", Program::runs_for_ever()).await;
    node.owes(remove("web"));
    assert_eq!(node.report().await.what, What::Removed);
    assert_eq!(node.fake.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_has_removed_is_said_to_be_removed() {
    let mut node = Node::new();
    node.owes(run("true"));
    node.end().await;
    assert!(node.fake.remove_from_outside(&docker_name("true")));
    node.owes(remove("true"));
    assert_eq!(node.report().await.what, What::Removed);
}
