//! What travels between people and nodes: the JSON of the native API, used by the server and by the commands.

use serde::{Deserialize, Serialize};

mod cluster;
mod container;
mod film;
mod submit;
mod value;
mod watch;

pub use cluster::{Blackout, ChangeSettings, Member, Node, Settings, Status};
pub use container::{Attempt, Container, WaitTerm, Waited, Why};
pub use film::{NewUpload, Upload, Video};
pub use submit::{Accepted, AcceptedPipeline, Health, Pipeline, Submit};
pub use value::{AsMap, Memory};
pub use watch::{Event, Graph, GraphEdge, GraphNode};

/// An error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What.
    pub error: ErrorDetail,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// Stable word.
    pub code: String,
    /// A sentence with the thing and the way out.
    pub message: String,
    /// The field at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}
