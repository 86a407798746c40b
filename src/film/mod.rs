//! The job that pinode was made for: a film is cut at key frames, its parts are encoded side by side, merged and
//! checked. All of it is one ordinary pipeline of containers; this room takes films in and hands them out.

mod accept;
mod act;
mod library;
mod partial;
mod pieces;
mod pipeline;
mod probe;
mod range;
mod routes;
mod upload;

pub use library::Films;
pub use routes::{for_nodes, routes};
