//! pinode's own nodes, whole but for disk, wires, clock and engine, in one process, under virtual time: whatever a seed
//! chooses to do to them happens the same way each time.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `random` | numbers from the seed |
//! | `world` | what nodes stand on: processes and clocks, network, disk |
//! | `cluster` | machines with pinode's node on each |
//! | `nemesis` | who does harm, one kind a file |
//! | `workload` | who asks for work |
//! | `history` | what is noted meanwhile, outside of the nodes |
//! | `check` | judges, one property a file |
//! | `scene` | what goes wrong in a run |
//! | `run` | one seed, from the first start to the verdict |
//! | `seeds` | many of them |
//! | `mutants` | planted bugs, each looked for until a judge catches it |
//!
//! This crate uses the code that it tests, whole and unchanged; its judges look at nothing of it but names and words.
//! `pinode-jepsen`, which looks at real nodes from outside, calls it and gets back counts and sentences.

mod check;
mod cluster;
mod endurance;
mod history;
#[cfg(feature = "mutants")]
pub mod mutants;
mod nemesis;
mod random;
mod run;
mod scene;
mod seeds;
mod workload;
mod world;

pub use endurance::{Held, endure};
pub use nemesis::{Harm, Rates, TRUE_RATES};
pub use pinode_scheduler::mutant::Mutant;
pub use run::{Outcome, Plan, run};
pub use scene::Scene;
pub use seeds::{Sum, seeds};
pub use world::Told;
