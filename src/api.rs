//! What travels between people and nodes: the JSON of the native API, used by the server and by the commands.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod value;

pub use value::{AsMap, Memory};

/// A container to be submitted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Submit {
    /// Its name; inside a pipeline the short one. Without one it gets one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Image; required.
    pub image: String,
    /// Command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// Program instead of the image's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// `K=V`; entries whose name begins with `waitfor:`, `constraint:` or `affinity:` are those, and so are
    /// `reschedule:on-node-failure` and `reschedule:off`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// As after `waitfor:`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waitfor: Vec<String>,
    /// Labels; `pinode.waitfor` and `com.docker.swarm.{constraints,affinities,reschedule-policies}` hold JSON lists of
    /// what would stand in `env`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "value::unique")]
    pub labels: BTreeMap<String, String>,
    /// Docker `-v` strings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
    /// Driver of named volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_driver: Option<String>,
    /// `none`, `host`, `bridge`, a network, or `container:NAME`, on whose node it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_mode: Option<String>,
    /// Docker `-p` strings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<String>,
    /// Docker `-P`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub publish_all: bool,
    /// Docker `--device` strings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// Working folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// User.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// CPUs, reserved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<f64>,
    /// Bytes, or `64m`; reserved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// On which nodes it may run: `node==NAME`, or a label, `arch==arm64`; `!=` for all others, `==~` and `!=~` for a
    /// preference. A value may be a glob or a `/regex/`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<String>,
    /// What its node must have: `container==NAME`, `image==NAME`, or a container's label, `tier==db`; operators and
    /// values as in `constraints`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub affinities: Vec<String>,
    /// Which of the nodes that fit: `spread` (default, the emptiest), `binpack` (the fullest), `random`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// `never`, `fenced`, `eager`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rerun: Option<String>,
    /// More attempts after a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// Docker's `--restart`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<String>,
    /// `skip`, `hold`, `run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_upstream_failure: Option<String>,
    /// Longest wait, `10m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_timeout: Option<String>,
    /// Longest run of one attempt, `2h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_timeout: Option<String>,
    /// Not built yet; refused by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<String>,
    /// Grace between SIGTERM and SIGKILL, `10s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<String>,
    /// Health check.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "value::map")]
    pub health: Option<Health>,
    /// Remove it when it has ended.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub auto_remove: bool,
    /// `wait` (default) or `reject` names in `waitfor` that match nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waitfor_missing: Option<String>,
}

/// A health check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Health {
    /// `["CMD", …]`, `["CMD-SHELL", "…"]` or `["NONE"]`.
    pub test: Vec<String>,
    /// Between two checks, `30s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// Longest check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// Failures before `unhealthy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// Grace at the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_period: Option<String>,
}

/// Several containers, accepted or refused as one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// Unique.
    pub name: String,
    /// Its members.
    #[serde(deserialize_with = "value::maps")]
    pub containers: Vec<Submit>,
    /// `wait` (default) or `reject`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waitfor_missing: Option<String>,
}

/// One accepted container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// 64 hex digits.
    pub id: String,
    /// Full name.
    pub name: String,
    /// Where it stands.
    pub state: String,
    /// What may not be meant.
    pub warnings: Vec<String>,
}

/// An accepted pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedPipeline {
    /// Its name, which is also its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its members.
    pub containers: Vec<Accepted>,
}

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

/// A node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// 16 hex digits.
    pub id: String,
    /// `up`, `away`, `suspected`, `draining`, `ailing`, `lost`.
    pub state: String,
    /// What keeps it from taking work.
    pub problems: Vec<String>,
    /// Since when an operator wants nothing new on it.
    pub draining_since: Option<String>,
    /// `leader`, `voter`, `learner`, `none`.
    pub role: String,
    /// Where people reach it.
    pub address: String,
    /// Where nodes reach it.
    pub peer_address: String,
    /// Containers it has now.
    pub containers: u32,
    /// Containers it can have at once.
    pub slots: u32,
    /// CPUs reserved.
    pub cpus_reserved: f64,
    /// CPUs.
    pub cpus: f64,
    /// Bytes reserved.
    pub memory_reserved: u64,
    /// Bytes.
    pub memory: u64,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Its Docker Engine's version.
    pub engine: String,
    /// Its session's number.
    pub session: u64,
    /// Whether it sees the shared folder that most see.
    pub shared: bool,
}

/// What holds for the whole cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Most voters.
    pub voters: u8,
    /// How long a voter may be lost before a learner takes its place, `300s`.
    pub replace_voter_after: String,
}

/// What is to be changed of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeSettings {
    /// Most voters: an odd number from 1 to 7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voters: Option<u8>,
    /// How long a voter may be lost before a learner takes its place, `10m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replace_voter_after: Option<String>,
}

/// The cluster as one node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Who answers.
    pub node: String,
    /// 64 hex digits.
    pub cluster_id: String,
    /// The leader's name.
    pub leader: Option<String>,
    /// Raft's term.
    pub term: u64,
    /// Index of the last applied entry.
    pub applied_index: u64,
    /// Digest of the state at that index.
    pub state_hash: String,
    /// Who votes and who learns.
    pub members: Vec<Member>,
    /// Containers by state.
    pub containers: BTreeMap<String, usize>,
    /// Nodes that see another shared folder than most.
    pub shared_odd: Vec<String>,
    /// What an operator should know, in sentences.
    pub attention: Vec<String>,
    /// What came of the last time that all nodes lost power: for a day, and until nothing of it is open.
    pub blackout: Option<Blackout>,
}

/// What came of a blackout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blackout {
    /// When power was back.
    pub at: String,
    /// Names of nodes that are back.
    pub back: Vec<String>,
    /// Names of those that are not.
    pub missing: Vec<String>,
    /// What ran, by name, and what became of it.
    pub ran: BTreeMap<String, String>,
    /// What waits now, by name, and for what.
    pub waits: BTreeMap<String, String>,
}

/// A member of the Raft group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// 16 hex digits.
    pub id: String,
    /// Its peer address.
    pub address: String,
    /// Whether it votes.
    pub voter: bool,
}

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

/// A film.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Video {
    /// Its id.
    pub id: String,
    /// As given.
    pub name: String,
    /// The pipeline that encodes it.
    pub pipeline: String,
    /// `queued`, `running`, `succeeded`, `failed`, `cancelled`.
    pub state: String,
    /// Parts it is cut into.
    pub parts: u32,
    /// Parts that are encoded.
    pub parts_done: u32,
    /// Frames of the source.
    pub frames_in: Option<u64>,
    /// Frames of the result.
    pub frames_out: Option<u64>,
    /// Seconds of the result.
    pub duration: Option<f64>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was taken in; an answer to who sends it does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
}

/// A film that is to come in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewUpload {
    /// As the file is called.
    pub file_name: String,
    /// Bytes.
    pub size: u64,
    /// When the file was last changed, milliseconds since 1970; who goes on with it knows it by that.
    pub modified: u64,
    /// Name of the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Parts; as many as the cluster has CPUs without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<u32>,
    /// `2M`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bitrate: Option<String>,
    /// 0 to 51, instead of a bitrate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<u32>,
    /// `libx264`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
}

/// A film that comes in pieces, as far as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its id; the film's, too.
    pub id: String,
    /// As the file is called.
    pub file_name: String,
    /// Bytes in all.
    pub size: u64,
    /// When the file was last changed, milliseconds since 1970.
    pub modified: u64,
    /// Bytes that are there.
    pub offset: u64,
}

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
