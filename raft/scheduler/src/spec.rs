//! What a user asked for. A `Spec` was parsed at the door, so an invalid one does not exist here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::dependency::Waitfor;
use crate::filter::{Affinity, Constraint};

/// One container as submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The name inside its pipeline, or the whole name outside one.
    pub name: String,
    /// The image, for people; the engine reads it from `create`.
    pub image: String,
    /// The JSON body of Docker's "create a container", as the engine will get it. The agent adds its own labels and
    /// environment; nothing else in here is looked at before the launch.
    pub create: String,
    /// What must have happened to others first.
    pub waitfor: Vec<Waitfor>,
    /// Longest time in `blocked`, in milliseconds; then the container fails.
    pub wait_timeout_ms: Option<u64>,
    /// Longest run of one attempt, in milliseconds; then it is stopped and has failed.
    pub run_timeout_ms: Option<u64>,
    /// What it reserves on its node.
    pub needs: Needs,
    /// On which nodes it may run.
    pub constraints: Vec<Constraint>,
    /// What its node must have, or must not have.
    pub affinities: Vec<Affinity>,
    /// Which of the nodes that fit is taken.
    pub strategy: Strategy,
    /// Ports of its node that it takes.
    pub host_ports: BTreeSet<HostPort>,
    /// Containers whose volumes, links or network it uses, by name or id: it runs where they are.
    pub beside: BTreeSet<String>,
    /// What happens when its node is unreachable.
    pub rerun: Rerun,
    /// How many more attempts a failure gets.
    pub retries: u32,
    /// Docker's restart policy, carried out by the cluster.
    pub restart: Restart,
    /// What happens when a dependency can no longer be met.
    pub on_upstream_failure: OnUpstreamFailure,
    /// Named local volumes: they pin their users to the node where they were first claimed.
    pub local_volumes: BTreeSet<String>,
    /// It uses the shared folder, so only nodes that see the right one may claim it.
    pub shared: bool,
    /// The spec has a health check, so `healthy==` of it can be met.
    pub has_health: bool,
    /// Remove the container so many milliseconds after its end (`--rm`).
    pub remove_after_ms: Option<u64>,
    /// Grace between SIGTERM and SIGKILL when it is stopped, in seconds.
    pub stop_timeout_s: u32,
    /// Labels as submitted, for filters and listings.
    pub labels: BTreeMap<String, String>,
}

/// A reservation: integers only, so that all nodes add alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Thousandths of a CPU.
    pub cpu_milli: u64,
    /// Bytes.
    pub memory: u64,
}

/// Which of the nodes that fit is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strategy {
    /// The emptiest.
    #[default]
    Spread,
    /// The fullest.
    Binpack,
    /// Any, and the same on every replay.
    Random,
}

/// A port of a node. One address of several makes no difference: it is one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HostPort {
    /// From 1.
    pub port: u16,
    /// Of which protocol.
    pub protocol: Protocol,
}

/// What speaks on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Sctp => "sctp",
        };
        write!(f, "{}/{protocol}", self.port)
    }
}

/// What happens to a container whose node is unreachable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rerun {
    /// At most one start, ever.
    Never,
    /// Again elsewhere once the session is lost; attempts never overlap.
    #[default]
    Fenced,
    /// Again elsewhere as soon as the node is suspected; attempts may overlap.
    Eager,
}

/// Docker's `--restart`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Restart {
    /// Runs to its end once.
    #[default]
    No,
    /// Again after a failure, at most this often (none: without limit).
    OnFailure(Option<u32>),
    /// Again whatever the code, until stopped.
    Always,
    /// As `Always`; the two differ only across a restart of an engine, which the cluster does not have.
    UnlessStopped,
}

/// What becomes of a container when a dependency of it can never be met any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnUpstreamFailure {
    /// It is skipped, with the chain of causes.
    #[default]
    Skip,
    /// It stays blocked until somebody decides.
    Hold,
    /// It runs as if the dependency had been met.
    Run,
}
