//! What the nodes stand on here, in the place of what they stand on elsewhere.
//!
//! | room | in the place of |
//! | --- | --- |
//! | `process` | a process of the kernel: it runs, is held, is gone; and the clocks of its machine |
//! | `net` | TCP between machines: slow, lossy, cut in one direction or both |
//! | `pipe` | one connection of it |
//! | `disk` | the log's disk: what was not synced is lost when the power goes |
//! | `trace` | everything that happened, in order, and the digest of it |

mod disk;
mod net;
mod pipe;
mod process;
mod trace;

pub use disk::{Disk, DiskLog, Kind};
pub use net::{Net, Weather};
pub use process::{Clock, Process};
pub use trace::{Told, Trace};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A seed runs on one thread: nobody ever waits for such a lock, and nobody holds one across an await.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
