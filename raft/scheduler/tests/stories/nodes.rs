//! What an operator does to nodes: declares them gone, labels them, sets what holds for all.

use pinode_scheduler::spec::Rerun;
use pinode_scheduler::{Command, Rejection, Reply, Settings, Spec};

use crate::world::{World, bound, facts, labelled, rejection, spec};

#[test]
fn a_node_whose_session_lives_is_not_removed() {
    let mut world = World::with_nodes(2);
    let refusal = rejection(world.remove_node(1, false));
    assert_eq!(refusal, Rejection::NodeLives("n1".to_owned()));
    assert!(refusal.to_string().contains("pinode node drain n1 --now"), "{refusal}");
}

#[test]
fn a_node_that_lives_and_has_nothing_of_ours_is_removed_by_force() {
    let mut world = World::with_nodes(2);
    world.submit("a", &[]);
    assert_eq!(rejection(world.remove_node(1, true)), Rejection::NodeBusy("n1".to_owned(), 1));
    world.drain(1, None);
    world.finish("a");
    assert_eq!(world.remove_node(1, true), Reply::Done);
    assert!(world.state.find_node(1).is_none());
}

#[test]
fn the_last_node_that_is_up_is_not_removed_by_whatever_force() {
    let mut world = World::with_nodes(2);
    world.lose(2);
    assert_eq!(rejection(world.remove_node(1, true)), Rejection::LastNode("n1".to_owned()));
}

#[test]
fn a_lost_node_is_removed_and_its_id_never_comes_back() {
    let mut world = World::with_nodes(2);
    world.lose(1);
    assert_eq!(world.remove_node(1, false), Reply::Done);
    assert_eq!(rejection(world.open(1, 2, facts("n1"))), Rejection::NodeRemoved);
    assert_eq!(world.open(9, 1, facts("n1")), Reply::Done, "the machine may come back with an empty disk");
}

#[test]
fn a_member_that_never_opened_a_session_is_removed_by_force() {
    let mut world = World::with_nodes(1);
    assert!(matches!(rejection(world.remove_node(9, false)), Rejection::NodeLives(_)));
    assert_eq!(world.remove_node(9, true), Reply::Done);
    assert_eq!(rejection(world.open(9, 1, facts("n9"))), Rejection::NodeRemoved);
}

#[test]
fn what_may_not_run_twice_has_failed_when_its_node_is_declared_gone() {
    let mut world = World::with_nodes(2);
    world.submit_spec(Spec { rerun: Rerun::Never, ..spec("a", &[]) });
    world.start("a");
    world.submit("b", &["container==a"]);
    world.lose(1);
    let refusal = rejection(world.remove_node(1, false));
    assert!(refusal.to_string().starts_with("how a ended on n1 is not known"), "{refusal}");
    world.remove_node(1, true);
    assert_eq!(world.failed("a"), (None, Some("its node was declared gone by an operator".to_owned())));
    assert_eq!(world.word("b"), "skipped");
}

#[test]
fn a_volume_of_a_removed_node_pins_nobody_any_more() {
    let mut world = World::with_nodes(2);
    let with_volume = |name: &str| Spec { local_volumes: ["dd".to_owned()].into(), ..spec(name, &[]) };
    world.submit_spec(with_volume("a"));
    world.finish("a");
    world.lose(1);
    world.submit_spec(with_volume("b"));
    assert_eq!(world.lacks("b")[1], "volume dd is on n1");
    world.remove_node(1, false);
    assert_eq!(world.node_of("b"), 2);
}

#[test]
fn a_disk_whose_name_was_taken_by_another_never_comes_back() {
    let mut world = World::with_nodes(2);
    world.lose(1);
    world.open(9, 1, facts("n1"));
    world.lose(9);
    assert_eq!(rejection(world.open(1, 2, facts("n1"))), Rejection::NodeRemoved);
}

#[test]
fn a_given_label_wins_over_the_node_s_own_until_it_is_taken_back() {
    let mut world = World::empty();
    world.open(1, 1, labelled("n1", &[("zone", "attic")]));
    let label = |world: &mut World, value: Option<&str>| {
        let request = world.request();
        let labels = [("zone".to_owned(), value.map(str::to_owned))].into();
        world.apply(Command::LabelNode { request, node: 1, labels })
    };
    world.submit_spec(bound("a", &["zone==cellar"]));
    assert_eq!(world.lacks("a"), ["constraint zone==cellar (it is attic)"]);
    assert_eq!(label(&mut world, Some("cellar")), Reply::Done);
    assert_eq!(world.word("a"), "claimed");
    world.open(1, 2, labelled("n1", &[("zone", "attic")]));
    assert_eq!(world.state.find_node(1).unwrap().label("zone"), Some("cellar"));
    label(&mut world, None);
    assert_eq!(world.state.find_node(1).unwrap().label("zone"), Some("attic"));
}

#[test]
fn settings_that_would_do_harm_are_refused_and_nothing_is_changed() {
    let mut world = World::with_nodes(1);
    let mut configure = |voters, replace_voter_after_ms| {
        let request = world.request();
        let reply = world.apply(Command::Configure { request, voters, replace_voter_after_ms });
        (reply, *world.state.settings())
    };
    for (voters, after) in [(Some(4), None), (Some(0), None), (Some(9), None), (Some(3), Some(10))] {
        let (reply, settings) = configure(voters, after);
        assert!(matches!(rejection(reply), Rejection::BadSetting(_)));
        assert_eq!(settings, Settings::default());
    }
    let set = Settings { voters: 7, replace_voter_after_ms: 60_000 };
    assert_eq!(configure(Some(7), Some(60_000)), (Reply::Done, set));
}
