//! A process of pinode on a simulated machine, and the clocks of that machine.

use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use pinode_raft::host::{Host, Standing};
use tokio::time::Instant;

use super::lock;
use crate::random::Random;

/// 2026-01-01: when every simulation begins, since 1970.
const BEGAN: Duration = Duration::from_secs(1_767_225_600);
/// How long a machine has been up when a simulation begins.
const UP: Duration = Duration::from_secs(1_000);

/// The clocks of a machine.
#[derive(Debug)]
pub struct Clock {
    began: Instant,
    /// At this moment the boot clock showed that, and from then on it runs at this rate.
    since: Instant,
    shown: Duration,
    rate: f64,
    /// How far the wall clock is off, in milliseconds.
    wall_off_ms: i64,
}

impl Clock {
    /// Right, and running at the right rate.
    pub fn new() -> Clock {
        let now = Instant::now();
        Clock { began: now, since: now, shown: UP, rate: 1.0, wall_off_ms: 0 }
    }

    /// CLOCK_BOOTTIME.
    pub fn boottime(&self) -> Duration {
        self.shown + self.since.elapsed().mul_f64(self.rate)
    }

    /// From now on it runs at this rate; 1.0 is right.
    pub fn run_at(&mut self, rate: f64) {
        (self.shown, self.since) = (self.boottime(), Instant::now());
        self.rate = rate;
    }

    /// Somebody sets the wall clock.
    pub fn set_wall_off(&mut self, ms: i64) {
        self.wall_off_ms = ms;
    }

    fn wall(&self) -> Duration {
        let true_ms = i64::try_from((BEGAN + self.began.elapsed()).as_millis()).unwrap_or(i64::MAX);
        Duration::from_millis(true_ms.saturating_add(self.wall_off_ms).unsigned_abs())
    }
}

/// A process. It is held and let go, and it ends once.
pub struct Process {
    clock: Arc<Mutex<Clock>>,
    random: Mutex<Random>,
    state: Mutex<(Standing, Vec<Waker>)>,
}

impl Process {
    /// One that runs.
    pub fn new(clock: Arc<Mutex<Clock>>, random: Random) -> Arc<Process> {
        let state = Mutex::new((Standing::Runs, Vec::new()));
        Arc::new(Process { clock, random: Mutex::new(random), state })
    }

    /// Stops it where it is.
    pub fn hold(&self) {
        let mut state = lock(&self.state);
        if state.0 == Standing::Runs {
            state.0 = Standing::Held;
        }
    }

    /// Lets it go on.
    pub fn release(&self) {
        let mut state = lock(&self.state);
        if state.0 == Standing::Held {
            state.0 = Standing::Runs;
        }
        state.1.drain(..).for_each(Waker::wake);
    }

    /// Ends it at once, wherever its tasks are.
    pub fn end(&self) {
        let mut state = lock(&self.state);
        state.0 = Standing::Gone;
        state.1.drain(..).for_each(Waker::wake);
    }

    /// Where it stands.
    pub fn is(&self) -> Standing {
        lock(&self.state).0
    }
}

impl Host for Process {
    fn standing(&self, waker: &Waker) -> Standing {
        let mut state = lock(&self.state);
        if state.0 == Standing::Held {
            state.1.push(waker.clone());
        }
        state.0
    }

    fn boottime(&self) -> Duration {
        lock(&self.clock).boottime()
    }

    fn wall(&self) -> Duration {
        lock(&self.clock).wall()
    }

    fn random(&self) -> u64 {
        lock(&self.random).next()
    }
}
