//! A node leaves and means to come back; and what the cluster as a whole agrees on.

use pinode_scheduler::later::{LEVEL, Pace};
use pinode_scheduler::spec::Rerun;
use pinode_scheduler::{Command, Duty, NodeFacts, Rejection, Reply, SessionId, Spec};

use crate::world::{World, facts, rejection, spec};

const N1: SessionId = SessionId { node: 1, number: 1 };
const GRACE_MS: u64 = 300_000;

fn leaves(world: &mut World) {
    assert_eq!(world.apply(Command::Away { session: N1, grace_ms: GRACE_MS }), Reply::Done);
}

#[test]
fn a_node_that_is_away_keeps_its_claims_and_gets_no_new_ones() {
    let mut world = World::with_nodes(2);
    world.submit("a", &[]);
    world.start("a");
    let claim = world.claim("a");
    leaves(&mut world);
    assert_eq!((world.word("a"), world.claim("a")), ("running", claim));
    assert!(matches!(world.duty(1, "a"), Some(Duty::Run(_))));
    for name in ["b", "c", "d"] {
        world.submit(name, &[]);
        assert_eq!(world.node_of(name), 2);
    }
    assert_eq!(world.state.away_ms(N1), Some(GRACE_MS));
}

#[test]
fn why_says_that_its_node_is_away() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.start("a");
    leaves(&mut world);
    let why = pinode_scheduler::why(&world.state, world.get("a").id).unwrap();
    assert!(why.because[0].starts_with("n1 is away"), "{why:?}");
    world.submit("b", &[]);
    assert_eq!(world.lacks("b"), ["it left, and is back within 300 s or given up"]);
}

#[test]
fn who_comes_back_in_time_goes_on_as_before_and_is_claimable_in_the_same_entry() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.start("a");
    leaves(&mut world);
    world.submit("b", &[]);
    assert_eq!(world.word("b"), "ready");
    assert_eq!(world.open(1, 1, facts("n1")), Reply::Done);
    assert_eq!(world.words(["a", "b"]), ["running", "claimed"]);
    assert_eq!(world.state.away_ms(N1), None);
}

#[test]
fn who_does_not_come_back_is_lost_as_any_other() {
    let mut world = World::with_nodes(2);
    world.submit("a", &[]);
    leaves(&mut world);
    world.lose(1);
    assert_eq!((world.node_of("a"), world.claim("a").attempt), (2, 2));
    assert_eq!(world.state.away_ms(N1), None);
}

#[test]
fn an_end_that_is_told_while_its_node_is_away_counts() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.start("a");
    leaves(&mut world);
    world.exit("a", 0);
    assert_eq!(world.word("a"), "succeeded");
}

#[test]
fn a_dead_session_is_not_away() {
    let mut world = World::with_nodes(1);
    world.lose(1);
    assert_eq!(world.apply(Command::Away { session: N1, grace_ms: GRACE_MS }), Reply::Stale);
}

#[test]
fn eager_work_of_a_node_that_is_away_stays_too() {
    let mut world = World::with_nodes(2);
    world.submit_spec(Spec { rerun: Rerun::Eager, ..spec("a", &[]) });
    leaves(&mut world);
    assert_eq!(world.claim("a").session, N1);
}

fn speaks(name: &str, feature: u16) -> NodeFacts {
    NodeFacts { feature, ..facts(name) }
}

#[test]
fn a_level_is_raised_when_all_nodes_speak_it_the_lost_ones_too() {
    let mut world = World::with_nodes(2);
    let raise = Command::LevelRaised { level: LEVEL };
    assert_eq!(world.state.level(), 1);
    world.open(1, 1, speaks("n1", LEVEL));
    world.lose(2);
    assert_eq!(world.apply(raise.clone()), Reply::Stale);
    world.open(2, 2, speaks("n2", LEVEL));
    assert_eq!(world.apply(raise.clone()), Reply::Done);
    assert_eq!(world.state.level(), LEVEL);
    assert_eq!(world.apply(raise), Reply::Stale);
}

#[test]
fn who_does_not_speak_the_cluster_s_level_gets_no_session() {
    let mut world = World::empty();
    world.open(1, 1, speaks("n1", LEVEL));
    world.apply(Command::LevelRaised { level: LEVEL });
    let refused = rejection(world.open(2, 1, speaks("n2", 1)));
    assert_eq!(refused, Rejection::TooOld { speaks: 1, level: LEVEL });
    assert!(world.state.find_node(2).is_none());
}

#[test]
fn until_a_level_is_raised_the_state_is_what_the_first_layout_could_say() {
    let mut world = World::with_nodes(2);
    world.submit("a", &[]);
    world.lose(1);
    assert!(world.state.is_of_the_first_layout());
}

#[test]
fn a_lease_is_never_shortened() {
    let mut world = World::with_nodes(1);
    let paced = |sync_ms, lease_ms| Command::Paced { pace: Pace { sync_ms, lease_ms } };
    assert_eq!(world.apply(paced(300, 23_000)), Reply::Done);
    assert_eq!(world.apply(paced(0, 0)), Reply::Done);
    assert_eq!(world.state.pace(), Pace { sync_ms: 0, lease_ms: 23_000 });
    assert_eq!(world.apply(paced(0, 0)), Reply::Stale);
}
