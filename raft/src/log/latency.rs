//! How long syncs take: what elections must wait for. The latest are kept, and of these nearly the longest counts.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Syncs that are remembered. On a busy node seconds, on an idle one days.
const KEPT: usize = 256;
/// With fewer there is no percentile: one hiccup is no disk's pace.
const NEEDED: usize = 32;

/// The latest syncs.
#[derive(Debug, Default)]
pub struct Latency {
    took: Mutex<VecDeque<Duration>>,
}

impl Latency {
    /// A sync took so long.
    pub fn note(&self, took: Duration) {
        let mut all = self.took();
        if all.len() == KEPT {
            all.pop_front();
        }
        all.push_back(took);
    }

    /// 99 of 100 took no longer; none while too few are known.
    pub fn p99(&self) -> Option<Duration> {
        let mut all: Vec<Duration> = self.took().iter().copied().collect();
        if all.len() < NEEDED {
            return None;
        }
        let at = (all.len() * 99).div_ceil(100).saturating_sub(1);
        Some(*all.select_nth_unstable(at).1)
    }

    /// The latest but the slowest of so many: one hiccup does not count.
    pub fn usual(&self, of: usize) -> Duration {
        let mut latest: Vec<Duration> = self.took().iter().rev().take(of).copied().collect();
        latest.sort_unstable();
        latest.pop();
        latest.pop().unwrap_or_default()
    }

    fn took(&self) -> MutexGuard<'_, VecDeque<Duration>> {
        self.took.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_sync_in_many_is_no_slow_disk_and_a_few_are_no_disk_at_all() {
        let latency = Latency::default();
        let ms = Duration::from_millis;
        for _ in 1..NEEDED {
            latency.note(ms(300));
        }
        assert_eq!(latency.p99(), None);
        assert_eq!(latency.usual(3), ms(300));
        for _ in 0..KEPT {
            latency.note(ms(2));
        }
        latency.note(ms(900));
        assert_eq!(latency.p99(), Some(ms(2)));
        assert_eq!(latency.usual(3), ms(2));
        for _ in 0..4 {
            latency.note(ms(300));
        }
        assert_eq!(latency.p99(), Some(ms(300)));
    }
}
