//! Many seeds, a thread each, so many at once as there are processors.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::run::{Outcome, Plan, run};
use crate::world::lock;

/// What came of many seeds.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    /// Seeds that were run.
    pub seeds: u64,
    /// Simulated time in all.
    pub length: Duration,
    /// Faults in all.
    pub faults: u64,
    /// Containers that ended, in all.
    pub ended: u64,
    /// Seed and sentence.
    pub violations: Vec<(u64, String)>,
}

/// Runs `plan` with each of the seeds; `told` hears each outcome as it comes. With `twice`, each is run a second time, and
/// a trace that differs is a violation.
pub fn seeds(
    plan: &Plan,
    seeds: std::ops::Range<u64>,
    twice: bool,
    told: impl Fn(&Outcome) + Sync,
) -> anyhow::Result<Sum> {
    let next = AtomicU64::new(seeds.start);
    let sum = Mutex::new(Sum::default());
    let failed = Mutex::new(None);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || lock(&failed).is_some() {
                        return;
                    }
                    match one(plan, seed, twice) {
                        Ok(outcome) => {
                            told(&outcome);
                            lock(&sum).add(outcome);
                        }
                        Err(error) => {
                            lock(&failed).get_or_insert(error.context(format!("run seed {seed}")));
                        }
                    }
                }
            });
        }
    });
    match failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(sum.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)),
    }
}

/// On a thread of its own: whatever a thread keeps to itself is as new for each seed.
fn one(plan: &Plan, seed: u64, twice: bool) -> anyhow::Result<Outcome> {
    let plan = Plan { seed, ..plan.clone() };
    let fresh = || thread::scope(|scope| scope.spawn(|| run(&plan)).join());
    let panicked = |_| anyhow::anyhow!("it panicked");
    let mut first = fresh().map_err(panicked)??;
    if twice {
        let second = fresh().map_err(panicked)??;
        if second.digest != first.digest {
            first
                .violations
                .push(format!("same: the first trace is {}, the second {}", first.digest, second.digest));
        }
    }
    Ok(first)
}

impl Sum {
    fn add(&mut self, outcome: Outcome) {
        let Outcome { seed, length, faults, ended, violations, .. } = outcome;
        self.seeds += 1;
        self.length += length;
        self.faults += faults;
        self.ended += ended as u64;
        self.violations.extend(violations.into_iter().map(|sentence| (seed, sentence)));
    }
}
