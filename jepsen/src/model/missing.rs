//! What breaks without each guard, and in how small a world.

use super::property::{AT_ONCE, CONDEMNED, DEAD, HEARD, NEVER_ONCE, NO_OVERLAP, ONE_START, SUCCESS};
use super::protocol::{Bounds, Mutant, Protocol, Rerun};

impl Mutant {
    /// What breaks without it, for containers of which policy, and how many faults that takes.
    pub fn breaks(self) -> (&'static str, Rerun, u8) {
        match self {
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

    /// The world in which that is seen.
    pub fn world(self) -> Protocol {
        let (_, rerun, faults) = self.breaks();
        Protocol { bounds: Bounds { faults, ..Bounds::short([rerun, rerun]) }, without: Some(self) }
    }
}
