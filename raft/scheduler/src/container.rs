//! One unit of work: where it stands, and each try at running it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::dependency::Dependency;
use crate::id::{ContainerId, NodeId, SessionId};
use crate::spec::Spec;

/// How many attempts of a container are remembered; older ones are forgotten, their numbers never used again.
pub const ATTEMPTS_KEPT: usize = 16;
/// Digits of the id in the name that a container has on an engine.
const ENGINE_ID_DIGITS: usize = 8;

/// A container as the log knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its id.
    pub id: ContainerId,
    /// Its full name: `PIPELINE.NAME` inside a pipeline; outside one it can be renamed.
    pub name: String,
    /// The pipeline it was submitted with.
    pub pipeline: Option<String>,
    /// What was asked for.
    pub spec: Spec,
    /// Its place in the order of submits.
    pub order: Order,
    /// Wall time of the leader at the submit, for display only.
    pub created_ms: u64,
    /// When it ended for good; none while it has not.
    pub ended: Option<Ended>,
    /// Where it stands.
    pub phase: Phase,
    /// What it waits for, or waited for.
    pub dependencies: Vec<Dependency>,
    /// The number of the latest attempt; 0 before the first. Only rises.
    pub attempt: u32,
    /// The latest attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// Counted from 1; a `retry` of something that ended opens the next.
    pub run: u32,
    /// How the present run has gone so far.
    pub tally: Tally,
    /// Nodes that declined it, or failed to launch it.
    pub bars: BTreeMap<NodeId, Bar>,
    /// Somebody wants it to stop.
    pub stop: Option<Stop>,
    /// Retention decided that its Docker container may go.
    pub discarded: bool,
    /// Somebody is attached and wants its first words: its start waits a moment for them.
    pub attached: bool,
}

/// The entry's index and the position in it: who came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Order {
    /// Index of the submitting entry.
    pub index: u64,
    /// Position in the pipeline.
    pub position: u32,
}

/// The entry that ended a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Its index.
    pub index: u64,
    /// Its wall time, for display only.
    pub at_ms: u64,
}

/// What counts against a run's limits, and the facts that stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Failures of the program.
    pub failures: u32,
    /// Attempts lost or interrupted through no fault of its own.
    pub losses: u32,
    /// Restarts in a row that ran for less than ten seconds.
    pub quick_restarts: u32,
    /// It has started at least once.
    pub started: bool,
    /// It has been healthy at least once.
    pub healthy: bool,
}

/// Where a container stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Accepted, but so many of its terms are not met.
    Blocked {
        /// How many.
        unmet: u32,
    },
    /// All met; no node has room or fits yet.
    Ready,
    /// That node is to run it.
    Claimed(Claim),
    /// That node says that it started.
    Running(Claim),
    /// A retry or a restart is due when its timer fires.
    Backoff,
    /// Its node is away and it must not run twice, or it is not known whether it ran.
    Unknown(Claim),
    /// Exit 0 that Docker vouches for.
    Succeeded,
    /// It ended for good, and not well.
    Failed(Failure),
    /// A dependency can never be met.
    Skipped {
        /// The chain of causes, nearest first, as `name: how it ended`.
        cause: Vec<String>,
    },
    /// Stopped by somebody. The code, if it had started.
    Cancelled {
        /// Its exit code.
        code: Option<i64>,
    },
    /// Made, and nobody has started it yet (Docker's `create`).
    Created,
}

impl Phase {
    /// Whether only `retry` or `rm` can change it.
    pub fn is_terminal(&self) -> bool {
        match self {
            Phase::Succeeded | Phase::Failed(_) | Phase::Skipped { .. } | Phase::Cancelled { .. } => true,
            Phase::Blocked { .. }
            | Phase::Ready
            | Phase::Claimed(_)
            | Phase::Running(_)
            | Phase::Backoff
            | Phase::Unknown(_)
            | Phase::Created => false,
        }
    }

    /// The claim, while there is one.
    pub fn claim(&self) -> Option<Claim> {
        match self {
            Phase::Claimed(claim) | Phase::Running(claim) | Phase::Unknown(claim) => Some(*claim),
            Phase::Created
            | Phase::Blocked { .. }
            | Phase::Ready
            | Phase::Backoff
            | Phase::Succeeded
            | Phase::Failed(_)
            | Phase::Skipped { .. }
            | Phase::Cancelled { .. } => None,
        }
    }

    /// The state's plain word, as the API prints it.
    pub fn word(&self) -> &'static str {
        match self {
            Phase::Created => "created",
            Phase::Blocked { .. } => "blocked",
            Phase::Ready => "ready",
            Phase::Claimed(_) => "claimed",
            Phase::Running(_) => "running",
            Phase::Backoff => "backoff",
            Phase::Unknown(_) => "unknown",
            Phase::Succeeded => "succeeded",
            Phase::Failed(_) => "failed",
            Phase::Skipped { .. } => "skipped",
            Phase::Cancelled { .. } => "cancelled",
        }
    }
}

