//! Threads beside the scenario. They end with it, whatever ends it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use crate::interrupt;

/// Longest time until a stopped thread notices.
const NOTICE: Duration = Duration::from_millis(50);

/// Told to a thread: whether it shall end.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// It shall; also when the whole program shall.
    pub fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed) || interrupt::check().is_err()
    }

    /// Sleeps so long, or until it shall end.
    pub fn sleep(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while !self.is_wanted() && Instant::now() < until {
            sleep(NOTICE.min(until.saturating_duration_since(Instant::now())));
        }
    }
}

/// Threads that are told to end, and waited for, when this is dropped.
#[derive(Debug, Default)]
pub struct Background {
    stop: Stop,
    threads: Vec<JoinHandle<()>>,
}

impl Background {
    /// One more.
    pub fn run(&mut self, work: impl FnOnce(&Stop) + Send + 'static) {
        let stop = self.stop.clone();
        self.threads.push(spawn(move || work(&stop)));
    }

    /// Whether all of them have ended by themselves.
    pub fn has_ended(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop.0.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so itself; what it did not bring is missed by who collects it.
            drop(thread.join());
        }
    }
}
