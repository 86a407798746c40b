//! Nodes die, come back, and report late.

use pinode_scheduler::node::Start;
use pinode_scheduler::spec::Rerun;
use pinode_scheduler::{Command, Duty, NodeFacts, Outcome, Rejection, Reply, SessionId, check};

use crate::world::{World, facts, rejection, spec};

fn with_rerun(name: &str, rerun: Rerun) -> pinode_scheduler::Spec {
    pinode_scheduler::Spec { rerun, ..spec(name, &[]) }
}

#[test]
fn a_lost_node_s_work_runs_again_elsewhere_in_the_same_entry() {
    let mut world = World::with_nodes(2);
    world.submit("a", &[]);
    world.start("a");
    assert_eq!(world.node_of("a"), 1);
    world.lose(1);
    assert_eq!((world.node_of("a"), world.claim("a").attempt), (2, 2));
}

#[test]
fn what_must_start_only_once_waits_for_its_node() {
    let mut world = World::with_nodes(2);
    world.submit_spec(with_rerun("a", Rerun::Never));
    world.start("a");
    let claim = world.claim("a");
    world.lose(1);
    assert_eq!(world.word("a"), "unknown");
    world.open(1, 2, facts("n1"));
    assert!(matches!(world.duty(1, "a"), Some(Duty::Resolve(_))));
    assert_eq!(
        world.report("a", claim, Outcome::Exited { code: 0, witnessed: false, oom: false }),
        Reply::Done
    );
    assert_eq!(world.word("a"), "succeeded");
}

#[test]
fn eager_work_moves_as_soon_as_its_node_is_suspected() {
    let mut world = World::with_nodes(2);
    world.submit_spec(with_rerun("eager", Rerun::Eager));
    world.submit_spec(with_rerun("fenced", Rerun::Fenced));
    let session = SessionId { node: 1, number: 1 };
    world.apply(Command::Suspected { session });
    assert_eq!((world.node_of("eager"), world.claim("eager").attempt), (2, 2));
    assert!(matches!(world.duty(1, "eager"), Some(Duty::Remove { attempt: 1, .. })));
}

#[test]
fn when_every_session_is_over_at_once_what_was_claimed_is_lost_once_and_not_claimed_by_the_next_to_go() {
    let mut world = World::with_nodes(5);
    world.submit("a", &[]);
    world.submit_spec(with_rerun("once", Rerun::Never));
    world.submit_spec(with_rerun("eager", Rerun::Eager));
    let last = world.state.close_all_sessions(world.state.applied(), 7);
    assert_eq!((last, world.state.applied()), (8 + 10, 8 + 10));
    assert_eq!(check::check(&world.state), Vec::<String>::new());
    assert_eq!(world.words(["a", "once", "eager"]), ["ready", "unknown", "ready"]);
    for name in ["a", "eager"] {
        assert_eq!((world.get(name).attempt, world.get(name).tally.losses), (1, 1), "{name}");
    }
    assert_eq!(world.state.nodes().filter(|node| node.is_open()).count(), 0);
}

#[test]
fn a_late_exit_of_a_dead_session_changes_nothing_once_another_attempt_was_claimed() {
    let mut world = World::with_nodes(2);
    world.submit("a", &[]);
    let old = world.claim("a");
    world.lose(1);
    assert_eq!(
        world.report("a", old, Outcome::Exited { code: 0, witnessed: true, oom: false }),
        Reply::Stale
    );
    assert_eq!(world.word("a"), "claimed");
}

#[test]
fn a_late_exit_counts_while_no_newer_attempt_was_claimed() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    let old = world.claim("a");
    world.lose(1);
    assert_eq!(world.word("a"), "ready");
    assert_eq!(
        world.report("a", old, Outcome::Exited { code: 0, witnessed: false, oom: false }),
        Reply::Done
    );
    assert_eq!(world.word("a"), "succeeded");
}

