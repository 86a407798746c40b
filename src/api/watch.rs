//! What happens, and who waits for whom.

use serde::{Deserialize, Serialize};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Index of its entry.
    pub index: u64,
    /// The leader's time.
    pub at: String,
    /// What: `blocked`, `claimed`, …
    pub event: String,
    /// Full name of the container.
    pub container: Option<String>,
    /// Its id.
    pub id: Option<String>,
    /// Name of the node.
    pub node: Option<String>,
    /// The rest, in words.
    pub detail: Option<String>,
}

/// Who waits for whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graph {
    /// Containers.
    pub nodes: Vec<GraphNode>,
    /// Edges, from who waits to what it waits for.
    pub edges: Vec<GraphEdge>,
}

/// A container in a graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphNode {
    /// Full name.
    pub name: String,
    /// Plain word.
    pub state: String,
    /// Its node.
    pub node: Option<String>,
    /// Its code.
    pub exit_code: Option<i64>,
}

/// Who waits for whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphEdge {
    /// Who waits.
    pub from: String,
    /// For whom; an expression while it matches nothing.
    pub to: String,
    /// `container`, `exited`, …
    pub kind: String,
    /// Whether it is met.
    pub met: bool,
}
