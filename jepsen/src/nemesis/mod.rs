//! Who does harm, one kind a file. Each says what it did as a fault of the history: done, not tried, or perhaps half
//! done; and each knows how to undo it.
//!
//! | room | what is done |
//! | --- | --- |
//! | `ground` | where: machines, and which of their pinodes somebody holds down |
//! | `harm` | one piece of harm, and its healing |
//! | `power` | power cuts, blackouts, boots with another boot clock |
//! | `kill`, `pause` | kill -9, SIGTERM and SIGSTOP of pinode; SIGSTOP of engines |
//! | `engine` | engines killed and stopped, shims killed |
//! | `wire` | rules in the machines' networks |
//! | `partition`, `one_way`, `loss` | who hears whom, and how much of it |
//! | `link` | packets late, twice, and out of order |
//! | `wall` | wall clocks that jump |
//! | `disk`, `disk_full`, `disk_slow`, `disk_fail` | disks of their own, and what can happen to them |
//! | `wipe` | what a node has stored, deleted |
//! | `members` | drained, added, removed |

pub mod disk;
pub mod disk_fail;
pub mod disk_full;
pub mod disk_slow;
pub mod engine;
mod ground;
mod harm;
pub mod kill;
pub mod link;
pub mod loss;
pub mod members;
pub mod one_way;
pub mod partition;
pub mod pause;
pub mod power;
pub mod wall;
pub mod wipe;
mod wire;

pub use ground::Ground;
pub use harm::Harm;