#[test]
fn an_interrupted_attempt_is_not_the_program_s_failure_but_not_for_ever() {
    let mut world = World::with_nodes(1);
    world.submit("poison", &[]);
    for attempt in 1..=6 {
        assert_eq!(world.claim("poison").attempt, attempt);
        world
            .outcome("poison", Outcome::Interrupted { code: Some(0), reason: "engine restarted".to_owned() });
    }
    let (code, reason) = world.failed("poison");
    assert_eq!((code, reason.unwrap()), (None, "lost 6 times, the last time: engine restarted".to_owned()));
}

#[test]
fn what_certainly_never_started_goes_elsewhere_and_counts_for_nothing() {
    let mut world = World::with_nodes(2);
    world.submit_spec(with_rerun("a", Rerun::Never));
    world.outcome("a", Outcome::NeverStarted { reason: "no reply".to_owned() });
    assert_eq!((world.node_of("a"), world.get("a").tally.losses), (2, 0));
}

#[test]
fn a_lost_attempt_holds_its_room_until_the_node_s_next_session() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.lose(1);
    assert_eq!(world.state.find_node(1).unwrap().holds.len(), 1);
    world.open(1, 2, facts("n1"));
    assert_eq!(world.claim("a").session, SessionId { node: 1, number: 2 });
    assert_eq!(world.state.find_node(1).unwrap().holds.len(), 1);
}

#[test]
fn a_new_session_resolves_what_the_old_one_had_claimed() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.start("a");
    world.open(1, 2, NodeFacts { boot_id: "another boot".to_owned(), ..facts("n1") });
    assert!(matches!(world.duty(1, "a"), Some(Duty::Resolve(_))));
    world.outcome("a", Outcome::Interrupted { code: Some(255), reason: "reboot".to_owned() });
    assert!(matches!(world.duty(1, "a"), Some(Duty::Run(_))));
}

#[test]
fn the_same_session_resumes_in_the_same_boot_only() {
    let mut world = World::with_nodes(1);
    let again = NodeFacts { start: start(2), ..facts("n1") };
    assert_eq!(world.open(1, 1, again.clone()), Reply::Done);
    let rebooted = NodeFacts { boot_id: "another".to_owned(), start: start(3), ..again };
    assert!(matches!(rejection(world.open(1, 1, rebooted)), Rejection::NoSuchSession(_)));
}

#[test]
fn a_restored_old_disk_is_refused() {
    let mut world = World::with_nodes(1);
    world.open(1, 1, NodeFacts { start: start(7), ..facts("n1") });
    let old = NodeFacts { start: start(6), ..facts("n1") };
    assert!(matches!(rejection(world.open(1, 2, old)), Rejection::StaleSession(_)));
}

#[test]
fn a_restored_old_disk_that_counts_its_start_as_another_was_counted_is_refused() {
    let mut world = World::with_nodes(1);
    world.open(1, 1, NodeFacts { start: Start { count: 7, mark: 1 }, ..facts("n1") });
    let old = NodeFacts { start: Start { count: 7, mark: 2 }, ..facts("n1") };
    assert!(matches!(rejection(world.open(1, 1, old)), Rejection::StaleSession(_)));
}

fn start(count: u64) -> Start {
    Start { count, mark: 1 }
}

#[test]
fn a_lost_session_never_acts_again() {
    let mut world = World::with_nodes(1);
    world.lose(1);
    let session = SessionId { node: 1, number: 1 };
    assert_eq!(world.apply(Command::Trusted { session }), Reply::Stale);
    assert!(matches!(rejection(world.open(1, 1, facts("n1"))), Rejection::NoSuchSession(_)));
}

#[test]
fn a_taken_node_name_is_refused_while_its_holder_lives_and_replaced_after() {
    let mut world = World::with_nodes(2);
    world.submit("a", &[]);
    assert!(matches!(rejection(world.open(9, 1, facts("n1"))), Rejection::NodeNameTaken(_)));
    world.lose(1);
    assert_eq!(world.open(9, 1, facts("n1")), Reply::Done);
    assert!(world.state.find_node(1).is_none());
    assert_eq!(world.word("a"), "claimed");
}
