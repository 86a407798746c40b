//! Real nodes, seen from outside: what the failure tests, the stories in `tests/` and the benchmarks stand on.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `testbed` | machines with a Docker Engine and a pinode each, and the faults that can be done to them |
//! | `client` | the HTTP API as a stranger uses it: nothing of pinode's own code |
//! | `program` | the `pinode` command as a person types it |
//!
//! Nothing here may use the crates that it judges: a harness that shares code with the system shares its bugs.

pub mod client;
pub mod program;
pub mod testbed;

pub use client::{Answer, Client};
pub use program::{Printed, Program};
pub use testbed::Testbed;
