//! Node to node: framed TCP, bincode inside, a hello before anything else. Heartbeats and votes, appends, snapshots and
//! everything else have connections of their own, so that a snapshot never delays a heartbeat.

mod connection;
mod network;
mod peers;
mod server;
pub mod wire;

pub use connection::CallError;
pub use network::Network;
pub use peers::{Greeting, Peers};
pub use server::{Core, Services, serve};
