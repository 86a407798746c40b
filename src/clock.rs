//! The only place that reads time. Leases count on CLOCK_BOOTTIME (it goes on while the machine sleeps and no
//! operator can set it); wall time is for display and never decides anything. In a simulation both are the simulated
//! machine's.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pinode_raft::host;
use pinode_scheduler::mutant::{self, Mutant};
use rustix::time::{ClockId, clock_gettime};

/// A moment on CLOCK_BOOTTIME: comparable only within one boot of one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Moment {
    /// So long after the boot of the machine.
    pub fn after_boot(since: Duration) -> Moment {
        Moment(since)
    }

    /// How long after the boot of the machine.
    pub fn since_boot(self) -> Duration {
        self.0
    }

    /// How long ago `earlier` was; zero when it is in the future.
    pub fn since(self, earlier: Moment) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// How long from here until `later`; zero when that has passed.
    pub fn until(self, later: Moment) -> Duration {
        later.0.saturating_sub(self.0)
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Moment;

    fn add(self, by: Duration) -> Moment {
        Moment(self.0.saturating_add(by))
    }
}

/// Now, on CLOCK_BOOTTIME.
pub fn now() -> Moment {
    if let Some(host) = host::current() {
        let wrong = mutant::is(Mutant::LeasesOnWallClock);
        return Moment(if wrong { host.wall() } else { host.boottime() });
    }
    let t = clock_gettime(ClockId::Boottime);
    Moment(Duration::new(t.tv_sec.unsigned_abs(), u32::try_from(t.tv_nsec).unwrap_or(0)))
}

/// How long ago a file's time was, by the wall clock; none if it is still to come.
pub fn since_wall(at: SystemTime) -> Option<Duration> {
    Duration::from_millis(wall_ms()).checked_sub(at.duration_since(UNIX_EPOCH).ok()?)
}

/// Wall time in milliseconds since 1970, for display.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn wall_ms() -> u64 {
    let since = match host::current() {
        Some(host) => host.wall(),
        None => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
    };
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
