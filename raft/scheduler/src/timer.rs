//! Deadlines. `apply` has no clock: a timer in the state is a duration, the leader runs it from applying the entry
//! that armed it and proposes `TimerFired`. A new leader starts it anew, so it may be late and is never early.

use serde::{Deserialize, Serialize};

use crate::id::{ContainerId, NodeId};

/// What is due when a timer fires. The numbers inside make an old timer harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Timer {
    /// A wait that never ends becomes a failure.
    WaitTimeout {
        /// Of whom.
        container: ContainerId,
        /// In which run.
        run: u32,
    },
    /// A retry or restart is due.
    Backoff {
        /// Of whom.
        container: ContainerId,
        /// After which attempt.
        attempt: u32,
    },
    /// An attempt has run too long.
    RunTimeout {
        /// Of whom.
        container: ContainerId,
        /// Which attempt.
        attempt: u32,
    },
    /// A node may be asked again.
    BarLifted {
        /// For whom.
        container: ContainerId,
        /// Which node.
        node: NodeId,
    },
    /// A `--rm` container that has ended goes.
    Remove {
        /// Who.
        container: ContainerId,
        /// In which run.
        run: u32,
    },
    /// What still runs on a draining node is stopped.
    DrainDeadline {
        /// Which node.
        node: NodeId,
        /// Index of the entry that began the drain.
        since: u64,
    },
}

impl Timer {
    /// The container that it concerns, if it is one.
    pub fn container(&self) -> Option<ContainerId> {
        match *self {
            Timer::WaitTimeout { container, .. }
            | Timer::Backoff { container, .. }
            | Timer::RunTimeout { container, .. }
            | Timer::BarLifted { container, .. }
            | Timer::Remove { container, .. } => Some(container),
            Timer::DrainDeadline { .. } => None,
        }
    }
}

/// First wait of a retry or a bar, in milliseconds; doubles to [`BACKOFF_MAX_MS`].
pub const BACKOFF_FIRST_MS: u64 = 10_000;
/// First wait of a restart by policy, in milliseconds; a service that ran for a while comes back at once.
pub const RESTART_FIRST_MS: u64 = 1_000;
/// Longest wait, in milliseconds.
pub const BACKOFF_MAX_MS: u64 = 360_000;
/// How long an ended `--rm` container stays by default, so that who waits for its code or reads its logs gets them.
pub const AUTO_REMOVE_MS: u64 = 10_000;

/// `first`, doubled `times` times, at most [`BACKOFF_MAX_MS`].
pub(crate) fn backoff_ms(first: u64, times: u32) -> u64 {
    first.saturating_mul(1_u64.checked_shl(times.min(32)).unwrap_or(u64::MAX)).min(BACKOFF_MAX_MS)
}
