//! The protocol holds, and none of its guards can be left out: for each there are steps to what it protects from.

use super::property::{AT_ONCE, CONDEMNED, DEAD, HEARD, NEVER_ONCE, NO_OVERLAP, ONE_START, SUCCESS};
use super::protocol::{Bounds, Mutant, Protocol, Rerun};
use super::run::{explore, worlds};

/// What breaks without it, in which world, and how many faults that takes.
fn breaks(guard: Mutant) -> (&'static str, Rerun, u8) {
    match guard {
        Mutant::NotCondemned => (CONDEMNED, Rerun::Fenced, 1),
        Mutant::LeaseFromAnswer => (NO_OVERLAP, Rerun::Fenced, 1),
        Mutant::ImpatientLeader => (NO_OVERLAP, Rerun::Fenced, 2),
        Mutant::NoQuorumAsked => (NO_OVERLAP, Rerun::Fenced, 2),
        Mutant::LostWithoutKill => (NO_OVERLAP, Rerun::Fenced, 1),
        Mutant::ClocksAgree => (NO_OVERLAP, Rerun::Fenced, 1),
        Mutant::LossOutlivesReign => (NO_OVERLAP, Rerun::Fenced, 3),
        Mutant::GrantOutlivesReign => (NO_OVERLAP, Rerun::Fenced, 2),
        Mutant::NewSessionUnheard => (AT_ONCE, Rerun::Fenced, 1),
        Mutant::NoFence => (NO_OVERLAP, Rerun::Fenced, 1),
        Mutant::PatienceAnew => (NO_OVERLAP, Rerun::Fenced, 1),
        Mutant::FenceOnlyRunning => (NO_OVERLAP, Rerun::Fenced, 1),
        Mutant::AnySession => (NO_OVERLAP, Rerun::Fenced, 1),
        Mutant::StartWithoutLease => (NO_OVERLAP, Rerun::Fenced, 1),
        Mutant::IntentInMemory => (ONE_START, Rerun::Fenced, 1),
        Mutant::StartAgain => (ONE_START, Rerun::Fenced, 0),
        Mutant::ArbiterByForce => (NEVER_ONCE, Rerun::Never, 0),
        Mutant::GivenUpInMemory => (NO_OVERLAP, Rerun::Fenced, 2),
        Mutant::KillIsSuccess => (SUCCESS, Rerun::Fenced, 1),
        Mutant::AttemptUnchecked => (DEAD, Rerun::Fenced, 1),
        Mutant::DeclineRefused => (HEARD, Rerun::Never, 2),
        Mutant::NeverIsLost => (NEVER_ONCE, Rerun::Never, 1),
        Mutant::NoGuard => (NO_OVERLAP, Rerun::Fenced, 1),
    }
}

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
    let mut wrong = Vec::new();
    for guard in Mutant::ALL {
        let (property, rerun, faults) = breaks(guard);
        let bounds = Bounds { faults, ..Bounds::short([rerun, rerun]) };
        let found = explore(Protocol { bounds, without: Some(guard) }, |_, _| Ok(())).unwrap();
        if !found.violations.iter().any(|(violated, steps)| *violated == property && !steps.is_empty()) {
            wrong.push((guard, found.violations));
        }
    }
    assert_eq!(wrong, []);
}
