//! What a node has only one of, or only so many: ports, slots, and the containers that others need beside them.

use std::collections::BTreeSet;

use pinode_scheduler::spec::{HostPort, Protocol};
use pinode_scheduler::{Command, Spec};

use crate::world::{World, facts, labelled, spec};

fn on_port(name: &str, port: u16, protocol: Protocol) -> Spec {
    Spec { host_ports: BTreeSet::from([HostPort { port, protocol }]), ..spec(name, &[]) }
}

fn beside(name: &str, whom: &[&str]) -> Spec {
    Spec { beside: whom.iter().map(|name| (*name).to_owned()).collect(), ..spec(name, &[]) }
}

#[test]
fn two_containers_with_one_port_never_share_a_node() {
    let mut world = World::with_nodes(2);
    for name in ["web", "web-2", "web-3"] {
        world.submit_spec(on_port(name, 8080, Protocol::Tcp));
    }
    assert_eq!(["web", "web-2"].map(|name| world.node_of(name)), [1, 2]);
    assert_eq!(world.lacks("web-3"), ["port 8080/tcp is taken by web", "port 8080/tcp is taken by web-2"]);
    world.finish("web-2");
    assert_eq!(world.node_of("web-3"), 2);
}

#[test]
fn another_protocol_is_another_port() {
    let mut world = World::with_nodes(1);
    world.submit_spec(on_port("a", 53, Protocol::Tcp));
    world.submit_spec(on_port("b", 53, Protocol::Udp));
    world.submit_spec(on_port("c", 54, Protocol::Tcp));
    assert_eq!(world.words(["a", "b", "c"]), ["claimed"; 3]);
}

#[test]
fn a_port_of_a_lost_node_is_taken_until_its_next_session() {
    let mut world = World::with_nodes(1);
    world.submit_spec(on_port("a", 80, Protocol::Tcp));
    world.lose(1);
    assert_eq!(world.lacks("a"), ["its session is lost"]);
    world.open(1, 2, facts("n1"));
    assert_eq!(world.word("a"), "claimed");
}

#[test]
fn who_needs_another_beside_it_runs_where_that_one_is() {
    let mut world = World::with_nodes(3);
    world.submit("other", &[]);
    world.submit("data", &[]);
    world.submit_spec(beside("web", &["data"]));
    assert_eq!(world.node_of("web"), world.node_of("data"));
    world.finish("data");
    world.submit_spec(beside("late", &["data"]));
    assert_eq!(world.node_of("late"), 2, "its volumes are there as long as its node keeps it");
}

#[test]
fn who_needs_what_is_nowhere_waits_and_why_says_so() {
    let mut world = World::with_nodes(1);
    world.submit_spec(beside("web", &["db"]));
    assert_eq!(world.lacks("web"), ["it has no db, which web needs beside it; no node has"]);
    world.submit("db", &[]);
    assert_eq!(world.node_of("web"), 1);
}

#[test]
fn who_needs_two_on_different_nodes_fits_nowhere() {
    let mut world = World::with_nodes(2);
    world.submit("a", &[]);
    world.submit("b", &[]);
    world.submit_spec(beside("web", &["a", "b"]));
    assert_eq!(
        world.lacks("web"),
        ["it has no b, which web needs beside it", "it has no a, which web needs beside it"]
    );
}

#[test]
fn in_a_pipeline_its_own_member_is_meant_first() {
    let mut world = World::with_nodes(3);
    world.submit("db", &[]);
    world.pipeline("p", vec![spec("db", &[]), beside("web", &["db"])]);
    assert_eq!((world.node_of("db"), world.node_of("p.db"), world.node_of("p.web")), (1, 2, 2));
}

#[test]
fn a_label_limits_how_many_containers_a_node_has() {
    let mut world = World::empty();
    world.open(1, 1, labelled("n1", &[("containerslots", "2")]));
    for name in ["a", "b", "c"] {
        world.submit(name, &[]);
    }
    assert_eq!(world.words(["a", "b", "c"]), ["claimed", "claimed", "ready"]);
    assert_eq!(world.lacks("c"), ["all its 2 slots are taken (label containerslots)"]);
}

#[test]
fn a_label_that_is_no_number_limits_nothing_and_one_too_high_gives_nothing() {
    for slots in ["many", "", "-1", "99"] {
        let mut world = World::empty();
        world.open(1, 1, labelled("n1", &[("containerslots", slots)]));
        (0..17).for_each(|i| drop(world.submit(&format!("c{i}"), &[])));
        assert_eq!(world.words(["c15", "c16"]), ["claimed", "ready"], "{slots}");
        assert_eq!(world.lacks("c16"), ["all its 16 slots are taken"]);
    }
}

#[test]
fn a_port_that_an_older_attempt_still_has_is_taken() {
    let mut world = World::with_nodes(1);
    let eager = pinode_scheduler::spec::Rerun::Eager;
    world.submit_spec(Spec { rerun: eager, ..on_port("a", 80, Protocol::Tcp) });
    let session = world.state.find_node(1).unwrap().session_id();
    world.apply(Command::Suspected { session });
    world.apply(Command::Trusted { session });
    assert_eq!(world.lacks("a"), ["port 80/tcp is taken by a"]);
    let attempts = vec![(world.get("a").id, 1)];
    world.apply(Command::Removed { node: 1, attempts });
    assert_eq!(world.word("a"), "claimed");
}
