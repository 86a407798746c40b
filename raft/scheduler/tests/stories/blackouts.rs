//! All nodes lose power, and somebody must say what became of what ran.

use pinode_scheduler::blackout::aftermath;
use pinode_scheduler::spec::Rerun;
use pinode_scheduler::{Command, NodeFacts, NodeId, Outcome, SessionId, Spec, What};

use crate::world::{World, facts, spec};

/// Node `id` comes back from another boot, as session `number`.
fn back(world: &mut World, id: NodeId, number: u64) {
    let boot_id = format!("boot {number}");
    world.open(id, number, NodeFacts { boot_id, ..facts(&format!("n{id}")) });
}

fn said(world: &World) -> bool {
    world.changes.iter().any(|change| matches!(change.what, What::Blackout(_)))
}

fn interrupted() -> Outcome {
    Outcome::Interrupted { code: None, reason: "the machine was restarted meanwhile".to_owned() }
}

/// Three nodes; `a` and `b` run, `c` waits for both.
fn busy() -> World {
    let mut world = World::with_nodes(3);
    world.submit("a", &[]);
    world.submit_spec(Spec { rerun: Rerun::Never, ..spec("b", &[]) });
    world.start("a");
    world.start("b");
    world.submit("c", &["container==a,b"]);
    assert_eq!((world.node_of("a"), world.node_of("b")), (1, 2));
    world
}

#[test]
fn after_a_blackout_it_is_told_what_ran_what_runs_again_and_what_waits() {
    let mut world = busy();
    back(&mut world, 1, 2);
    assert!(!said(&world), "the others may have had power");
    back(&mut world, 3, 2);
    assert!(aftermath(&world.state).is_none());
    world.lose(2);
    assert!(said(&world));
    world.outcome("a", interrupted());
    let seen = aftermath(&world.state).unwrap();
    assert_eq!((seen.back, seen.missing), (vec!["n1".to_owned(), "n3".to_owned()], vec!["n2".to_owned()]));
    let pair = |name: &str, words: &str| (name.to_owned(), words.to_owned());
    assert_eq!(
        seen.ran,
        [
            pair("a", "is run again as attempt 2 on n3"),
            pair("b", "was on n2, and must not run twice: it waits for that node"),
        ]
    );
    assert_eq!((seen.waits, seen.settled), (vec![pair("c", "a, b")], false));
}

#[test]
fn who_comes_late_is_back_from_the_same_blackout() {
    let mut world = busy();
    back(&mut world, 1, 2);
    back(&mut world, 3, 2);
    world.lose(2);
    back(&mut world, 2, 2);
    assert_eq!(aftermath(&world.state).unwrap().missing, Vec::<String>::new());
}

#[test]
fn a_blackout_is_noticed_when_all_sessions_were_lost_before_the_first_node_came_back() {
    let mut world = busy();
    for node in 1..=3 {
        world.lose(node);
    }
    back(&mut world, 1, 2);
    assert!(!said(&world));
    back(&mut world, 2, 2);
    assert!(said(&world));
    let ran = aftermath(&world.state).unwrap().ran;
    assert_eq!(ran.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn one_node_after_the_other_is_no_blackout_when_others_were_heard_meanwhile() {
    let mut world = busy();
    back(&mut world, 1, 2);
    world.exit("b", 0);
    back(&mut world, 2, 2);
    world.apply(Command::Trusted { session: SessionId { node: 3, number: 1 } });
    back(&mut world, 3, 2);
    assert!(aftermath(&world.state).is_none());
}

#[test]
fn a_restart_of_every_process_is_no_blackout() {
    let mut world = busy();
    for node in 1..=3 {
        world.open(node, 1, facts(&format!("n{node}")));
    }
    assert!(aftermath(&world.state).is_none());
}

#[test]
fn a_node_alone_that_was_switched_off_and_on_is_one() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.start("a");
    back(&mut world, 1, 2);
    assert!(said(&world));
    let fate = |world: &World| aftermath(&world.state).unwrap().ran[0].1.clone();
    assert_eq!(fate(&world), "was on n1, which has not said yet how it ended");
    world.outcome("a", interrupted());
    world.finish("a");
    assert_eq!(fate(&world), "was run again, and has succeeded");
    assert!(aftermath(&world.state).unwrap().settled);
}

#[test]
fn a_later_loss_of_one_node_does_not_wipe_the_report() {
    let mut world = busy();
    (1..=3).for_each(|node| back(&mut world, node, 2));
    let told = aftermath(&world.state).unwrap();
    world.lose(3);
    assert_eq!(aftermath(&world.state).unwrap().at_ms, told.at_ms);
}
