//! Leases and fencing: the only failure detector. A node acts while a quorum has confirmed its session within the
//! lease; the leader declares a session lost only when the node's authority has certainly run out.

mod keeper;
mod lease;
mod record;
mod watchdog;

use std::time::Duration;

pub use keeper::Keeper;
pub use lease::{Lease, keep_renewing};
use pinode_scheduler::later::Pace;
pub use record::Record;
pub use watchdog::Watchdog;

/// How long the node and the leader wait for each other. All nodes of a cluster must have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// L: how long a node may act without hearing from a quorum.
    pub lease: Duration,
    /// K: how long a fence may take.
    pub kill: Duration,
    /// M: for what nobody thought of.
    pub margin: Duration,
    /// How long without a renewal until no new claims are given.
    pub suspect: Duration,
    /// How long good renewals until claims are given again.
    pub trust: Duration,
}

impl Timing {
    /// L = 10 s, K = 5 s, M = 2 s.
    pub const DEFAULT: Timing = Timing {
        lease: Duration::from_secs(10),
        kill: Duration::from_secs(5),
        margin: Duration::from_secs(2),
        suspect: Duration::from_secs(3),
        trust: Duration::from_secs(5),
    };

    /// All numbers scaled so that the lease is `lease`; tests have no seventeen seconds.
    pub fn scaled(lease: Duration) -> Timing {
        let by = lease.as_secs_f64() / Self::DEFAULT.lease.as_secs_f64();
        let scale = |duration: Duration| duration.mul_f64(by);
        Timing {
            lease,
            kill: scale(Self::DEFAULT.kill),
            margin: scale(Self::DEFAULT.margin),
            suspect: scale(Self::DEFAULT.suspect),
            trust: scale(Self::DEFAULT.trust),
        }
    }

    /// The same with the lease that the cluster's pace asks for, where it is longer.
    pub fn paced(self, pace: Pace) -> Timing {
        Timing { lease: self.lease.max(Duration::from_millis(pace.lease_ms.into())), ..self }
    }

    /// R: between two renewals. A tenth of the lease, not a quarter: with L/4 = 2.5 s a renewal that is half a second
    /// late would make the leader suspect a healthy node (after 3 s), and write two entries on an idle cluster.
    pub fn renew_every(&self) -> Duration {
        self.lease / 10
    }

    /// (L+K+M)·(1+2ρ) with ρ = 1 %: no earlier after the last renewal is a session lost.
    pub fn lost_after(&self) -> Duration {
        self.lost_after_acting_for(self.lease)
    }

    /// The same for a node whose containers go on for `grace` after it left.
    pub fn lost_after_acting_for(&self, grace: Duration) -> Duration {
        (grace + self.kill + self.margin).mul_f64(1.02)
    }
}
