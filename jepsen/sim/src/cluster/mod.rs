//! Simulated machines, each with pinode's own node on it.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `machine` | one machine: what outlives its processes, and the process that runs |
//! | `doors` | where clients come in |
//! | `all` | all machines, and what can be done to them |
//! | `watch` | looks at all nodes while they work |

mod all;
mod doors;
mod machine;
mod watch;

pub use all::Cluster;
pub use machine::{FOREIGN, Machine};
