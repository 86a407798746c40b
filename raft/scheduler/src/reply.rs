//! What `apply` answers. A refusal is a value: nothing was changed, and the sentence names what and why.

use serde::{Deserialize, Serialize};

use crate::container::Outcome;
use crate::id::{ContainerId, SessionId};

/// Everything that came of one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// For who proposed it.
    pub reply: Reply,
    /// What happened, in order, for who watches.
    pub changes: Vec<Change>,
}

/// For who proposed an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// It was done.
    #[default]
    Done,
    /// It was right once and is not any more (a late report, an old timer): nothing was changed.
    Stale,
    /// These were accepted.
    Submitted(Vec<Submitted>),
    /// Nothing was changed.
    Rejected(Rejection),
}

/// One accepted container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// Its id.
    pub id: ContainerId,
    /// Its full name.
    pub name: String,
    /// The plain word of its phase at the end of the entry.
    pub state: String,
    /// Sentences about what may not be meant.
    pub warnings: Vec<String>,
}

/// What a node has only so much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resource {
    /// CPUs.
    Cpus,
    /// Memory.
    Memory,
}

impl Resource {
    /// The field of a submit that asks for it.
    pub fn field(self) -> &'static str {
        match self {
            Resource::Cpus => "cpus",
            Resource::Memory => "memory",
        }
    }
}

/// Why an entry was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Rejection {
    /// The container's name is in use.
    #[error("the name {0} is taken; remove that container (pinode rm {0}) or choose another name")]
    NameTaken(String),
    /// The pipeline's name is in use.
    #[error("the pipeline name {0} is taken; remove its containers or choose another name")]
    PipelineTaken(String),
    /// Two containers of one pipeline share a name.
    #[error("the pipeline names {0} twice")]
    NamedTwice(String),
    /// A container waits for itself.
    #[error("{0} waits for itself: {1}")]
    SelfDependency(String, String),
    /// A chain of waits comes back to its beginning.
    #[error("a cycle: {}", .path.join(" -> "))]
    Cycle {
        /// From a container back to it.
        path: Vec<String>,
    },
    /// The graph is too large to be searched.
    #[error("more than {0} dependencies would have to be searched for a cycle; submit in smaller pieces")]
    TooComplex(usize),
    /// A term matches nothing and the submit asked for a refusal.
    #[error("{0} waits for {1}, which matches nothing")]
    MissingDependency(String, String),
    /// `count=` is already exceeded.
    #[error("{0} waits for exactly {2} of {1}, but {3} match already: {4}; remove old ones (pinode rm)")]
    TooManyMatches(String, String, u32, usize, String),
    /// `healthy==` of a container without a health check.
    #[error("{0} waits for {1} to be healthy, but {1} has no health check")]
    NoHealthCheck(String, String),
    /// No node is large enough, even when empty.
    #[error("no resources available to schedule container {container}: it asks for {asked}, and {most}")]
    NeverFits {
        /// Which container.
        container: String,
        /// What is too much.
        resource: Resource,
        /// How much it asks for.
        asked: String,
        /// What there is.
        most: String,
    },
    /// The request's key was used for something else.
    #[error("the idempotency key {0} was used for another request")]
    KeyReused(String),
    /// The container is gone, or never was.
    #[error("no such container: {0}")]
    NoSuchContainer(ContainerId),
    /// `rm` of a container that runs.
    #[error("{0} is {1}; stop it first (pinode stop {0}) or use rm --force")]
    StillActive(String, String),
    /// `stop` of a container that has ended.
    #[error("{0} has already ended: {1}")]
    AlreadyEnded(String, String),
    /// `start` or `restart` of what waits.
    #[error("{0} waits for {1}; it starts by itself when that has happened")]
    StillWaiting(String, String),
    /// `kill` of what nobody has started.
    #[error("{0} is not running: it was created and never started")]
    NotStarted(String),
    /// `rename` of a pipeline's member.
    #[error("{0} is a member of a pipeline, whose names are given once; rename what is in none")]
    NamedByPipeline(String),
    /// `update` to more than its node has free.
    #[error("{0} holds room on {1}, and that node has no room for more")]
    NoRoom(String, String),
    /// `retry` of what has not ended.
    #[error("{0} is {1}; only what failed, was skipped or was cancelled can be retried")]
    NotRetriable(String, String),
    /// `retry` of what was skipped, while its cause still stands.
    #[error("{0} was skipped because of {1}; retry that one (pinode retry {1})")]
    RetryTheCause(String, String),
    /// Another live node has this name.
    #[error("the node name {0} is taken by a node whose session lives; give this one another with --name")]
    NodeNameTaken(String),
    /// The session's number or start counter is lower than what the log has seen: a restored old disk.
    #[error("session {0} is older than the log; this disk was restored from an old copy")]
    StaleSession(SessionId),
    /// A session of a node that the log does not know, or that is lost.
    #[error("session {0} is not open")]
    NoSuchSession(SessionId),
    /// No node has this id (any more).
    #[error("no such node, or it has never opened a session: {0}")]
    NoSuchNode(String),
    /// An operator has declared this node gone.
    #[error(
        "this node was removed from the cluster; to use the machine again, start it with an empty --data-dir"
    )]
    NodeRemoved,
    /// `node rm` of a node whose session lives.
    #[error(
        "{0} is up, or was until a moment ago: stop pinode there and wait until its session is lost (pinode nodes); \
         or drain it (pinode node drain {0} --now) and use --force"
    )]
    NodeLives(String),
    /// `node rm --force` of a node that has work.
    #[error(
        "{0} still has {1} of the cluster's containers; drain it first (pinode node drain {0} --now), or stop pinode \
         there and wait until its session is lost (pinode nodes)"
    )]
    NodeBusy(String, usize),
    /// `node rm` of a node on which containers may have run to their end, or not.
    #[error(
        "how {} ended on {node} is not known, and {} must not run twice; use --force to declare {node} gone: then they have failed",
        .containers.join(", "), if .containers.len() == 1 { "it" } else { "they" }
    )]
    NodeHoldsUnknown {
        /// Its name.
        node: String,
        /// Full names, at most eight.
        containers: Vec<String>,
    },
    /// `node rm --force` of the only node that is up.
    #[error("{0} is the only node that is up: without it there is no cluster")]
    LastNode(String),
    /// A setting of the cluster that would do harm.
    #[error("{0}")]
    BadSetting(String),
    /// The node's pinode is older than what the cluster has agreed on.
    #[error(
        "the cluster has agreed on feature level {level}, and this pinode speaks {speaks}; run a newer one"
    )]
    TooOld {
        /// The newest level that the node speaks.
        speaks: u16,
        /// The cluster's.
        level: u16,
    },
}

