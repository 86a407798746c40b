//! What was seen: by the programs themselves, in the engines, and through the API.

use serde::{Deserialize, Serialize};

/// The moment of a run's last looks, when every machine has its power again.
pub const AT_THE_END: &str = "at the end";

/// A line that a program wrote about itself, outside of the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Full name of its container.
    pub name: String,
    /// The attempt it was told to be.
    pub attempt: u32,
    /// The node it was told to be on.
    pub node: String,
    /// When, by its own clock.
    pub at_ns: u64,
    /// What.
    pub mark: Mark,
}

/// What a program writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// First thing.
    Start,
    /// Again and again.
    Alive,
    /// Last thing, with the code that it ends with.
    End(i64),
}

/// A Docker container as its engine showed it; the sum of many looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineRun {
    /// The engine's node.
    pub node: String,
    /// Docker's id.
    pub docker_id: String,
    /// Full name, by its label.
    pub name: String,
    /// The cluster's id of the container, by its label.
    pub container: String,
    /// Attempt, by its label.
    pub attempt: u32,
    /// Docker's word at the last look.
    pub state: String,
    /// Every StartedAt that was ever shown: two of them are two starts.
    pub started_ns: Vec<u64>,
    /// FinishedAt at the last look.
    pub finished_ns: Option<u64>,
    /// Exit code at the last look.
    pub code: i64,
    /// When the last look was taken.
    pub seen_ns: u64,
}

/// What an engine told about a container of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EngineEvent {
    /// When, by the engine's clock.
    pub at_ns: u64,
    /// The engine's node.
    pub node: String,
    /// Docker's id.
    pub docker_id: String,
    /// Full name, by its label.
    pub name: String,
    /// Attempt, by its label.
    pub attempt: u32,
    /// Docker's word: `create`, `start`, `kill`, `die`, `destroy`.
    pub what: String,
    /// The code that it died with.
    pub code: Option<i64>,
}

/// A container in an engine that is none of pinode's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranger {
    /// The engine's node.
    pub node: String,
    /// Docker's id.
    pub docker_id: String,
    /// What it is like, for people.
    pub what: String,
    /// When it was started.
    pub started_ns: u64,
    /// What the last look showed: whether it runs, and since when; none if it is gone.
    pub last: Option<(bool, u64)>,
}

/// A container in one state, as one node showed it for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// Which node.
    pub node: String,
    /// Full name.
    pub name: String,
    /// 64 hex digits.
    pub id: String,
    /// Plain word.
    pub state: String,
    /// Number of the latest attempt.
    pub attempt: u32,
    /// When an answer first showed it.
    pub shown_ns: u64,
    /// When it was last asked for, and still shown so.
    pub last_asked_ns: u64,
}

/// A node gave out a list of all containers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Which node.
    pub node: String,
    /// When it was asked.
    pub asked_ns: u64,
    /// When it had answered.
    pub answered_ns: u64,
}

/// A pinode ended, and nobody had ended it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnEnd {
    /// Which node.
    pub node: String,
    /// When it was noticed.
    pub seen_ns: u64,
    /// Its last words.
    pub words: String,
}

/// All containers, as one node shows them to who asks for no stale answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Whose.
    pub node: String,
    /// At which moment of the scenario.
    pub moment: String,
    /// Before it was asked for.
    pub asked_ns: u64,
    /// All containers.
    pub containers: Vec<Seen>,
}

/// A container as a node's API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// 64 hex digits.
    pub id: String,
    /// Full name.
    pub name: String,
    /// Plain word.
    pub state: String,
    /// Number of the latest attempt.
    pub attempt: u32,
    /// Node of the latest attempt.
    pub node: Option<String>,
    /// Its code.
    pub exit_code: Option<i64>,
    /// Why it failed or was skipped.
    pub cause: Option<String>,
    /// Each attempt.
    pub attempts: Vec<SeenAttempt>,
}

/// An attempt as a node's API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenAttempt {
    /// From 1.
    pub number: u32,
    /// Its node.
    pub node: Option<String>,
    /// How it ended, in words.
    pub end: Option<String>,
}

/// A digest of one node's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Whose.
    pub node: String,
    /// At which moment of the scenario.
    pub moment: String,
    /// Entry up to which it is.
    pub applied_index: u64,
    /// The digest.
    pub state_hash: String,
}

/// A film and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Film {
    /// Its id.
    pub id: String,
    /// The pipeline that encodes it.
    pub pipeline: String,
    /// What the cluster says of it at the end.
    pub state: String,
    /// What it says of a failure.
    pub error: Option<String>,
    /// As sent.
    pub source: Probed,
    /// As fetched; none if there was nothing to fetch.
    pub result: Option<Probed>,
}

/// A film as `ffprobe` sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probed {
    /// Frames that come out of the decoder.
    pub frames: u64,
    /// Length.
    pub seconds: f64,
    /// Whether there is a sound stream.
    pub sound: bool,
}

impl Seen {
    /// Whether nothing but a person can change it any more.
    pub fn is_terminal(&self) -> bool {
        matches!(self.state.as_str(), "succeeded" | "failed" | "skipped" | "cancelled")
    }
}
