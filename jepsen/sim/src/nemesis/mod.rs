//! Who does harm, one kind a file. Each takes the machines that it needs, so that no two have hold of one machine, and
//! gives them back when its harm is over.
//!
//! | room | what is done |
//! | --- | --- |
//! | `crash` | a process is killed, a machine or all of them lose their power; what was not synced is lost |
//! | `pause` | a process stands still, and does not know it |
//! | `leave` | a process is told to leave |
//! | `partition` | halves, one alone (also until its lease is over), one direction only, a ring, the leader alone |
//! | `weather` | slow, lossy, frames twice and out of order |
//! | `disk` | slow syncs, a failing sync, an empty disk, an old copy of a disk |
//! | `engine` | an engine ends, restarts, hangs, kills slowly, loses events and answers; somebody kills a container by hand |
//! | `clock` | wall clocks jump, boot clocks run too fast or too slow |
//! | `snapshot` | a snapshot is made and the log before it thrown away |

mod clock;
mod crash;
mod disk;
mod engine;
mod leave;
mod partition;
mod pause;
mod schedule;
mod snapshot;
mod weather;

pub use clock::{Rates, TRUE_RATES, strain};
pub use schedule::{EVERYTHING, Harm, cut_at_first, harm, mend};

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::cluster::Cluster;
use crate::random::Random;

/// What a nemesis has to work with.
pub(crate) struct Hand {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) random: Random,
}

impl Hand {
    /// A machine whose process runs and that nobody else has, taken.
    async fn victim(&mut self) -> Option<usize> {
        let mut all: Vec<usize> = (0..self.cluster.count()).collect();
        self.random.shuffle(&mut all);
        for number in all {
            if self.cluster.take(number) {
                if self.cluster.machine(number).await.is_up() {
                    return Some(number);
                }
                self.cluster.give_back(number);
            }
        }
        None
    }

    /// It took place.
    fn done(&self, what: std::fmt::Arguments<'_>) {
        self.cluster.history().faults += 1;
        self.cluster.trace.event(format_args!("FAULT {what}"));
    }

    async fn wait(&mut self, from_ms: u64, to_ms: u64) {
        sleep(Duration::from_millis(self.random.between(from_ms, to_ms))).await;
    }
}
