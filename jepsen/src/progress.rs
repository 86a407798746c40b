//! What happens, told while it happens: one line a step, with the seconds since the run began.

use std::time::{Duration, Instant};

/// Tells steps on standard error.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    began: Instant,
}

impl Progress {
    /// From now on.
    pub fn begin() -> Progress {
        Progress { began: Instant::now() }
    }

    /// A step.
    pub fn step(&self, text: &str) {
        eprintln!("[{:3}s] {text}", self.elapsed().as_secs());
    }

    /// Since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}
