//! What the agent needs of a container engine, and nothing more.

use bollard::models::{ContainerCreateBody, EndpointSettings};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use pinode_scheduler::ContainerId;
use pinode_scheduler::node::Image;

/// Labels on every Docker container of ours.
pub mod label {
    /// Hex of the part of the cluster's id that stays when it is recovered or restored.
    pub const CLUSTER: &str = "pinode.cluster";
    /// Hex of the container's id.
    pub const CONTAINER: &str = "pinode.container";
    /// Full name.
    pub const NAME: &str = "pinode.name";
    /// Attempt.
    pub const ATTEMPT: &str = "pinode.attempt";
    /// Node's name.
    pub const NODE: &str = "pinode.node";
    /// Session's number.
    pub const SESSION: &str = "pinode.session";
    /// Hash of the spec.
    pub const SPEC: &str = "pinode.spec";
}

/// Why the engine did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeError {
    /// It does not answer, or the answer was lost: whether it was done is not known.
    #[error("the Docker Engine does not answer: {0}")]
    Away(String),
    /// No such container.
    #[error("no such container")]
    NoSuch,
    /// The name is in use.
    #[error("the container name is in use")]
    NameTaken,
    /// The image is not there.
    #[error("no such image: {0}")]
    ImageMissing(String),
    /// The disk is full.
    #[error("no space left: {0}")]
    NoSpace(String),
    /// It said no, and nothing was done.
    #[error("{message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The engine's sentence.
        message: String,
    },
}

/// Docker's word for where a container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Made, never started.
    Created,
    /// Runs, is paused, or is being restarted or removed.
    Running,
    /// Has run, and ended.
    Exited,
}

/// A container as the engine shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The engine's id.
    pub id: String,
    /// Where it is.
    pub status: Status,
    /// Its code, if it ended.
    pub code: i64,
    /// The kernel killed it for its memory.
    pub oom: bool,
    /// The engine's StartedAt; none if it never started.
    pub started_at: Option<String>,
    /// The engine's FinishedAt; none if it has not.
    pub finished_at: Option<String>,
    /// Docker health is `healthy`.
    pub healthy: bool,
    /// Its `pinode.container` and `pinode.attempt` labels, if it is ours.
    pub ours: Option<(String, u32)>,
    /// What the engine said when it could not start it.
    pub error: String,
}

impl Seen {
    /// Which attempt of which container it is, if it is ours.
    pub fn key(&self) -> Option<(ContainerId, u32)> {
        let (container, attempt) = self.ours.as_ref()?;
        Some((container.parse().ok()?, *attempt))
    }
}

/// What the engine remembers of one container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Its start: then the engine has not restarted since.
    pub start: bool,
    /// Somebody sent it a signal.
    pub kill: bool,
}

/// Something may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Hex of the container's id.
    pub container: String,
    /// Attempt.
    pub attempt: u32,
}

/// What the engine is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineInfo {
    /// Its version.
    pub version: String,
    /// CPUs.
    pub cpus: u64,
    /// Bytes.
    pub memory: u64,
    /// As `uname -m`.
    pub arch: String,
    /// Distribution.
    pub os: String,
    /// Kernel.
    pub kernel: String,
    /// Storage driver.
    pub storage: String,
    /// Containers outlive a restart of the engine.
    pub live_restore: bool,
}

/// A container engine.
pub trait ContainerRuntime: Send + Sync + 'static {
    /// What it is.
    fn info(&self) -> BoxFuture<'_, Result<EngineInfo, RuntimeError>>;
    /// All containers of ours in any state.
    fn list<'a>(&'a self, cluster: &'a str) -> BoxFuture<'a, Result<Vec<Seen>, RuntimeError>>;
    /// Makes one; its id.
    fn create<'a>(
        &'a self,
        name: &'a str,
        body: ContainerCreateBody,
    ) -> BoxFuture<'a, Result<String, RuntimeError>>;
    /// Puts what has not started on another network.
    fn connect<'a>(
        &'a self,
        network: &'a str,
        id: &'a str,
        settings: EndpointSettings,
    ) -> BoxFuture<'a, Result<(), RuntimeError>>;
    /// Starts one. Not idempotent: a second start of an ended one runs it again.
    fn start<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), RuntimeError>>;
    /// Looks at one, by id or name.
    fn inspect<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Seen>, RuntimeError>>;
    /// SIGTERM, and SIGKILL after `grace_s` seconds. Returns when it has ended.
    fn stop<'a>(&'a self, id: &'a str, grace_s: u32) -> BoxFuture<'a, Result<(), RuntimeError>>;
    /// SIGKILL.
    fn kill<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), RuntimeError>>;
    /// Removes one. Without `force` one that runs is [`RuntimeError::Refused`] with 409.
    fn remove<'a>(&'a self, id: &'a str, force: bool) -> BoxFuture<'a, Result<(), RuntimeError>>;
    /// What it remembers of one.
    fn history<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<History, RuntimeError>>;
    /// What one prints, both streams, as it came.
    fn logs(&self, id: &str, follow: bool) -> BoxStream<'static, Result<Bytes, RuntimeError>>;
    /// Hints about ours, until the connection breaks.
    fn hints(&self, cluster: &str) -> BoxStream<'static, Result<Hint, RuntimeError>>;
    /// All its images, under each of their names and ids, in their order.
    fn images(&self) -> BoxFuture<'_, Result<Vec<Image>, RuntimeError>>;
    /// Whether an image is there.
    fn has_image<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<bool, RuntimeError>>;
}