impl Rejection {
    /// The stable word of the API's `error.code`.
    pub fn code(&self) -> &'static str {
        match self {
            Rejection::NameTaken(_) | Rejection::PipelineTaken(_) => "name_taken",
            Rejection::NamedTwice(_) => "named_twice",
            Rejection::SelfDependency(..) => "self_dependency",
            Rejection::Cycle { .. } => "cycle",
            Rejection::TooComplex(_) => "too_complex",
            Rejection::MissingDependency(..) => "missing_dependency",
            Rejection::TooManyMatches(..) => "too_many_matches",
            Rejection::NoHealthCheck(..) => "no_health_check",
            Rejection::NeverFits { .. } => "never_fits",
            Rejection::KeyReused(_) => "idempotency_key_reused",
            Rejection::NoSuchContainer(_) => "no_such_container",
            Rejection::StillActive(..) => "still_active",
            Rejection::AlreadyEnded(..) => "already_ended",
            Rejection::NotRetriable(..) => "not_retriable",
            Rejection::StillWaiting(..) => "still_waiting",
            Rejection::NotStarted(_) => "not_started",
            Rejection::NamedByPipeline(_) => "named_by_pipeline",
            Rejection::NoRoom(..) => "no_room",
            Rejection::RetryTheCause(..) => "retry_the_cause",
            Rejection::NodeNameTaken(_) => "node_name_taken",
            Rejection::StaleSession(_) => "stale_session",
            Rejection::NoSuchSession(_) => "no_such_session",
            Rejection::NoSuchNode(_) => "no_such_node",
            Rejection::NodeRemoved => "node_removed",
            Rejection::NodeLives(_) => "node_lives",
            Rejection::NodeBusy(..) => "node_busy",
            Rejection::NodeHoldsUnknown { .. } => "node_holds_unknown",
            Rejection::LastNode(_) => "last_node",
            Rejection::BadSetting(_) => "bad_setting",
            Rejection::TooOld { .. } => "too_old",
        }
    }
}

/// Something that happened, for who watches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The container, with its full name.
    pub container: Option<(ContainerId, String)>,
    /// The node's name.
    pub node: Option<String>,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// Accepted; it waits for these.
    Blocked(Vec<String>),
    /// All its dependencies are met.
    Ready,
    /// A node is to run this attempt.
    Claimed(u32),
    /// This attempt started.
    Started(u32),
    /// This attempt is healthy.
    Healthy(u32),
    /// This attempt ended.
    AttemptEnded(u32, Outcome),
    /// The node did not take it.
    Declined(String),
    /// The next attempt is due in so many milliseconds.
    Backoff(u64),
    /// Its node is away, and it must not run twice.
    Unknown,
    /// It ended well.
    Succeeded,
    /// It ended otherwise: code and sentence.
    Failed(Option<i64>, Option<String>),
    /// A dependency can never be met: the chain of causes.
    Skipped(Vec<String>),
    /// It was stopped.
    Cancelled(Option<i64>),
    /// It will be stopped.
    Stopping,
    /// It is gone.
    Removed,
    /// It will run again.
    Retried,
    /// The node may act.
    SessionOpened(u64),
    /// The node has not been heard from.
    Suspected,
    /// It has been heard from again.
    Trusted,
    /// Its session is lost.
    NodeLost(u64),
    /// Something ails it, or (none) no longer does.
    Ailing(String, Option<String>),
    /// It was accepted.
    Created,
    /// It had this name.
    Renamed(String),
    /// It is made of something else from now on.
    Amended,
    /// Its node does this before it can start it.
    Preparing(String),
    /// An operator drains the node: in words, what becomes of what runs there.
    Draining(String),
    /// The node takes work again.
    Undrained,
    /// An operator declared the node gone.
    NodeRemoved,
    /// An operator gave it these labels, or took (none) them back.
    Labelled(Vec<(String, Option<String>)>),
    /// What holds for the whole cluster was changed, in words.
    Configured(String),
    /// All nodes had lost power, in words.
    Blackout(String),
}
