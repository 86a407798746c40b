//! Stop, kill, remove, and what is left afterwards.

use pinode_scheduler::{Command, Duty, Outcome, Phase, Rejection, Reply, Timer};

use crate::world::{World, id_of, rejection, spec};

#[test]
fn stopping_what_waits_cancels_it_at_once() {
    let mut world = World::with_nodes(1);
    world.submit("b", &["container==a"]);
    world.stop("b");
    assert_eq!(world.get("b").phase, Phase::Cancelled { code: None });
    world.submit("a", &[]);
    world.finish("a");
    assert_eq!(world.word("b"), "cancelled");
}

#[test]
fn stopping_what_runs_is_its_node_s_duty_and_keeps_the_code() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.submit("b", &["container==a"]);
    world.start("a");
    world.stop("a");
    assert!(matches!(world.duty(1, "a"), Some(Duty::Stop(..))));
    world.outcome("a", Outcome::Cancelled { code: Some(143) });
    assert_eq!(world.get("a").phase, Phase::Cancelled { code: Some(143) });
    assert_eq!(world.word("b"), "skipped");
}

#[test]
fn a_stopped_container_is_not_retried_and_not_run_again_when_its_node_is_lost() {
    let mut world = World::with_nodes(2);
    let mut a = spec("a", &[]);
    a.retries = 5;
    world.submit_spec(a);
    world.start("a");
    world.stop("a");
    world.lose(1);
    assert_eq!(world.word("a"), "cancelled");
}

#[test]
fn running_too_long_is_a_failure() {
    let mut world = World::with_nodes(1);
    let mut a = spec("a", &[]);
    a.run_timeout_ms = Some(5000);
    world.submit_spec(a);
    world.start("a");
    world.fire(Timer::RunTimeout { container: id_of("a"), attempt: 1 });
    world.outcome("a", Outcome::Cancelled { code: Some(143) });
    assert_eq!(world.failed("a"), (Some(143), Some("run_timeout: ran longer than 5 s".to_owned())));
}

#[test]
fn removing_what_is_blocked_means_that_it_never_runs() {
    let mut world = World::with_nodes(1);
    world.submit("b", &["container==a"]);
    world.remove("b", false);
    world.submit("a", &[]);
    world.finish("a");
    assert!(world.state.find_named("b").is_none());
}

#[test]
fn removing_what_runs_needs_force_and_kills_it_first() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.start("a");
    assert!(matches!(rejection(world.remove("a", false)), Rejection::StillActive(..)));
    world.remove("a", true);
    assert!(matches!(world.duty(1, "a"), Some(Duty::Stop(..))));
    world.outcome("a", Outcome::Cancelled { code: Some(137) });
    assert!(world.state.find_named("a").is_none());
    assert!(matches!(world.duty(1, "a"), Some(Duty::Remove { .. })));
}

#[test]
fn a_docker_container_is_owed_its_removal_until_the_engine_no_longer_has_it() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.finish("a");
    assert!(matches!(world.duty(1, "a"), Some(Duty::Keep { .. })));
    world.remove("a", false);
    assert!(matches!(world.duty(1, "a"), Some(Duty::Remove { .. })));
    world.apply(Command::Removed { node: 1, attempts: vec![(id_of("a"), 1)] });
    assert_eq!(world.duty(1, "a"), None);
}

#[test]
fn a_container_to_be_removed_goes_ten_seconds_after_its_end() {
    let mut world = World::with_nodes(1);
    let mut a = spec("a", &[]);
    a.remove_after_ms = Some(10_000);
    world.submit_spec(a);
    world.finish("a");
    assert_eq!(world.fire_only().1, 10_000);
    assert!(world.state.find_named("a").is_none());
}

#[test]
fn to_stop_what_has_ended_is_done_already_and_to_kill_it_is_refused() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.finish("a");
    assert_eq!(world.stop("a"), Reply::Done);
    let (request, container) = (world.request(), id_of("a"));
    let kill = world.apply(Command::Stop { request, container, kill: true, grace_s: None });
    assert!(matches!(rejection(kill), Rejection::AlreadyEnded(..)));
}

#[test]
fn a_node_keeps_the_last_hundred_that_ended() {
    let mut world = World::with_nodes(1);
    for i in 0..101 {
        let name = format!("c{i}");
        world.submit(&name, &[]);
        world.finish(&name);
    }
    assert!(matches!(world.duty(1, "c0"), Some(Duty::Remove { .. })));
    assert!(matches!(world.duty(1, "c1"), Some(Duty::Keep { .. })));
}

#[test]
fn what_is_removed_at_once_goes_with_its_end_and_its_dependents_have_heard() {
    let mut world = World::with_nodes(1);
    let mut a = spec("a", &[]);
    a.remove_after_ms = Some(0);
    world.submit_spec(a);
    world.submit("b", &["container==a"]);
    world.finish("a");
    assert!(world.state.find_named("a").is_none());
    assert_eq!(world.word("b"), "claimed");
}
