//! The protocol holds, and none of its guards can be left out: for each there are steps to what it protects from.

use clap::ValueEnum;

use super::protocol::Mutant;
use super::run::{explore, worlds};

#[test]
fn the_protocol_holds_in_all_small_worlds_and_everything_that_should_happen_does() {
    for protocol in worlds(false) {
        let found = explore(protocol, |_, _| Ok(())).unwrap();
        assert_eq!(found.violations, [], "{:?}", protocol.bounds.rerun);
        assert_eq!(found.missing, [""; 0], "{:?}", protocol.bounds.rerun);
    }
}

#[test]
fn no_guard_of_the_protocol_can_be_left_out() {
    let breaks = |guard: Mutant| {
        let found = explore(guard.world(), |_, _| Ok(())).unwrap();
        let broken = found.violations.iter().find(|(property, _)| *property == guard.breaks().0);
        broken.is_some_and(|(_, steps)| !steps.is_empty())
    };
    let idle: Vec<&Mutant> = Mutant::value_variants().iter().filter(|guard| !breaks(**guard)).collect();
    assert_eq!(idle, [&Mutant::NoFence; 0]);
}
