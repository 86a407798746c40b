//! What Docker's clients do to one container: make it, start it later, start it again, give it another name.

use pinode_scheduler::spec::{Needs, Restart};
use pinode_scheduler::{Command, Duty, Outcome, Rejection, Reply, why};

use crate::world::{World, rejection, spec};

#[test]
fn what_is_only_made_waits_for_its_start_and_then_for_its_dependencies() {
    let mut world = World::with_nodes(1);
    world.make("a", &[]);
    world.make("b", &["container==a"]);
    assert_eq!(world.words(["a", "b"]), ["created", "created"]);
    assert_eq!(world.launch("b"), Reply::Done);
    assert_eq!(world.word("b"), "blocked");
    world.launch("a");
    world.finish("a");
    assert_eq!(world.words(["a", "b"]), ["succeeded", "claimed"]);
}

#[test]
fn a_dependency_that_failed_before_the_start_skips_at_the_start() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.make("b", &["container==a"]);
    world.start("a");
    world.exit("a", 1);
    assert_eq!(world.word("b"), "created");
    world.launch("b");
    assert_eq!(world.word("b"), "skipped");
}

#[test]
fn a_wait_timeout_runs_from_the_start() {
    let mut world = World::with_nodes(1);
    let mut b = spec("b", &["container==a"]);
    b.wait_timeout_ms = Some(5);
    world.make_spec(b);
    assert!(world.state.timers().is_empty());
    world.launch("b");
    world.fire_only();
    assert_eq!(world.word("b"), "failed");
}

#[test]
fn a_start_does_not_jump_the_wait() {
    let mut world = World::with_nodes(1);
    world.submit("b", &["container==a"]);
    let refused = rejection(world.launch("b")).to_string();
    assert_eq!(refused, "b waits for a; it starts by itself when that has happened");
    assert_eq!(rejection(world.restart("b")).code(), "still_waiting");
}

#[test]
fn a_start_of_what_runs_changes_nothing() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    assert_eq!(world.launch("a"), Reply::Stale);
    world.start("a");
    assert_eq!(world.launch("a"), Reply::Stale);
    assert_eq!(world.get("a").attempt, 1);
}

#[test]
fn a_start_of_what_has_ended_is_a_new_run() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.finish("a");
    assert_eq!(world.launch("a"), Reply::Done);
    assert_eq!((world.word("a"), world.get("a").attempt, world.get("a").run), ("claimed", 2, 2));
}

#[test]
fn a_restart_stops_what_runs_and_opens_a_new_run() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.submit("b", &["exited==a"]);
    world.start("a");
    assert_eq!(world.restart("a"), Reply::Done);
    assert!(matches!(world.duty(1, "a"), Some(Duty::Stop(..))));
    world.outcome("a", Outcome::Cancelled { code: Some(143) });
    assert_eq!((world.word("a"), world.get("a").attempt), ("claimed", 2));
    assert_eq!(world.word("b"), "blocked", "a restart is no end");
}

#[test]
fn a_stop_after_a_restart_is_for_good() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.start("a");
    world.restart("a");
    world.stop("a");
    world.restart("a");
    world.outcome("a", Outcome::Cancelled { code: Some(143) });
    assert_eq!(world.word("a"), "cancelled");
}

#[test]
fn what_was_never_started_is_not_killed_and_its_stop_is_done() {
    let mut world = World::with_nodes(1);
    world.make("a", &[]);
    assert_eq!(world.stop("a"), Reply::Stale);
    let (request, container) = (world.request(), world.get("a").id);
    let killed = world.apply(Command::Stop { request, container, kill: true, grace_s: None });
    assert_eq!(rejection(killed), Rejection::NotStarted("a".to_owned()));
    assert_eq!(world.remove("a", false), Reply::Done);
}

#[test]
fn who_waits_for_the_new_name_waits_for_the_renamed_and_who_waited_for_the_old_one_no_longer_does() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.submit("old", &["container==a"]);
    world.submit("new", &["container==b"]);
    assert_eq!(world.rename("a", "b"), Reply::Done);
    assert_eq!(world.get("old").waits_for(), ["a"]);
    world.finish("b");
    assert_eq!(world.words(["old", "new"]), ["blocked", "claimed"]);
}

#[test]
fn a_rename_that_would_close_a_cycle_is_refused_with_its_path() {
    let mut world = World::with_nodes(1);
    world.submit("a", &["container==b"]);
    world.submit("c", &["container==a"]);
    let refused = rejection(world.rename("c", "b"));
    assert!(matches!(refused, Rejection::Cycle { .. }), "{refused}");
    assert_eq!(world.word("c"), "blocked");
}

#[test]
fn a_name_that_is_taken_and_a_pipelines_member_are_not_renamed() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.submit("b", &[]);
    world.pipeline("p", vec![spec("x", &[])]);
    assert_eq!(rejection(world.rename("a", "b")).code(), "name_taken");
    assert_eq!(rejection(world.rename("p.x", "y")).code(), "named_by_pipeline");
}

#[test]
fn a_renamed_container_keeps_its_name_on_the_engine_and_frees_it_for_nobody() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    let before = world.get("a").engine_name();
    world.rename("a", "b");
    world.submit("a", &[]);
    assert_eq!(world.get("b").engine_name(), before);
    assert_ne!(world.get("a").id, world.get("b").id);
}

#[test]
fn an_amended_container_reserves_what_it_now_needs_where_there_is_room() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    let needs = |cpu_milli| Needs { cpu_milli, memory: 0 };
    assert_eq!(world.amend("a", needs(3000)), Reply::Done);
    assert_eq!(world.state.find_node(1).unwrap().reserved, needs(3000));
    assert_eq!(rejection(world.amend("a", needs(5000))).code(), "no_room");
    assert_eq!(world.get("a").spec.restart, Restart::Always);
}

#[test]
fn what_a_node_prepares_is_told_until_it_has_started() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    let (container, claim) = (world.get("a").id, world.claim("a"));
    let preparing = |what: &str| Command::Preparing {
        container,
        attempt: claim.attempt,
        session: claim.session,
        what: what.to_owned(),
    };
    assert_eq!(world.apply(preparing("fetches busybox from n2")), Reply::Done);
    assert_eq!(why(&world.state, container).unwrap().because, ["fetches busybox from n2"]);
    world.start("a");
    assert_eq!(world.apply(preparing("late")), Reply::Stale);
}

#[test]
fn a_stop_can_bring_its_own_grace() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.start("a");
    let (request, container) = (world.request(), world.get("a").id);
    world.apply(Command::Stop { request, container, kill: false, grace_s: Some(1) });
    let Some(Duty::Stop(work, _)) = world.duty(1, "a") else { panic!("not stopped") };
    assert_eq!(work.stop_timeout_s, 1);
}
