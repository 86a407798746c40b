//! Which node claims what is ready.

use std::collections::BTreeSet;

use pinode_scheduler::container::Decline;
use pinode_scheduler::filter::constraint;
use pinode_scheduler::node::{Ailment, Capacity};
use pinode_scheduler::spec::Needs;
use pinode_scheduler::{Command, NodeFacts, why};

use crate::world::{World, facts, id_of, rejection, spec};

fn small(name: &str, cpus: u64) -> NodeFacts {
    NodeFacts { capacity: Capacity { cpu_milli: cpus * 1000, memory: 1 << 30, slots: 4 }, ..facts(name) }
}

fn asking(name: &str, cpus: u64) -> pinode_scheduler::Spec {
    pinode_scheduler::Spec { needs: Needs { cpu_milli: cpus * 1000, memory: 0 }, ..spec(name, &[]) }
}

fn nodes(world: &World, names: &[&str]) -> BTreeSet<u64> {
    names.iter().map(|name| world.node_of(name)).collect()
}

#[test]
fn work_spreads_over_the_nodes() {
    let mut world = World::with_nodes(3);
    for name in ["a", "b", "c"] {
        world.submit(name, &[]);
    }
    assert_eq!(nodes(&world, &["a", "b", "c"]), BTreeSet::from([1, 2, 3]));
}

#[test]
fn a_chain_on_an_idle_cluster_wanders() {
    let mut world = World::with_nodes(3);
    let mut seen = Vec::new();
    for name in ["a", "b", "c", "d"] {
        world.submit(name, &[]);
        seen.push(world.node_of(name));
        world.finish(name);
    }
    assert_eq!(seen, [1, 2, 3, 1]);
}

#[test]
fn what_does_not_fit_now_waits_as_ready_and_why_names_what_each_node_lacks() {
    let mut world = World::empty();
    world.open(1, 1, small("n1", 2));
    world.submit_spec(asking("a", 2));
    world.submit_spec(asking("b", 1));
    assert_eq!(world.word("b"), "ready");
    let why = why(&world.state, id_of("b")).unwrap();
    assert_eq!(why.nodes, [("n1".to_owned(), "1 CPUs asked, 0 free".to_owned())]);
    world.finish("a");
    assert_eq!(world.word("b"), "claimed");
}

#[test]
fn a_small_one_passes_a_large_one_that_does_not_fit() {
    let mut world = World::empty();
    world.open(1, 1, small("n1", 2));
    world.submit_spec(asking("a", 1));
    world.submit_spec(asking("large", 2));
    world.submit_spec(asking("small", 1));
    assert_eq!(world.words(["large", "small"]), ["ready", "claimed"]);
}

#[test]
fn what_can_never_fit_is_refused() {
    let mut world = World::empty();
    world.open(1, 1, small("n1", 2));
    let refusal = rejection(world.try_submit(asking("huge", 3)));
    assert_eq!(
        refusal.to_string(),
        "no resources available to schedule container huge: it asks for 3 CPUs, and the largest node has 2"
    );
}

#[test]
fn every_container_takes_a_slot() {
    let mut world = World::empty();
    world.open(1, 1, small("n1", 2));
    for i in 0..5 {
        world.submit(&format!("c{i}"), &[]);
    }
    assert_eq!(world.words(["c3", "c4"]), ["claimed", "ready"]);
}

#[test]
fn a_constraint_names_the_node() {
    let mut world = World::with_nodes(3);
    for (name, text) in [("on", "node==n3"), ("off", "node!=n1")] {
        let mut spec = spec(name, &[]);
        spec.constraints = vec![constraint(text).unwrap()];
        world.submit_spec(spec);
    }
    assert_eq!((world.node_of("on"), world.node_of("off")), (3, 2));
}

#[test]
fn a_local_volume_pins_its_users_to_its_node() {
    let mut world = World::with_nodes(3);
    for name in ["a", "b", "c"] {
        let mut spec = spec(name, &[]);
        spec.local_volumes = BTreeSet::from(["dd".to_owned()]);
        world.submit_spec(spec);
    }
    assert_eq!(nodes(&world, &["a", "b", "c"]), BTreeSet::from([1]));
}

#[test]
fn only_nodes_that_see_the_shared_folder_take_shared_work() {
    let mut world = World::with_nodes(2);
    world.open(3, 1, NodeFacts { shared_id: Some("another".to_owned()), ..facts("n3") });
    for name in ["a", "b", "c"] {
        let mut spec = spec(name, &[]);
        spec.shared = true;
        world.submit_spec(spec);
    }
    assert_eq!(nodes(&world, &["a", "b", "c"]), BTreeSet::from([1, 2]));
}

