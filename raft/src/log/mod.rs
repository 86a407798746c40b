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

pub use flusher::{OnFatal, SyncFile};
pub use recover::{LogError, Recovered};
pub use salvage::{Salvaged, salvage};
pub use store::LogStore;
