//! Log and vote in sled. Durable means: sled's buffers written, its file synced, the high-water mark synced, and only
//! then the callback. All who wait share one sync.

mod flusher;
pub mod high_water;
mod latency;
mod recover;
mod salvage;
mod store;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::time::Duration;

use futures_util::future::BoxFuture;

pub use flusher::{OnFatal, SyncFile};
pub use recover::{LogError, Recovered};
pub use salvage::{Salvaged, salvage};
pub use store::LogStore;

/// What a node asks of its log beyond what openraft asks.
pub trait Log: fmt::Debug + Send + Sync {
    /// Index of the last entry that was written, durable or not.
    fn last_index(&self) -> Option<u64>;
    /// After the last append of an orderly stop.
    fn close(&self) -> BoxFuture<'_, io::Result<()>>;
    /// What a sync takes, as 99 of 100 lately did; none while too few were seen.
    fn sync_p99(&self) -> Option<Duration>;
    /// Syncs a few times to nobody's use but this: what a sync takes on this disk.
    fn measure_sync(&self) -> BoxFuture<'_, io::Result<Duration>>;
}

impl Log for LogStore {
    fn last_index(&self) -> Option<u64> {
        self.recovered().last.map(|id| id.index)
    }

    fn close(&self) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(LogStore::close(self))
    }

    fn sync_p99(&self) -> Option<Duration> {
        LogStore::sync_p99(self)
    }

    fn measure_sync(&self) -> BoxFuture<'_, io::Result<Duration>> {
        Box::pin(LogStore::measure_sync(self))
    }
}
