//! Docker's own API over the whole cluster, the same on every node: whatever node is asked, there is one list of
//! containers, those included that exist on no engine yet. What concerns one container that runs is streamed through to
//! the engine of its node; what concerns all is asked of every engine and put together; what to start, and where, goes
//! into the log like every other submit.

mod archive;
mod attach;
mod create;
mod engine;
mod error;
mod events;
mod exec;
mod face;
mod filters;
mod front;
mod images;
mod inspect;
mod lifecycle;
mod list;
mod logs;
mod networks;
mod params;
mod reach;
mod refused;
mod request;
mod routes;
mod stats;
mod system;
mod target;
mod update;
mod version;
mod volumes;
mod wait;
mod words;

#[cfg(test)]
mod tests;

pub use events::{EventLog, record};
pub use face::{Face, FaceConfig};
pub use front::front;
pub use routes::for_nodes;
pub use version::{ANNOUNCED, NoVersion, OLDEST, Version};
