//! Real nodes, seen from outside: what the failure tests, the stories in `tests/` and the benchmarks stand on.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `testbed` | machines with a Docker Engine and a pinode each, and the faults that can be done to them |
//! | `client` | the HTTP API as a stranger uses it: nothing of pinode's own code |
//! | `program` | the `pinode` command as a person types it |
//! | `scenario` | what is done to whom, and when |
//! | `workload`, `nemesis` | who asks for work, and who does harm |
//! | `witness`, `node`, `engine` | who looks: at all of it while it works, at one node, at one Docker Engine |
//! | `history` | what was asked, done and seen, as data |
//! | `model` | the protocol of claims, leases and fences, gone through exhaustively |
//! | `check` | judges: from a history to what it violates |
//! | `report` | what people see of it |
//! | `media` | films, made and counted |
//! | `random`, `moment` | numbers from a seed; moments as numbers |
//! | `background`, `interrupt`, `wait` | threads that end with the run; Ctrl-C; waits that have an end |
//! | `progress` | steps, told as they happen |
//! | `simulated` | flags and last lines of what `pinode-sim` runs and judges |
//! | `cli`, `command` | the command line, and its exit codes |
//!
//! A scenario does, a witness sees, a history keeps, judges judge: the arrows point one way, and a judge can reach
//! nothing but the history.
//!
//! Nothing here may use the crates that it judges: a harness that shares code with the system shares its bugs. The one
//! exception has a crate of its own: `pinode-sim` runs pinode's nodes in a simulation, and hands back counts and
//! sentences, so that no type of pinode's can get in here.

mod background;
mod check;
pub mod cli;
pub mod client;
pub mod command;
mod engine;
mod history;
mod interrupt;
pub mod media;
mod model;
mod moment;
mod nemesis;
mod node;
pub mod program;
mod progress;
mod random;
mod report;
mod scenario;
pub mod simulated;
pub mod testbed;
mod wait;
mod witness;
mod workload;

pub use client::{Answer, Client};
pub use program::{Printed, Program};
pub use testbed::Testbed;
