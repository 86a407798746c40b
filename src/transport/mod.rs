//! Node to node: framed TCP, bincode inside, a hello before anything else. Heartbeats and votes, entries, snapshots and
//! everything else have connections of their own, so that a snapshot never delays a heartbeat.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`wire`] | every type that travels, and the frames they travel in |
//! | `mirror` | openraft's messages as types of our own |
//! | `greeting` | the hello: what this node says of itself, how it judges others |
//! | `socket` | what it all travels on: TCP, or a simulation's wires |
//! | `dial` | the way to another node, and the handshake |
//! | `connection` | the dialling end of one connection |
//! | `peers` | all of these |
//! | `network` | openraft's view of them |
//! | `server` | the listening end |
//! | `raft_end` | what another node's openraft asks ours |
//! | `tunnel` | HTTP from node to node, on a connection of this kind |
//!
//! It must never let a node of another cluster, a disk that is an old copy, or another node than the one that was meant
//! exchange a Raft message with this one; and never panic over what arrives.

mod connection;
mod dial;
mod greeting;
mod mirror;
mod network;
mod peers;
mod raft_end;
mod server;
mod socket;
mod tunnel;
pub mod wire;

pub use connection::CallError;
pub use greeting::Greeting;
pub use network::Network;
pub use peers::Peers;
pub use server::{Core, Services, serve};
pub use socket::{Bytes, Listens, Socket, Tcp, Wires};
pub use tunnel::Tunnel;
