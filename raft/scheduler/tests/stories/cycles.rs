//! `a -> b -> a` is refused with its path, whatever adds the last edge.

use pinode_scheduler::Rejection;

use crate::world::{World, rejection, spec};

fn path(rejection: &Rejection) -> String {
    match rejection {
        Rejection::Cycle { path } => path.join(" -> "),
        other => panic!("no cycle: {other}"),
    }
}

#[test]
fn waiting_for_oneself_is_refused() {
    let mut world = World::with_nodes(1);
    assert!(matches!(world.refused("a", &["container==a"]), Rejection::SelfDependency(..)));
    assert!(matches!(world.refused("merge1", &["container==merge*"]), Rejection::SelfDependency(..)));
}

#[test]
fn a_name_that_is_taken_later_closes_the_cycle() {
    let mut world = World::with_nodes(1);
    world.submit("a", &["container==b"]);
    assert_eq!(path(&world.refused("b", &["container==a"])), "b -> a -> b");
    assert!(world.state.find_named("b").is_none());
}

#[test]
fn a_live_pattern_closes_it_as_well() {
    let mut world = World::with_nodes(1);
    world.submit("a", &["exited==enc*,min=1"]);
    world.submit("b", &["container==a"]);
    assert_eq!(path(&world.refused("enc1", &["started==b"])), "enc1 -> b -> a -> enc1");
}

#[test]
fn a_pipeline_is_added_whole_and_then_checked() {
    let mut world = World::with_nodes(1);
    let specs =
        vec![spec("a", &["container==c"]), spec("b", &["container==a"]), spec("c", &["container==b"])];
    assert_eq!(path(&rejection(world.try_pipeline("p", specs))), "p.a -> p.c -> p.b -> p.a");
    assert_eq!(world.state.containers().count(), 0);
}

#[test]
fn a_diamond_is_no_cycle() {
    let mut world = World::with_nodes(1);
    let specs = vec![
        spec("top", &[]),
        spec("left", &["container==top"]),
        spec("right", &["container==top"]),
        spec("bottom", &["container==left,right"]),
    ];
    assert_eq!(world.pipeline("p", specs).len(), 4);
}

#[test]
fn what_was_released_is_no_part_of_a_cycle() {
    let mut world = World::with_nodes(1);
    world.submit("b", &[]);
    world.submit("a", &["started==b"]);
    world.start("b");
    world.exit("b", 0);
    world.remove("b", false);
    assert_eq!(world.submit("b", &["container==a"]).state, "blocked");
}

#[test]
fn a_chain_longer_than_a_stack_is_searched() {
    let mut world = World::with_nodes(1);
    let mut specs = vec![spec("e0", &["container==last"])];
    specs.extend((1..5000).map(|i| spec(&format!("e{i}"), &[&format!("container==e{}", i - 1)])));
    specs.push(spec("last", &["container==e4999"]));
    assert!(matches!(rejection(world.try_pipeline("p", specs)), Rejection::Cycle { .. }));
}

#[test]
fn a_graph_too_large_to_search_is_refused() {
    let mut world = World::with_nodes(1);
    let mut specs: Vec<_> = (0..400).map(|i| spec(&format!("a{i}"), &["container==gate"])).collect();
    specs.extend((0..300).map(|i| spec(&format!("b{i}"), &["container==a*"])));
    specs.extend([spec("c", &["container==b*"]), spec("d", &["container==c"])]);
    assert!(matches!(rejection(world.try_pipeline("p", specs)), Rejection::TooComplex(_)));
}

#[test]
fn a_retry_that_would_close_a_cycle_is_refused_and_changes_nothing() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.submit("x", &["container==a"]);
    world.exit("a", 1);
    world.remove("a", false);
    world.submit("a", &["exited==late"]);
    world.submit("late", &["exited==x2"]);
    world.submit("x2", &["started==gate"]);
    let before = world.state.clone();
    assert_eq!(world.word("x"), "skipped");
    assert_eq!(world.retry("x"), pinode_scheduler::Reply::Done);
    assert_eq!(world.word("x"), "blocked");
    assert_ne!(world.state, before);
}