#[test]
fn a_suspected_or_ailing_node_gets_no_new_claim() {
    let mut world = World::with_nodes(2);
    let session = world.state.find_node(1).unwrap().session_id();
    world.apply(Command::Suspected { session });
    world.submit("a", &[]);
    assert_eq!(world.node_of("a"), 2);
    world.apply(Command::Trusted { session });
    let problem = Some("engine away".to_owned());
    world.apply(Command::NodeCondition { session, ailment: Ailment::Engine, problem });
    world.submit("b", &[]);
    assert_eq!(world.node_of("b"), 2);
    world.apply(Command::NodeCondition { session, ailment: Ailment::Engine, problem: None });
    world.submit("c", &[]);
    assert_eq!(world.node_of("c"), 1);
}

#[test]
fn a_node_whose_process_starts_anew_is_well_until_it_says_otherwise() {
    let mut world = World::with_nodes(1);
    let node = world.state.find_node(1).unwrap();
    let (session, facts) = (node.session_id(), node.facts.clone());
    let problem = Some("it is being stopped".to_owned());
    world.apply(Command::NodeCondition { session, ailment: Ailment::Leaving, problem });
    world.submit("a", &[]);
    assert_eq!(world.word("a"), "ready");
    world.apply(Command::SessionOpened { session, facts });
    assert_eq!(world.node_of("a"), 1);
}

#[test]
fn a_declined_claim_goes_to_the_next_node_in_the_same_entry() {
    let mut world = World::with_nodes(2);
    world.submit("a", &[]);
    world.decline("a", Decline::NoSpace("0 bytes free".to_owned()));
    assert_eq!(
        world.said(),
        ["a declined(\"no room on its disk: 0 bytes free\") on n1", "a ready", "a claimed as 2 on n2"]
    );
}

#[test]
fn a_bar_is_lifted_after_ten_seconds_then_twenty() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.decline("a", Decline::Other("busy".to_owned()));
    assert_eq!(world.word("a"), "ready");
    assert_eq!(world.fire_only().1, 10_000);
    assert_eq!(world.word("a"), "claimed");
    world.decline("a", Decline::Other("busy".to_owned()));
    assert_eq!(world.fire_only().1, 20_000);
}

#[test]
fn an_image_that_no_node_has_fails_the_container_and_says_so() {
    let mut world = World::with_nodes(2);
    world.submit("a", &[]);
    world.decline("a", Decline::ImageMissing("nope:1".to_owned()));
    world.decline("a", Decline::ImageMissing("nope:1".to_owned()));
    let (code, reason) = world.failed("a");
    assert_eq!(code, Some(125));
    assert!(reason.unwrap().starts_with("image busybox:local is on no node"));
}

#[test]
fn nodes_that_take_long_to_say_that_an_image_is_not_to_be_had_are_not_asked_in_turn_for_ever() {
    let mut world = World::with_nodes(2);
    world.submit("a", &[]);
    world.decline("a", Decline::ImageMissing("nope:1".to_owned()));
    world.fire_only();
    world.decline("a", Decline::ImageMissing("nope:1".to_owned()));
    assert_eq!(world.word("a"), "failed");
}

#[test]
fn nodes_that_may_not_run_it_are_not_asked_whether_they_have_its_image() {
    for constraints in [
        vec![constraint("node==n2").unwrap()],
        vec![constraint("node!=n1").unwrap(), constraint("node!=n3").unwrap()],
    ] {
        let mut world = World::with_nodes(3);
        world.submit_spec(pinode_scheduler::Spec { constraints, ..spec("a", &[]) });
        world.decline("a", Decline::ImageMissing("nope:1".to_owned()));
        let reason = world.failed("a").1.unwrap();
        assert!(reason.starts_with("image busybox:local is on no node that may run it (n2);"), "{reason}");
    }
}

#[test]
fn one_node_that_may_run_it_and_was_not_asked_yet_keeps_it_from_failing() {
    let mut world = World::with_nodes(3);
    let constraints = vec![constraint("node!=n3").unwrap()];
    world.submit_spec(pinode_scheduler::Spec { constraints, ..spec("a", &[]) });
    world.decline("a", Decline::ImageMissing("nope:1".to_owned()));
    assert_eq!(world.word("a"), "claimed");
    world.decline("a", Decline::NoSpace("0 bytes free".to_owned()));
    assert_eq!(world.word("a"), "ready");
    let why = why(&world.state, id_of("a")).unwrap();
    let sentences: Vec<&str> = why.nodes.iter().map(|(_, lacks)| lacks.as_str()).collect();
    assert_eq!(sentences[2], "constraint node!=n3");
}
