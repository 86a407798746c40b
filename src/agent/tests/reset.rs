//! What the last resorts go by: whether something may run.

use super::node::{Node, run, secs, work};
use crate::agent::fake::{Call, Program};

async fn running() -> Node {
    let mut node = Node::new();
    node.fake.on_start("split", Program::runs_for_ever());
    node.owes(run("split"));
    node.started().await;
    node
}

#[tokio::test(start_paused = true)]
async fn what_runs_may_run_until_it_is_dead_whoever_has_heard_of_it() {
    let mut node = running().await;
    assert!(node.may_run(&|_| false).await);
    node.lease.lapses();
    node.end().await;
    // Its end is not committed, and it is still owed.
    assert!(!node.may_run(&|_| false).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_spared_is_not_looked_for() {
    let mut node = running().await;
    let id = work("split").container;
    assert!(!node.may_run(&|of| of == id).await);
    node.fake.goes_away();
    assert!(!node.may_run(&|of| of == id).await);
}

#[tokio::test(start_paused = true)]
async fn where_the_engine_does_not_answer_what_was_to_be_started_may_run_also_for_the_next_process() {
    let mut node = running().await;
    node.crash();
    node.fake.answer_late(Call::List, secs(60));
    let connection = node.fake.connect();
    node.begin(connection);
    assert!(node.may_run(&|_| false).await);
}

#[tokio::test(start_paused = true)]
async fn where_the_engine_does_not_answer_and_nothing_was_to_be_started_nothing_may_run() {
    let mut node = Node::new();
    node.fake.goes_away();
    assert!(!node.may_run(&|_| false).await);
}
