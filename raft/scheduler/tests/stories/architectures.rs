//! For what machine an image is made, and which nodes run it.

use pinode_scheduler::{NodeFacts, NodeId};

use crate::world::{World, facts, labelled};

/// The image of every container here.
const IMAGE: &str = "busybox:local";

fn machine(name: &str, arch: &str) -> NodeFacts {
    labelled(name, &[("arch", arch)])
}

/// A Pi and a PC.
fn shelf() -> World {
    let mut world = World::empty();
    world.open(1, 1, machine("pi", "aarch64"));
    world.open(2, 1, machine("pc", "x86_64"));
    world
}

/// Where three containers go, one after the other.
fn three(world: &mut World) -> [NodeId; 3] {
    ["a", "b", "c"].map(|name| {
        world.submit(name, &[]);
        world.node_of(name)
    })
}

#[test]
fn an_image_that_one_node_has_goes_to_no_node_of_another_architecture() {
    let mut world = shelf();
    world.images_for(1, "arm64", &[IMAGE]);
    assert_eq!(three(&mut world), [1, 1, 1]);
}

#[test]
fn a_node_with_a_copy_of_its_own_architecture_takes_it_whatever_the_others_have() {
    let mut world = shelf();
    world.images_for(1, "arm64", &[IMAGE]);
    world.images_for(2, "amd64", &[IMAGE]);
    assert_eq!(three(&mut world), [1, 2, 1]);
}

#[test]
fn an_image_that_no_node_has_may_be_at_a_registry_for_any_machine() {
    let mut world = shelf();
    world.images_for(1, "arm64", &["other:latest"]);
    assert_eq!(three(&mut world), [1, 2, 1]);
}

#[test]
fn what_does_not_say_for_what_it_is_made_and_who_does_not_say_what_it_is_are_no_obstacle() {
    let mut world = shelf();
    world.images_for(1, "", &[IMAGE]);
    assert_eq!(three(&mut world), [1, 2, 1]);
    let mut world = World::empty();
    world.open(1, 1, machine("pi", "aarch64"));
    world.open(2, 1, facts("mute"));
    world.images_for(1, "arm64", &[IMAGE]);
    assert_eq!(three(&mut world), [1, 2, 1]);
}

#[test]
fn a_64_bit_machine_runs_what_is_made_for_its_32_bit_elder_and_not_the_other_way_round() {
    let mut world = World::empty();
    world.open(1, 1, machine("old", "armv7l"));
    world.open(2, 1, machine("new", "aarch64"));
    world.images_for(1, "arm", &[IMAGE]);
    assert_eq!(three(&mut world), [1, 2, 1]);
    let mut world = World::empty();
    world.open(1, 1, machine("old", "armv7l"));
    world.open(2, 1, machine("new", "aarch64"));
    world.images_for(2, "arm64", &[IMAGE]);
    assert_eq!(three(&mut world), [2, 2, 2]);
}

#[test]
fn why_names_the_image_and_what_it_is_made_for_until_a_fitting_copy_arrives() {
    let mut world = World::empty();
    world.open(1, 1, machine("pi", "aarch64"));
    world.images_for(1, "amd64", &[IMAGE]);
    world.submit("a", &[]);
    assert_eq!(world.lacks("a"), ["image busybox:local is made for amd64"]);
    world.images_for(1, "arm64", &[IMAGE]);
    assert_eq!(world.node_of("a"), 1);
}
