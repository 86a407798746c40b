//! When something runs again, where, and how often: the table of policies, line by line.

use pinode_scheduler::spec::Rerun;
use pinode_scheduler::{Command, Duty, Outcome, Reply, SessionId, Spec, Timer};

use crate::world::{World, facts, spec};

fn with(name: &str, rerun: Rerun, retries: u32) -> Spec {
    Spec { rerun, retries, ..spec(name, &[]) }
}

fn interrupted() -> Outcome {
    Outcome::Interrupted { code: Some(0), reason: "the machine was restarted".to_owned() }
}

fn launch_failed() -> Outcome {
    Outcome::LaunchFailed { code: 127, reason: "no such file".to_owned() }
}

fn exited(code: i64) -> Outcome {
    Outcome::Exited { code, witnessed: false, oom: false }
}

#[test]
fn never_is_one_start_however_it_ends() {
    for (outcome, code) in [(interrupted(), None), (Outcome::Unknown, None), (exited(3), Some(3))] {
        let mut world = World::with_nodes(2);
        world.submit_spec(with("once", Rerun::Never, 5));
        world.start("once");
        world.outcome("once", outcome);
        assert_eq!((world.failed("once").0, world.get("once").attempt), (code, 1));
    }
}

#[test]
fn never_runs_elsewhere_when_it_certainly_did_not_start() {
    let mut world = World::with_nodes(2);
    world.submit_spec(with("once", Rerun::Never, 0));
    let first = world.node_of("once");
    world.outcome("once", Outcome::NeverStarted { reason: "its lease ran out".to_owned() });
    assert_ne!(world.node_of("once"), first);
}

#[test]
fn never_is_unknown_though_nobody_knows_whether_it_had_started_when_its_node_was_lost() {
    let mut world = World::with_nodes(2);
    world.submit_spec(with("once", Rerun::Never, 0));
    world.lose(1);
    assert_eq!(world.word("once"), "unknown");
}

#[test]
fn an_operator_may_give_up_what_is_unknown() {
    for remove in [false, true] {
        let mut world = World::with_nodes(2);
        world.submit_spec(with("once", Rerun::Never, 0));
        let claim = world.claim("once");
        world.lose(1);
        if remove {
            assert_eq!(world.remove("once", true), Reply::Done);
            assert!(world.state.find_named("once").is_none());
            world.open(1, 2, facts("n1"));
            assert!(matches!(world.duty(1, "once"), Some(Duty::Remove { .. })));
        } else {
            assert_eq!(world.stop("once"), Reply::Done);
            assert_eq!(world.word("once"), "cancelled");
            world.open(1, 2, facts("n1"));
            assert_eq!(world.report("once", claim, exited(0)), Reply::Stale);
        }
    }
}

#[test]
fn eager_is_claimed_again_where_its_node_was_only_silent_and_its_first_end_counts_no_more() {
    let mut world = World::with_nodes(2);
    world.submit_spec(with("eager", Rerun::Eager, 0));
    world.start("eager");
    let first = world.claim("eager");
    let session = SessionId { node: first.session.node, number: 1 };
    world.apply(Command::Suspected { session });
    world.apply(Command::Trusted { session });
    assert_eq!((world.node_of("eager"), world.claim("eager").attempt), (2, 2));
    assert_eq!(world.report("eager", first, exited(0)), Reply::Stale);
    world.finish("eager");
    assert_eq!(world.word("eager"), "succeeded");
}

#[test]
fn eager_without_another_node_waits_for_its_own_whose_end_counts() {
    let mut world = World::with_nodes(1);
    world.submit_spec(with("eager", Rerun::Eager, 0));
    world.start("eager");
    let first = world.claim("eager");
    world.apply(Command::Suspected { session: first.session });
    assert_eq!(world.word("eager"), "ready");
    assert_eq!(world.report("eager", first, exited(0)), Reply::Done);
    assert_eq!(world.word("eager"), "succeeded");
}

#[test]
fn fenced_waits_for_the_end_of_its_node_s_authority() {
    let mut world = World::with_nodes(2);
    world.submit_spec(with("fenced", Rerun::Fenced, 0));
    world.start("fenced");
    let first = world.claim("fenced");
    world.apply(Command::Suspected { session: first.session });
    assert_eq!(world.claim("fenced"), first);
    world.lose(1);
    assert_eq!(world.claim("fenced").attempt, 2);
}

#[test]
fn retries_wait_ten_seconds_then_twenty_and_then_it_has_failed() {
    let mut world = World::with_nodes(1);
    world.submit_spec(with("fails", Rerun::Fenced, 2));
    for ms in [10_000, 20_000] {
        world.start("fails");
        world.exit("fails", 3);
        assert_eq!(world.word("fails"), "backoff");
        let (timer, waited) = world.fire_only();
        assert!(matches!(timer, Timer::Backoff { .. }));
        assert_eq!(waited, ms);
    }
    world.start("fails");
    world.exit("fails", 3);
    assert_eq!((world.failed("fails"), world.get("fails").attempt), ((Some(3), None), 3));
}

#[test]
fn a_launch_that_failed_is_tried_on_another_node() {
    let mut world = World::with_nodes(2);
    world.submit_spec(with("fails", Rerun::Fenced, 1));
    let first = world.node_of("fails");
    world.outcome("fails", launch_failed());
    let backoff = Timer::Backoff { container: world.get("fails").id, attempt: 1 };
    assert_eq!(world.fire(backoff), Reply::Done);
    assert_ne!(world.node_of("fails"), first);
}

#[test]
fn a_launch_that_failed_on_the_only_node_waits_for_its_bar() {
    let mut world = World::with_nodes(1);
    world.submit_spec(with("fails", Rerun::Fenced, 1));
    world.outcome("fails", launch_failed());
    let id = world.get("fails").id;
    world.fire(Timer::Backoff { container: id, attempt: 1 });
    assert_eq!(world.lacks("fails"), ["it did not start there: no such file"]);
    world.fire(Timer::BarLifted { container: id, node: 1 });
    assert_eq!(world.claim("fails").attempt, 2);
}

#[test]
fn losses_are_counted_apart_from_failures_and_five_are_forgiven() {
    let mut world = World::with_nodes(1);
    world.submit_spec(with("poison", Rerun::Fenced, 1));
    for session in 2..=6 {
        world.start("poison");
        world.lose(1);
        world.open(1, session, facts("n1"));
    }
    assert_eq!((world.get("poison").tally.losses, world.get("poison").tally.failures), (5, 0));
    world.start("poison");
    world.exit("poison", 1);
    assert_eq!(world.word("poison"), "backoff");
    world.fire_only();
    world.start("poison");
    world.lose(1);
    assert_eq!(world.failed("poison").1.unwrap(), "lost 6 times, the last time: its node was lost");
}
