//! Log and vote in sled. Durable means: sled's buffers written, its file synced, the high-water mark synced, and only
//! then the callback. All who wait share one sync.

mod flusher;
pub mod high_water;
mod recover;
mod store;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;

use futures_util::future::BoxFuture;

pub use flusher::OnFatal;
pub use recover::{LogError, Recovered};
pub use store::LogStore;

/// What a node asks of its log beyond what openraft asks.
pub trait Log: fmt::Debug + Send + Sync {
    /// Index of the last entry that was written, durable or not.
    fn last_index(&self) -> Option<u64>;
    /// After the last append of an orderly stop.
    fn close(&self) -> BoxFuture<'_, io::Result<()>>;
}

impl Log for LogStore {
    fn last_index(&self) -> Option<u64> {
        self.recovered().last.map(|id| id.index)
    }

    fn close(&self) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(LogStore::close(self))
    }
}
