//! What an entry of the log may say. The enum grows at the end only: old logs must read the same for ever.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::container::{Decline, Outcome};
use crate::id::{ContainerId, NodeId, RequestKey, SessionId};
use crate::later::Pace;
use crate::node::{Ailment, Image, NodeFacts};
use crate::spec::{Needs, Restart, Spec};
use crate::timer::Timer;

/// One entry: a command, and the leader's wall time when it took it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Milliseconds since 1970, for display only.
    pub at_ms: u64,
    /// What it says.
    pub command: Command,
}

/// What makes a repetition recognisable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The same for a repetition.
    pub key: RequestKey,
    /// Hash of what was asked: the same key with another body is refused.
    pub body: [u8; 32],
}

/// What to do with names in `waitfor` that match nothing at the submit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Missing {
    /// Wait for them to appear, and say so.
    #[default]
    Wait,
    /// Refuse the submit.
    Reject,
}

/// A new container: its id, computed at the door, and its spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewContainer {
    /// Hash of cluster id, request key and position.
    pub id: ContainerId,
    /// What was asked for.
    pub spec: Spec,
    /// Only make it: it waits for a [`Command::Start`] before it waits for anything else.
    pub held: bool,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Accept these, all or none.
    Submit {
        /// For repetitions.
        request: Request,
        /// Their pipeline; without one there is exactly one container.
        pipeline: Option<String>,
        /// In the order of the user.
        containers: Vec<NewContainer>,
        /// What to do with names that match nothing.
        missing: Missing,
    },
    /// Somebody wants it to stop.
    Stop {
        /// For repetitions.
        request: Request,
        /// Who.
        container: ContainerId,
        /// SIGKILL at once.
        kill: bool,
        /// Seconds between SIGTERM and SIGKILL, where they are not the spec's.
        grace_s: Option<u32>,
    },
    /// Forget it, and its Docker container with it.
    Remove {
        /// For repetitions.
        request: Request,
        /// Who.
        container: ContainerId,
        /// Even if it runs: kill it first.
        force: bool,
    },
    /// Run what ended again, and revive what was skipped because of it.
    Retry {
        /// For repetitions.
        request: Request,
        /// Who.
        container: ContainerId,
    },
    /// A node may act: a new session, or (same number, same boot) the same one with fresh facts.
    SessionOpened {
        /// Which.
        session: SessionId,
        /// What the node says of itself.
        facts: NodeFacts,
    },
    /// The attempt started.
    Started {
        /// Who.
        container: ContainerId,
        /// Which attempt.
        attempt: u32,
        /// Under which claim.
        session: SessionId,
        /// The engine's StartedAt.
        started_at: String,
    },
    /// The attempt reported health for the first time.
    Healthy {
        /// Who.
        container: ContainerId,
        /// Which attempt.
        attempt: u32,
        /// Under which claim.
        session: SessionId,
    },
    /// The attempt ended.
    Exited {
        /// Who.
        container: ContainerId,
        /// Which attempt.
        attempt: u32,
        /// Under which claim; may be an earlier session of the node that says it.
        session: SessionId,
        /// How.
        outcome: Outcome,
        /// The engine's StartedAt, if it started.
        started_at: Option<String>,
        /// The engine's FinishedAt, if it did.
        finished_at: Option<String>,
        /// How long it ran by the engine's own clock, in milliseconds.
        ran_ms: u64,
    },
    /// The node does not take its claim.
    Declined {
        /// Who.
        container: ContainerId,
        /// Which attempt.
        attempt: u32,
        /// Under which claim.
        session: SessionId,
        /// Why not.
        reason: Decline,
    },
    /// The node's engine no longer has these attempts' Docker containers.
    Removed {
        /// Whose engine.
        node: NodeId,
        /// Which.
        attempts: Vec<(ContainerId, u32)>,
    },
    /// Something ails a whole node, or no longer does.
    NodeCondition {
        /// Whose; a dead session's word counts no more.
        session: SessionId,
        /// What.
        ailment: Ailment,
        /// The sentence; none when it is over.
        problem: Option<String>,
    },
    /// The leader has not heard from it for a while.
    Suspected {
        /// Which session.
        session: SessionId,
    },
    /// The leader hears from it again.
    Trusted {
        /// Which session.
        session: SessionId,
    },
    /// The session's authority has certainly run out.
    NodeLost {
        /// Which session.
        session: SessionId,
    },
    /// A deadline has passed.
    TimerFired {
        /// Which.
        timer: Timer,
    },
    /// Requests of entries up to this index may be forgotten: a day has passed and many came after.
    ForgetRequests {
        /// Index of the last entry.
        up_to: u64,
    },
    /// Start what was only made, or run what has ended again.
    Start {
        /// For repetitions.
        request: Request,
        /// Who.
        container: ContainerId,
        /// Somebody is attached.
        attached: bool,
    },
    /// Stop what runs, and start it again.
    Restart {
        /// For repetitions.
        request: Request,
        /// Who.
        container: ContainerId,
        /// Seconds between SIGTERM and SIGKILL, where they are not the spec's.
        grace_s: Option<u32>,
    },
    /// Give it another name.
    Rename {
        /// For repetitions.
        request: Request,
        /// Who.
        container: ContainerId,
        /// A valid name.
        name: String,
    },
    /// Change what its next attempt is made of.
    Amend {
        /// For repetitions.
        request: Request,
        /// Who.
        container: ContainerId,
        /// The JSON body of Docker's "create a container".
        create: String,
        /// What it reserves from now on.
        needs: Needs,
        /// Its restart policy from now on.
        restart: Restart,
    },
    /// What its node does before it can start it.
    Preparing {
        /// Who.
        container: ContainerId,
        /// Which attempt.
        attempt: u32,
        /// Under which claim.
        session: SessionId,
        /// A sentence.
        what: String,
    },
    /// Which images a node's engine has.
    Images {
        /// Whose; a dead session's word counts no more.
        session: SessionId,
        /// Under each of their names and ids: all of them, not what changed.
        images: Vec<Image>,
    },
    /// An operator wants nothing new on a node.
    Drain {
        /// For repetitions.
        request: Request,
        /// Which.
        node: NodeId,
        /// After so many milliseconds what may run elsewhere is stopped here; 0 at once, none never: it may finish.
        deadline_ms: Option<u64>,
    },
    /// It takes work again.
    Undrain {
        /// For repetitions.
        request: Request,
        /// Which.
        node: NodeId,
    },
    /// An operator declares a node gone: its id never comes back.
    RemoveNode {
        /// For repetitions.
        request: Request,
        /// Which.
        node: NodeId,
        /// Even if its session lives, when nothing is claimed by it; even if the ends of some containers are unknown.
        force: bool,
    },
    /// An operator gives a node labels, or takes them back.
    LabelNode {
        /// For repetitions.
        request: Request,
        /// Which.
        node: NodeId,
        /// By key; none takes it back.
        labels: BTreeMap<String, Option<String>>,
    },
    /// An operator changes what holds for the whole cluster. What is none stays as it is.
    Configure {
        /// For repetitions.
        request: Request,
        /// Most voters.
        voters: Option<u8>,
        /// How long a voter may be lost before another takes its place, in milliseconds.
        replace_voter_after_ms: Option<u64>,
    },
    /// The node leaves and means to come back: its claims stay, its containers go on.
    Away {
        /// Which session.
        session: SessionId,
        /// So long its containers go on without it, in milliseconds from before it said so.
        grace_ms: u64,
    },
    /// All nodes speak this feature level.
    LevelRaised {
        /// Which.
        level: u16,
    },
    /// The cluster is as fast as this.
    Paced {
        /// How fast.
        pace: Pace,
    },
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let debug = format!("{:?}", self.command);
        let name = debug.split([' ', '{', '(']).next().unwrap_or_default();
        write!(f, "{name} at {} ms", self.at_ms)
    }
}
