//! Which nodes a container may run on, by their names and labels.

use pinode_scheduler::NodeFacts;

use crate::world::{World, bound, facts, labelled};

/// A Pi, a PC, an old Pi, and a node that says nothing of itself.
fn shelf() -> World {
    let mut world = World::empty();
    let pi = [("arch", "aarch64"), ("kernel", "6.1.21-v8+"), ("os", "Debian GNU/Linux 12"), ("zone", "a")];
    let pc = [("arch", "x86_64"), ("kernel", "6.12.0"), ("os", "Ubuntu 24.04"), ("storage", "overlay2")];
    world.open(1, 1, labelled("pi", &pi));
    world.open(2, 1, labelled("pc", &pc));
    world.open(3, 1, labelled("old", &[("arch", "armv7l"), ("model", "Raspberry Pi 2 Model B/1.1")]));
    world.open(0xab, 1, facts("mute"));
    world
}

/// The nodes that take a container with these constraints, by name. Each attempt is over before the next node is asked.
fn fit(constraints: &[&str]) -> Vec<String> {
    let mut world = shelf();
    let mut fit = Vec::new();
    for node in ["pi", "pc", "old", "mute"] {
        let only = format!("node=={node}");
        let all: Vec<&str> = constraints.iter().copied().chain([only.as_str()]).collect();
        world.submit_spec(bound(node, &all));
        if world.word(node) == "claimed" {
            fit.push(node.to_owned());
        }
    }
    fit
}

#[test]
fn a_label_binds_to_the_nodes_that_have_it() {
    assert_eq!(fit(&["zone==a"]), ["pi"]);
    assert_eq!(fit(&["zone==b"]), Vec::<String>::new());
}

#[test]
fn a_negated_label_is_met_by_the_nodes_that_have_another_value_or_none() {
    assert_eq!(fit(&["zone!=a"]), ["pc", "old", "mute"]);
}

#[test]
fn the_node_is_its_name_or_its_id() {
    assert_eq!(fit(&["node==p*"]), ["pi", "pc"]);
    assert_eq!(fit(&["node!=/^p/"]), ["old", "mute"]);
    assert_eq!(fit(&["node==00000000000000ab"]), ["mute"]);
    assert_eq!(fit(&["node!=00000000000000ab"]), ["pi", "pc", "old"]);
}

#[test]
fn classic_swarm_s_names_of_labels_mean_the_found_ones() {
    assert_eq!(fit(&["kernelversion==6.1.*"]), ["pi"]);
    assert_eq!(fit(&["operatingsystem==Debian*"]), ["pi"]);
    assert_eq!(fit(&["storagedriver==overlay2"]), ["pc"]);
    assert_eq!(fit(&["architecture==x86_64"]), ["pc"]);
}

#[test]
fn a_given_label_counts_before_the_found_one_that_its_name_is_an_alias_of() {
    let mut world = World::empty();
    world.open(1, 1, labelled("n1", &[("os", "Debian"), ("operatingsystem", "mine")]));
    world.submit_spec(bound("a", &["operatingsystem==mine"]));
    assert_eq!(world.word("a"), "claimed");
}

#[test]
fn an_architecture_has_several_names() {
    for (constraint, node) in [
        ("arch==arm64", "pi"),
        ("arch==aarch64", "pi"),
        ("architecture==amd64", "pc"),
        ("arch==armhf", "old"),
        ("arch==arm", "old"),
        ("arch==/^armv7/", "old"),
    ] {
        assert_eq!(fit(&[constraint]), [node], "{constraint}");
    }
    assert_eq!(fit(&["arch!=amd64"]), ["pi", "old", "mute"]);
}

#[test]
fn a_value_may_have_spaces_slashes_and_signs() {
    assert_eq!(fit(&["model==Raspberry Pi 2 Model B/1.1"]), ["old"]);
    assert_eq!(fit(&["model==/(?i)model b/"]), ["old"]);
    assert_eq!(fit(&["kernel==6.1.21-v8+"]), ["pi"]);
}

#[test]
fn all_constraints_must_be_met() {
    assert_eq!(fit(&["arch!=x86_64", "zone!=a"]), ["old", "mute"]);
}

#[test]
fn a_soft_constraint_ranks_and_excludes_nobody() {
    let mut world = shelf();
    world.submit_spec(bound("first", &["zone==~a"]));
    world.submit_spec(bound("second", &["zone==~a"]));
    world.submit_spec(bound("nowhere", &["zone==~z"]));
    assert_eq!(["first", "second"].map(|name| world.node_of(name)), [1, 1]);
    assert_eq!(world.node_of("nowhere"), 2, "no node has it, so it is spread");
    world.submit_spec(bound("away", &["arch!=~/64/"]));
    assert_eq!(world.node_of("away"), 3);
}

#[test]
fn who_meets_more_soft_constraints_comes_first() {
    let mut world = shelf();
    world.submit_spec(bound("a", &["arch==~x86_64", "zone==~a", "os==~Debian*"]));
    assert_eq!(world.node_of("a"), 1);
}

#[test]
fn a_preference_goes_to_the_next_when_the_preferred_one_is_full() {
    let mut world = World::empty();
    world.open(1, 1, labelled("n1", &[("zone", "a"), ("containerslots", "1")]));
    world.open(2, 1, facts("n2"));
    world.submit_spec(bound("a", &["zone==~a"]));
    world.submit_spec(bound("b", &["zone==~a"]));
    assert_eq!(["a", "b"].map(|name| world.node_of(name)), [1, 2]);
}

#[test]
fn why_names_the_constraint_and_what_the_node_is_instead() {
    let mut world = shelf();
    world.submit_spec(bound("a", &["arch==arm64", "zone!=a", "node!=q*"]));
    let [pi, pc] = ["constraint zone!=a (it is a)", "constraint arch==arm64 (it is x86_64)"];
    let [old, mute] =
        ["constraint arch==arm64 (it is armv7l)", "constraint arch==arm64 (it has no label arch)"];
    assert_eq!(world.lacks("a"), [pi, pc, old, mute]);
}

#[test]
fn a_label_that_a_node_is_given_later_lets_in_who_waits_for_it() {
    let mut world = shelf();
    world.submit_spec(bound("a", &["disk==ssd"]));
    assert_eq!(world.word("a"), "ready");
    let node = world.state.find_node(2).unwrap();
    let (number, facts) = (node.session, node.facts.clone());
    let mut labels = facts.labels.clone();
    labels.insert("disk".to_owned(), "ssd".to_owned());
    world.open(2, number, NodeFacts { labels, ..facts });
    assert_eq!(world.node_of("a"), 2);
}
