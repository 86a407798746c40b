//! Who asks for work: chains, fan-ins by pattern, failures, retries, stops; from any node, until there is an answer, with
//! the same key each time.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `shape` | the pipelines that are asked for, and what must hold of them |
//! | `client` | asking until there is an answer |
//! | `day` | who asks for what, and when |

mod client;
mod day;
mod shape;

pub use client::Client;
pub use day::work;
