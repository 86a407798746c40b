//! An operator wants a node empty.

use pinode_scheduler::container::Stop;
use pinode_scheduler::spec::Rerun;
use pinode_scheduler::{Command, Duty, Outcome, Phase, Rejection, Reply, Spec, Timer, why};

use crate::world::{World, facts, rejection, spec};

fn interrupted() -> Outcome {
    Outcome::Interrupted { code: Some(143), reason: "its node is being drained".to_owned() }
}

/// Two nodes, and `a` runs on the first.
fn running() -> World {
    let mut world = World::with_nodes(2);
    world.submit("a", &[]);
    world.start("a");
    assert_eq!(world.node_of("a"), 1);
    world
}

#[test]
fn a_draining_node_takes_nothing_new_and_what_runs_may_finish() {
    let mut world = running();
    assert_eq!(world.drain(1, None), Reply::Done);
    for name in ["b", "c"] {
        world.submit(name, &[]);
        assert_eq!(world.node_of(name), 2);
    }
    assert!(matches!(world.duty(1, "a"), Some(Duty::Run(_))));
    world.exit("a", 0);
    assert_eq!(world.word("a"), "succeeded");
}

#[test]
fn why_says_that_a_node_is_draining_and_since_when() {
    let mut world = World::with_nodes(1);
    world.drain(1, None);
    world.submit("a", &[]);
    assert_eq!(world.lacks("a"), ["draining: by an operator since 1970-01-01 00:00:02 UTC"]);
    world.undrain(1);
    assert_eq!(world.word("a"), "claimed");
}

#[test]
fn drained_at_once_what_may_run_elsewhere_is_stopped_and_runs_there_and_counts_for_nothing() {
    let mut world = running();
    world.drain(1, Some(0));
    assert!(matches!(world.duty(1, "a"), Some(Duty::Stop(_, Stop { drained: true, kill: false, .. }))));
    let because = why(&world.state, world.get("a").id).unwrap().because;
    assert_eq!(because, ["its node is being drained: it is stopped there and runs elsewhere"]);
    world.outcome("a", interrupted());
    assert_eq!((world.node_of("a"), world.claim("a").attempt, world.get("a").tally.losses), (2, 2, 0));
}

#[test]
fn what_was_claimed_and_not_started_goes_elsewhere_too() {
    let mut world = World::with_nodes(2);
    world.submit("a", &[]);
    world.drain(1, Some(0));
    world.outcome("a", Outcome::Cancelled { code: None });
    assert_eq!(world.node_of("a"), 2);
}

#[test]
fn an_end_of_its_own_before_the_signal_counts_as_what_it_is() {
    let mut world = running();
    world.drain(1, Some(0));
    world.exit("a", 0);
    assert_eq!(world.word("a"), "succeeded");
}

#[test]
fn what_must_start_only_once_is_left_to_finish() {
    let mut world = World::with_nodes(2);
    world.submit_spec(Spec { rerun: Rerun::Never, ..spec("a", &[]) });
    world.start("a");
    world.drain(1, Some(0));
    assert!(matches!(world.duty(1, "a"), Some(Duty::Run(_))));
}

#[test]
fn a_drain_with_a_deadline_stops_what_is_left_when_it_has_passed() {
    let mut world = running();
    world.drain(1, Some(600_000));
    assert!(matches!(world.duty(1, "a"), Some(Duty::Run(_))));
    let (timer, ms) = world.fire_only();
    assert!(matches!(timer, Timer::DrainDeadline { node: 1, .. }) && ms == 600_000);
    assert!(matches!(world.duty(1, "a"), Some(Duty::Stop(..))));
}

#[test]
fn an_undrained_node_has_no_deadline_and_takes_work_again() {
    let mut world = running();
    world.drain(1, Some(600_000));
    world.undrain(1);
    assert!(world.state.timers().is_empty());
    world.drain(2, None);
    world.submit("b", &[]);
    assert_eq!(world.node_of("b"), 1);
}

#[test]
fn a_person_s_stop_counts_more_than_the_drain_s() {
    let mut world = running();
    world.drain(1, Some(0));
    world.stop("a");
    world.outcome("a", interrupted());
    assert_eq!(world.get("a").phase, Phase::Cancelled { code: Some(143) });
}

#[test]
fn a_drain_outlives_the_node_s_session_and_its_disk() {
    let mut world = World::with_nodes(2);
    world.drain(1, None);
    world.lose(1);
    world.open(1, 2, facts("n1"));
    assert!(world.state.find_node(1).unwrap().drain.is_some());
    world.lose(1);
    world.open(9, 1, facts("n1"));
    assert!(world.state.find_node(9).unwrap().drain.is_some());
}

#[test]
fn nobody_drains_a_node_that_is_not_there() {
    let mut world = World::with_nodes(1);
    assert!(matches!(rejection(world.drain(9, None)), Rejection::NoSuchNode(_)));
    assert!(matches!(rejection(world.undrain(9)), Rejection::NoSuchNode(_)));
    let request = world.request();
    let labels = [("zone".to_owned(), None)].into();
    assert!(matches!(
        rejection(world.apply(Command::LabelNode { request, node: 9, labels })),
        Rejection::NoSuchNode(_)
    ));
}
