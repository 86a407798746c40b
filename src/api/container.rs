//! A container as people read it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A container as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Container {
    /// 64 hex digits.
    pub id: String,
    /// Full name.
    pub name: String,
    /// Its pipeline.
    pub pipeline: Option<String>,
    /// Image.
    pub image: String,
    /// Plain word.
    pub state: String,
    /// Its terms.
    pub waitfor: Vec<WaitTerm>,
    /// For what is blocked: what is unmet, as `ps` prints it.
    pub waits_for: Vec<String>,
    /// Number of the latest attempt; 0 before the first.
    pub attempt: u32,
    /// Name of the node that has or had it.
    pub node: Option<String>,
    /// Its code.
    pub exit_code: Option<i64>,
    /// Why it failed or was skipped.
    pub cause: Option<String>,
    /// The leader's time at the submit.
    pub created_at: String,
    /// The engine's time.
    pub started_at: Option<String>,
    /// The engine's time.
    pub finished_at: Option<String>,
    /// Each attempt that is remembered.
    pub attempts: Vec<Attempt>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The create body that the engine gets.
    pub create: serde_json::Value,
}

/// One term of a wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitTerm {
    /// `container`, `exited`, …
    pub kind: String,
    /// `==`, `!=`, `==~`.
    pub op: String,
    /// As written.
    pub expr: String,
    /// Whether it is met.
    pub met: bool,
    /// Full names of what it matches.
    pub matches: Vec<String>,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// Name of its node.
    pub node: Option<String>,
    /// The engine's time.
    pub started_at: Option<String>,
    /// The engine's time.
    pub finished_at: Option<String>,
    /// How it ended, in words.
    pub end: Option<String>,
}

/// An explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// Full name.
    pub name: String,
    /// Plain word.
    pub state: String,
    /// One sentence.
    pub summary: String,
    /// What it waits for, or why it ended so.
    pub because: Vec<String>,
    /// What each node lacks, for what is ready.
    pub nodes: BTreeMap<String, String>,
}

/// How a wait ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waited {
    /// Full name.
    pub name: String,
    /// Plain word.
    pub state: String,
    /// Its code; 125 if it never ran.
    pub exit_code: i64,
    /// Why, where the code does not say it all.
    pub cause: Option<String>,
}
