//! The engine goes away, comes back, restarts, forgets, and loses its hints.

use std::time::Duration;

use pinode_scheduler::{Duty, Outcome, Work};
use tokio::time::{Instant, sleep};

use super::node::{Node, docker_name, is_interrupted, recovered, remove, run, secs, witnessed, work};
use crate::agent::What;
use crate::agent::fake::{Call, Program};

/// The agent looks for itself at least this often.
const LOOKS_EVERY: Duration = Duration::from_secs(10);

async fn running(program: Program) -> Node {
    let mut node = Node::new();
    node.fake.on_start("split", program);
    node.owes(run("split"));
    node.started().await;
    node
}

/// Like [`running`], on an engine whose containers outlive it.
async fn running_with_live_restore(program: Program) -> Node {
    let mut node = Node::without_process();
    node.fake.set_live_restore(true);
    node.fake.on_start("split", program);
    node.owes(run("split"));
    let connection = node.fake.connect();
    node.begin(connection);
    node.started().await;
    node
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_away_is_shown_as_a_problem_until_it_is_back() {
    let mut node = Node::new();
    sleep(secs(1)).await;
    assert_eq!(node.problem(), None);
    node.fake.goes_away();
    sleep(secs(1)).await;
    assert!(node.problem().is_some());
    node.fake.comes_back();
    sleep(secs(1)).await;
    assert_eq!(node.problem(), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_owed_while_the_engine_is_away_is_launched_when_it_is_back() {
    let mut node = Node::new();
    node.fake.goes_away();
    node.owes(run("split"));
    assert_eq!(node.said_within(secs(60)).await, []);
    node.fake.comes_back();
    let end = node.end().await;
    assert!(matches!(end, Outcome::Exited { code: 0, .. }), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn an_end_while_the_engine_was_out_of_reach_is_noticed_and_believed() {
    let mut node = running(Program::runs_for(secs(5))).await;
    node.fake.goes_away();
    sleep(secs(60)).await;
    node.fake.comes_back();
    let back = Instant::now();
    assert_eq!(node.end().await, recovered(0));
    assert!(back.elapsed() < secs(2), "after {:?}", back.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_end_while_the_process_was_away_is_noticed_and_believed() {
    let mut node = running(Program::runs_for(secs(5))).await;
    node.crash();
    sleep(secs(60)).await;
    let connection = node.fake.connect();
    node.begin(connection);
    assert_eq!(node.end().await, recovered(0));
}

#[tokio::test(start_paused = true)]
async fn exit_0_at_a_shutdown_of_the_engine_is_not_believed() {
    let mut node = running(Program::runs_for_ever().exits_when_told_to_end(0)).await;
    node.fake.shuts_down();
    sleep(secs(5)).await;
    node.fake.boots();
    let end = node.end().await;
    assert!(is_interrupted(&end), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn a_restart_of_the_engine_that_no_call_has_felt_is_not_overlooked() {
    let mut node = running(Program::runs_for_ever().exits_when_told_to_end(0)).await;
    node.fake.shuts_down();
    node.fake.boots();
    let end = node.end().await;
    assert!(is_interrupted(&end), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn a_restart_of_the_engine_between_two_streams_of_hints_is_not_overlooked() {
    let mut node = Node::new();
    sleep(secs(1)).await;
    node.fake.break_hints();
    sleep(Duration::from_millis(1)).await;
    node.fake.on_start("split", Program::runs_for_ever().exits_when_told_to_end(0));
    node.owes(run("split"));
    node.started().await;
    node.fake.shuts_down();
    node.fake.boots();
    // It looks at once, before anybody listens again.
    node.owes(Duty::Run(Work { started: true, ..work("split") }));
    let end = node.end().await;
    assert!(is_interrupted(&end), "{end:?}");
}

/// So it is too when the last hints of an engine that shuts down are heard while it still answers.
#[tokio::test(start_paused = true)]
async fn exit_0_by_somebody_else_s_kill_is_not_believed() {
    let mut node = running(Program::runs_for_ever().shows_when_killed(0)).await;
    assert!(node.fake.kill_from_outside(&docker_name("split")));
    let end = node.end().await;
    assert!(is_interrupted(&end), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn exit_0_at_a_restart_of_the_engine_while_the_process_was_away_is_not_believed() {
    let mut node = running(Program::runs_for_ever().exits_when_told_to_end(0)).await;
    node.crash();
    node.fake.shuts_down();
    node.fake.boots();
    let connection = node.fake.connect();
    node.begin(connection);
    let end = node.end().await;
    assert!(is_interrupted(&end), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn with_live_restore_an_end_while_the_engine_was_down_is_believed() {
    let mut node = running_with_live_restore(Program::runs_for(secs(5)).exits(4)).await;
    node.fake.shuts_down();
    sleep(secs(60)).await;
    node.fake.boots();
    assert_eq!(node.end().await, recovered(4));
}

#[tokio::test(start_paused = true)]
async fn with_live_restore_an_end_after_the_engine_s_restart_is_believed() {
    let mut node = running_with_live_restore(Program::runs_for(secs(60))).await;
    node.fake.shuts_down();
    sleep(secs(5)).await;
    node.fake.boots();
    assert_eq!(node.end().await, recovered(0));
}

#[tokio::test(start_paused = true)]
async fn live_restore_that_was_turned_on_since_vouches_for_nothing() {
    let mut node = running(Program::runs_for_ever().exits_when_told_to_end(0)).await;
    node.fake.shuts_down();
    node.fake.set_live_restore(true);
    sleep(secs(5)).await;
    node.fake.boots();
    let end = node.end().await;
    assert!(is_interrupted(&end), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn live_restore_that_was_turned_off_since_vouches_for_nothing_even_before_the_engine_was_looked_at() {
    let mut node = running_with_live_restore(Program::runs_for_ever().exits_when_told_to_end(0)).await;
    node.fake.goes_away();
    node.fake.set_live_restore(false);
    // Who follows the engine is late; who looks after the container is not.
    node.fake.slow_down(Call::Info, secs(8));
    sleep(secs(5)).await;
    // What its predecessor left running, an engine ends that is not to let containers outlive it.
    node.fake.shuts_down();
    node.fake.boots();
    sleep(LOOKS_EVERY * 2).await;
    node.fake.slow_down(Call::Info, Duration::ZERO);
    let end = node.end().await;
    assert!(is_interrupted(&end), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn an_end_before_this_boot_of_the_machine_is_not_believed() {
    let mut node = running_with_live_restore(Program::runs_for_ever().exits_when_told_to_end(0)).await;
    node.crash();
    node.fake.set_live_restore(false);
    node.fake.shuts_down();
    node.fake.set_live_restore(true);
    node.fake.boots();
    node.boot = "boot-2".to_owned();
    let connection = node.fake.connect();
    node.begin(connection);
    let end = node.end().await;
    assert!(is_interrupted(&end), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_hint_is_made_good_by_a_look() {
    let mut node = running(Program::runs_for(secs(3))).await;
    node.fake.lose_hints(true);
    let started = Instant::now();
    assert_eq!(node.end().await, witnessed(0));
    assert!(started.elapsed() <= secs(3) + LOOKS_EVERY, "after {:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_heeded_at_once() {
    let mut node = running(Program::runs_for(secs(3))).await;
    let started = Instant::now();
    node.end().await;
    assert_eq!(started.elapsed(), secs(3));
}

#[tokio::test(start_paused = true)]
async fn after_a_break_in_the_hints_an_end_is_no_longer_witnessed() {
    let mut node = running(Program::runs_for(secs(3))).await;
    node.fake.break_hints();
    let end = node.end().await;
    assert_eq!(end, recovered(0));
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_hints_that_cannot_be_had_is_a_problem_and_tried_again() {
    let mut node = Node::new();
    node.fake.lose_request_of(Call::Hints);
    node.owes(run("split"));
    sleep(Duration::from_millis(100)).await;
    assert!(node.problem().is_some());
    sleep(secs(1)).await;
    assert_eq!(node.problem(), None);
    let end = node.end().await;
    assert!(matches!(end, Outcome::Exited { code: 0, .. }), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_hangs_is_known_to_within_ten_seconds() {
    let mut node = Node::new();
    tokio::time::sleep(secs(1)).await;
    assert_eq!(node.problem(), None);
    for call in [Call::List, Call::Info] {
        node.fake.slow_down(call, secs(3_600));
    }
    tokio::time::sleep(secs(10)).await;
    assert!(node.problem().is_some_and(|problem| problem.contains("no answer within")));
}

#[tokio::test(start_paused = true)]
async fn a_create_that_is_carried_out_after_its_attempt_was_removed_leaves_nothing_behind() {
    let mut node = Node::new();
    node.fake.delay_effect_of(Call::Create, secs(30));
    node.owes(run("split"));
    tokio::time::sleep(secs(1)).await;
    node.owes(remove("split"));
    assert_eq!(node.said_within(secs(5)).await.last(), Some(&What::Removed));
    node.owes_nothing();
    tokio::time::sleep(secs(60)).await;
    assert_eq!(node.fake.status_of(&docker_name("split")), None);
}
