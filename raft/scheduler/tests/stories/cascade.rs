//! A failure reaches everything that can no longer be; a retry brings it back.

use pinode_scheduler::spec::{OnUpstreamFailure, Restart};
use pinode_scheduler::{Phase, Rejection, Reply, Timer};

use crate::world::{World, id_of, rejection, spec};

fn chain(world: &mut World) {
    world.submit("a", &[]);
    world.submit("b", &["container==a"]);
    world.submit("c", &["container==b"]);
}

#[test]
fn a_failure_skips_its_dependents_in_the_same_entry_with_the_chain_of_causes() {
    let mut world = World::with_nodes(1);
    chain(&mut world);
    world.start("a");
    world.exit("a", 7);
    assert_eq!(
        world.said(),
        [
            "a attempt 1 ended on n1",
            "a failed 7 on n1",
            "b skipped: a: failed with code 7",
            "c skipped: b: skipped < a: failed with code 7",
        ]
    );
}

#[test]
fn a_submit_whose_dependency_has_already_failed_is_accepted_and_skipped() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.exit("a", 1);
    assert_eq!(world.submit("b", &["container==a"]).state, "skipped");
}

#[test]
fn retrying_the_failed_one_revives_what_was_skipped_because_of_it() {
    let mut world = World::with_nodes(1);
    chain(&mut world);
    world.exit("a", 1);
    assert_eq!(world.retry("a"), Reply::Done);
    assert_eq!(world.words(["a", "b", "c"]), ["claimed", "blocked", "blocked"]);
    assert_eq!(world.claim("a").attempt, 2);
    world.finish("a");
    world.finish("b");
    assert_eq!(world.word("c"), "claimed");
}

#[test]
fn what_has_two_dead_parents_is_revived_by_the_second_retry() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.submit("b", &[]);
    world.submit("c", &["container==a,b"]);
    world.exit("a", 1);
    world.exit("b", 1);
    world.retry("a");
    assert_eq!(world.word("c"), "skipped");
    world.retry("b");
    assert_eq!(world.word("c"), "blocked");
}

#[test]
fn a_skipped_container_is_not_retried_while_its_cause_stands() {
    let mut world = World::with_nodes(1);
    chain(&mut world);
    world.exit("a", 1);
    let refusal = rejection(world.retry("c"));
    assert_eq!(refusal, Rejection::RetryTheCause("c".into(), "a".into()));
}

#[test]
fn a_skipped_container_whose_cause_is_gone_waits_for_the_name_again() {
    let mut world = World::with_nodes(1);
    chain(&mut world);
    world.exit("a", 1);
    world.remove("a", false);
    assert_eq!(world.retry("b"), Reply::Done);
    assert_eq!(world.words(["b", "c"]), ["blocked", "blocked"]);
    world.submit("a", &[]);
    world.finish("a");
    assert_eq!(world.word("b"), "claimed");
}

#[test]
fn what_succeeded_or_runs_is_not_retried() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    assert!(matches!(rejection(world.retry("a")), Rejection::NotRetriable(..)));
    world.finish("a");
    assert!(matches!(rejection(world.retry("a")), Rejection::NotRetriable(..)));
}

#[test]
fn hold_waits_for_somebody_and_run_goes_on() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    for (name, policy) in [("holds", OnUpstreamFailure::Hold), ("runs", OnUpstreamFailure::Run)] {
        let mut spec = spec(name, &["container==a"]);
        spec.on_upstream_failure = policy;
        world.submit_spec(spec);
    }
    world.exit("a", 1);
    assert_eq!(world.words(["holds", "runs"]), ["blocked", "claimed"]);
    world.retry("a");
    world.finish("a");
    assert_eq!(world.word("holds"), "claimed");
}

#[test]
fn a_failure_is_final_only_after_its_own_retries() {
    let mut world = World::with_nodes(1);
    let mut a = spec("a", &[]);
    a.retries = 2;
    world.submit_spec(a);
    world.submit("b", &["container==a"]);
    world.exit("a", 1);
    assert_eq!(world.words(["a", "b"]), ["backoff", "blocked"]);
    assert_eq!(world.fire_only(), (Timer::Backoff { container: id_of("a"), attempt: 1 }, 10_000));
    world.exit("a", 1);
    assert_eq!(world.fire_only(), (Timer::Backoff { container: id_of("a"), attempt: 2 }, 20_000));
    world.exit("a", 1);
    assert_eq!(world.words(["a", "b"]), ["failed", "skipped"]);
}

#[test]
fn a_service_has_not_ended_for_good_until_it_is_stopped() {
    let mut world = World::with_nodes(1);
    let mut a = spec("a", &[]);
    a.restart = Restart::Always;
    world.submit_spec(a);
    world.submit("b", &["exited==a"]);
    world.start("a");
    world.exit("a", 0);
    assert_eq!(world.words(["a", "b"]), ["backoff", "blocked"]);
    world.fire_only();
    world.start("a");
    world.stop("a");
    world.exit("a", 143);
    assert_eq!(world.word("a"), "cancelled");
    assert_eq!(world.get("a").phase, Phase::Cancelled { code: Some(143) });
    assert_eq!(world.word("b"), "claimed");
}
