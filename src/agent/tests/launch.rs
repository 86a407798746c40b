//! From owed to started, and to the end that is reported.

use pinode_scheduler::container::Decline;
use pinode_scheduler::{Duty, Outcome};

use super::node::{Node, docker_name, ends, never_started, remove, resolve, run, secs, witnessed, work};
use crate::agent::What;
use crate::agent::fake::{Call, Program};
use crate::agent::runtime::{RuntimeError, Status};

#[tokio::test(start_paused = true)]
async fn what_is_owed_is_launched_and_its_start_and_end_are_reported_once() {
    let mut node = Node::new();
    node.fake.on_start("split", Program::runs_for(secs(2)).exits(3));
    node.owes(run("split"));
    let said = node.said_within(secs(60)).await;
    let started_at = "2026-01-01T00:00:00Z".to_owned();
    let ended = What::Exited {
        outcome: witnessed(3),
        started_at: Some(started_at.clone()),
        finished_at: Some("2026-01-01T00:00:02Z".to_owned()),
        ran_ms: 2000,
    };
    assert_eq!(said, [What::Started(started_at), ended]);
    assert_eq!(node.fake.targets_of(Call::Start).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_instant_job_has_started_and_succeeded() {
    let mut node = Node::new();
    node.owes(run("true"));
    node.started().await;
    assert_eq!(node.end().await, witnessed(0));
}

#[tokio::test(start_paused = true)]
async fn what_the_state_knows_to_have_started_is_not_said_again() {
    let mut node = Node::new();
    node.fake.on_start("split", Program::runs_for_ever());
    node.owes(run("split"));
    node.started().await;
    node.crash();
    let mut known = work("split");
    known.started = true;
    node.owes(Duty::Run(known));
    let connection = node.fake.connect();
    node.begin(connection);
    assert_eq!(node.said_within(secs(60)).await, []);
}

#[tokio::test(start_paused = true)]
async fn health_is_reported_once() {
    let mut node = Node::new();
    node.fake.on_start("db", Program::runs_for_ever().healthy_after(secs(5)));
    node.owes(run("db"));
    node.started().await;
    assert_eq!(node.said_within(secs(60)).await, [What::Healthy]);
}

#[tokio::test(start_paused = true)]
async fn what_the_kernel_kills_for_its_memory_has_failed_for_that() {
    let mut node = Node::new();
    node.fake.on_start("merge", Program::runs_for(secs(1)).runs_out_of_memory());
    node.owes(run("merge"));
    assert_eq!(node.end().await, Outcome::Exited { code: 137, witnessed: true, oom: true });
}

#[tokio::test(start_paused = true)]
async fn a_missing_image_is_declined_by_its_name() {
    let mut node = Node::new();
    node.fake.lose_image("busybox");
    node.owes(run("split"));
    let reason = Decline::ImageMissing("busybox".to_owned());
    assert_eq!(node.said_within(secs(60)).await, [What::Declined(reason)]);
}

#[tokio::test(start_paused = true)]
async fn what_was_declined_too_late_to_be_heard_is_told_as_never_started() {
    let mut node = Node::new();
    node.fake.lose_image("busybox");
    node.owes(run("split"));
    assert!(matches!(node.said_within(secs(60)).await[..], [What::Declined(_)]));
    node.owes(resolve("split"));
    let end = node.end().await;
    assert!(never_started(&end), "{end:?}");
    assert_eq!(node.said_within(secs(60)).await, []);
}

#[tokio::test(start_paused = true)]
async fn what_was_given_up_is_not_started_by_the_next_process() {
    let mut node = Node::new();
    node.lease.lapses();
    node.owes(run("split"));
    assert!(never_started(&node.end().await));
    node.crash();
    node.lease.is_renewed();
    let connection = node.fake.connect();
    node.begin(connection);
    assert!(never_started(&node.end().await));
    assert_eq!(node.fake.targets_of(Call::Start), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_declined_whether_the_create_or_the_start_meets_it() {
    for call in [Call::Create, Call::Start] {
        let mut node = Node::new();
        node.fake.refuse(call, RuntimeError::NoSpace("no space left on device".to_owned()));
        node.owes(run("split"));
        let reason = Decline::NoSpace("no space left on device".to_owned());
        assert_eq!(node.said_within(secs(60)).await, [What::Declined(reason)], "{call:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_program_that_is_not_in_the_image_failed_as_a_shell_would_say() {
    let mut node = Node::new();
    node.fake
        .on_start("split", Program::is_refused("exec: \"splitter\": executable file not found in $PATH"));
    node.owes(run("split"));
    let end = node.end().await;
    assert!(matches!(end, Outcome::LaunchFailed { code: 127, .. }), "{end:?}");
    assert_eq!(node.fake.targets_of(Call::Start).len(), 1, "and is not tried again by the node");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_the_engine_does_not_take_is_a_failed_launch() {
    let mut node = Node::new();
    let message = "invalid mount config".to_owned();
    node.fake.refuse(Call::Create, RuntimeError::Refused { status: 400, message: message.clone() });
    node.owes(run("split"));
    assert_eq!(node.end().await, Outcome::LaunchFailed { code: 125, reason: message });
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_fails_at_a_create_is_no_failure_of_the_program() {
    let mut node = Node::new();
    let message = "driver failed".to_owned();
    node.fake.refuse(Call::Create, RuntimeError::Refused { status: 500, message: message.clone() });
    node.owes(run("split"));
    assert_eq!(node.said_within(secs(60)).await, [What::Declined(Decline::Other(message))]);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_container_of_the_same_name_is_left_alone_and_the_launch_fails() {
    let mut node = Node::new();
    node.fake.add_foreign(&docker_name("split"));
    let before = node.fake.find(&docker_name("split"));
    node.owes(run("split"));
    let end = node.end().await;
    assert!(matches!(end, Outcome::LaunchFailed { code: 125, .. }), "{end:?}");
    assert_eq!(node.fake.find(&docker_name("split")), before);
}

#[tokio::test(start_paused = true)]
async fn removing_an_attempt_spares_the_foreign_container_that_has_its_name() {
    let mut node = Node::new();
    node.fake.add_foreign(&docker_name("split"));
    node.owes(run("split"));
    node.end().await;
    node.owes(remove("split"));
    assert_eq!(node.report().await.what, What::Removed);
    assert_eq!(node.fake.status_of(&docker_name("split")), Some(Status::Created));
}

#[tokio::test(start_paused = true)]
async fn at_most_eight_launches_are_under_way_at_once() {
    let mut node = Node::new();
    node.fake.slow_down(Call::Create, secs(1));
    node.fake.slow_down(Call::Start, secs(1));
    for i in 0..40 {
        node.owes(run(&format!("encode{i}")));
    }
    let said = node.said_within(secs(60)).await;
    assert_eq!((ends(&said).len(), node.fake.most_launches_at_once()), (40, 8));
}

#[tokio::test(start_paused = true)]
async fn without_authority_nothing_is_launched_until_there_is_one() {
    let mut node = Node::new();
    node.lease.lapses_after(0);
    node.owes(run("split"));
    assert_eq!(node.said_within(secs(60)).await, []);
    assert_eq!(node.fake.count(), 0);
    node.lease.is_renewed();
    assert_eq!(node.end().await, witnessed(0));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_another_has_fails_the_launch() {
    let mut node = Node::new();
    node.owes(run("split"));
    node.end().await;
    let mut again = work("split");
    again.container = work("another").container;
    node.owes(Duty::Run(again));
    let end = node.end().await;
    assert!(matches!(end, Outcome::LaunchFailed { code: 125, .. }), "{end:?}");
}
