//! The protocol of claims, leases and fences, gone through exhaustively.

mod action;
mod attempt;
mod explore;
mod lease;
mod log;
mod missing;
mod process;
mod property;
mod protocol;
mod run;
#[cfg(test)]
mod tests;
mod world;

pub use protocol::Mutant;
pub use run::run;
