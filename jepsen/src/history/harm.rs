//! What was done to the machines.

use serde::{Deserialize, Serialize};

/// Harm, and its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// What.
    pub what: FaultKind,
    /// To which node.
    pub node: String,
    /// Before it was begun.
    pub began_ns: u64,
    /// After it was in place.
    pub ended_ns: u64,
    /// Whether it took place.
    pub outcome: FaultOutcome,
    /// For people: why there, or why not.
    pub note: String,
}

/// Kinds of harm, and what mends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultKind {
    /// Engine, containers and pinode of a machine end in one instant.
    Cut,
    /// The machine boots, its engine and its pinode with it.
    Power,
}

/// Whether harm took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultOutcome {
    /// It did.
    Installed,
    /// It was not tried.
    Skipped,
    /// It was tried and failed: perhaps half of it took place.
    Indeterminate,
}