/// "This session runs this attempt."
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Whose.
    pub session: SessionId,
    /// Which try.
    pub attempt: u32,
}

/// Why a container failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The program's exit code, where there was one.
    pub code: Option<i64>,
    /// A sentence when the code does not say it all: memory, timeout, launch, lost.
    pub reason: Option<String>,
}

/// One try at running a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// Who was to run it.
    pub session: SessionId,
    /// The engine's StartedAt.
    pub started_at: Option<String>,
    /// The engine's FinishedAt.
    pub finished_at: Option<String>,
    /// How it ended; none while it goes on.
    pub end: Option<Outcome>,
    /// What its node does before it can start it, in a sentence.
    pub preparing: Option<String>,
}

/// How an attempt ended, as the node that saw it classified it (or, for `Lost`, as the log did).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// An end that Docker vouches for.
    Exited {
        /// The program's code.
        code: i64,
        /// Seen under a live watch, or pieced together afterwards from facts that leave no doubt.
        witnessed: bool,
        /// The kernel killed it for its memory.
        oom: bool,
    },
    /// The engine refused to create or start it: what a shell calls 125 to 127.
    LaunchFailed {
        /// As `docker run` would exit.
        code: i64,
        /// The engine's sentence.
        reason: String,
    },
    /// Certainly never started.
    NeverStarted {
        /// Why not.
        reason: String,
    },
    /// It ran, and what ended it was not its own doing: a fence, a reboot, an engine restart.
    Interrupted {
        /// What Docker shows, worth nothing as a result.
        code: Option<i64>,
        /// What happened.
        reason: String,
    },
    /// It ended after a signal that the cluster asked for.
    Cancelled {
        /// What Docker shows.
        code: Option<i64>,
    },
    /// Its session was lost. Only the log says this.
    Lost,
    /// There was an intent to start it and the container is gone.
    Unknown,
}

/// "Not on this node, for now."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// Why.
    pub reason: Decline,
    /// How often in this run; each time doubles the wait.
    pub times: u32,
    /// Whether the bar stands; a lifted one only keeps the count.
    pub stands: bool,
}

/// Why a node does not take its claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decline {
    /// Its engine does not have the image and cannot get it.
    ImageMissing(String),
    /// Its disk has no room.
    NoSpace(String),
    /// Its engine does not answer.
    EngineAway(String),
    /// The attempt certainly never started, for this reason.
    NeverStarted(String),
    /// Anything else, in a sentence.
    Other(String),
}

impl Decline {
    /// As `why` prints it.
    pub fn sentence(&self) -> String {
        match self {
            Decline::ImageMissing(image) => format!("image {image} is not on it"),
            Decline::NoSpace(what) => format!("no room on its disk: {what}"),
            Decline::EngineAway(what) => format!("its Docker Engine does not answer: {what}"),
            Decline::NeverStarted(what) => format!("it did not start there: {what}"),
            Decline::Other(what) => what.clone(),
        }
    }
}

/// Somebody wants it to stop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// SIGKILL at once instead of SIGTERM and a grace.
    pub kill: bool,
    /// Remove the container when it has ended.
    pub remove: bool,
    /// Set when the cluster stops it for running too long: then it has failed, with this sentence.
    pub overran: Option<String>,
    /// Start it again when it has ended (Docker's `restart`).
    pub again: bool,
    /// Seconds between SIGTERM and SIGKILL, where they are not the spec's.
    pub grace_s: Option<u32>,
    /// Its node is being drained: it is to run elsewhere.
    pub drained: bool,
}

impl Container {
    /// What its Docker containers are called on an engine: the name it was submitted with, for people, and the beginning of
    /// its id, because a name can be given to another.
    pub fn engine_name(&self) -> String {
        let name = match &self.pipeline {
            Some(pipeline) => format!("{pipeline}.{}", self.spec.name),
            None => self.spec.name.clone(),
        };
        format!("{name}-{}", &self.id.to_string()[..ENGINE_ID_DIGITS])
    }

    /// The latest attempt.
    pub fn latest(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    pub(crate) fn latest_mut(&mut self) -> Option<&mut Attempt> {
        self.attempts.last_mut()
    }

    /// Its unmet names and counts, as `ps` prints them: `split, encode* 3/5`.
    pub fn waits_for(&self) -> Vec<String> {
        let unmet = self.dependencies.iter().filter(|d| d.verdict(false) != crate::dependency::Verdict::Met);
        unmet
            .map(|d| match d.progress() {
                (_, 0 | 1) => d.waitfor.expr.to_string(),
                (met, all) => format!("{} {met}/{all}", d.waitfor.expr),
            })
            .collect()
    }
}
