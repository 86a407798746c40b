//! The same request never makes a second container.

use pinode_scheduler::command::{Command, Missing, NewContainer};
use pinode_scheduler::{Rejection, Reply, Request, RequestKey};

use crate::world::{World, id_of, rejection, spec};

fn submit(key: &str, body: u8, name: &str) -> Command {
    let request = Request { key: RequestKey(key.to_owned()), body: [body; 32] };
    let containers = vec![NewContainer { id: id_of(name), spec: spec(name, &[]), held: false }];
    Command::Submit { request, pipeline: None, containers, missing: Missing::Wait }
}

#[test]
fn a_repeated_request_gets_the_first_answer_and_changes_nothing() {
    let mut world = World::with_nodes(1);
    let first = world.apply(submit("k", 1, "a"));
    world.finish("a");
    assert_eq!(world.apply(submit("k", 1, "a")), first);
    assert_eq!(world.said(), Vec::<String>::new());
    world.remove("a", false);
    assert_eq!(world.apply(submit("k", 1, "a")), first);
    assert!(world.state.find_named("a").is_none());
}

#[test]
fn the_same_key_with_another_body_is_refused() {
    let mut world = World::with_nodes(1);
    world.apply(submit("k", 1, "a"));
    assert_eq!(rejection(world.apply(submit("k", 2, "b"))), Rejection::KeyReused("k".to_owned()));
}

#[test]
fn a_refused_request_may_be_sent_again() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    assert!(matches!(world.apply(submit("k", 1, "a")), Reply::Rejected(_)));
    world.remove("a", true);
    world.outcome("a", pinode_scheduler::Outcome::Cancelled { code: None });
    assert!(matches!(world.apply(submit("k", 1, "a")), Reply::Submitted(_)));
}

#[test]
fn requests_are_forgotten_by_an_entry_and_not_before_a_day_and_many_others() {
    let mut world = World::with_nodes(1);
    world.apply(submit("k", 1, "a"));
    let last = world.state.applied();
    let tomorrow = 86_400_000 + 1_000_000;
    assert_eq!(world.state.forgettable_requests(tomorrow, 1), None);
    assert_eq!(world.state.forgettable_requests(1000, 0), None);
    assert_eq!(world.state.forgettable_requests(tomorrow, 0), Some(last));
    world.apply(Command::ForgetRequests { up_to: last });
    assert!(matches!(world.apply(submit("k", 2, "b")), Reply::Submitted(_)));
}
