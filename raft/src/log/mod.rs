//! Log and vote in sled. Durable means: sled's buffers written, its file synced, the high-water mark synced, and only
//! then the callback. All who wait share one sync.

mod flusher;
pub mod high_water;
pub mod latency;
mod portion;
mod recover;
mod salvage;
pub(crate) mod sled_file;
mod store;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::codec::{LogIdV1, VoteV1};

pub use flusher::{OnFatal, SyncFile};
pub use recover::{LogError, Recovered};
pub use salvage::{Salvaged, salvage};
pub use store::LogStore;

/// What a node asks of its log beyond what openraft asks.
pub trait Log: fmt::Debug + Send + Sync {
    /// The last entry that was written, durable or not.
    fn last(&self) -> Option<LogIdV1>;
    /// The vote that was given last.
    fn vote(&self) -> Option<VoteV1>;
    /// After the last append of an orderly stop.
    fn close(&self) -> BoxFuture<'_, io::Result<()>>;
    /// What a sync takes, as 99 of 100 lately did; none while too few were seen.
    fn sync_p99(&self) -> Option<Duration>;
    /// Syncs a few times to nobody's use but this: what a sync takes on this disk.
    fn measure_sync(&self) -> BoxFuture<'_, io::Result<Duration>>;
}

impl Log for LogStore {
    fn last(&self) -> Option<LogIdV1> {
        self.recovered().last
    }

    fn vote(&self) -> Option<VoteV1> {
        self.recovered().vote
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
