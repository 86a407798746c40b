//! What was done to the machines.

use serde::{Deserialize, Serialize};

/// Harm, and its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// What.
    pub what: FaultKind,
    /// To which nodes.
    pub nodes: Vec<String>,
    /// To which Docker container, where it is only one.
    #[serde(default)]
    pub container: Option<String>,
    /// Nodes that it leaves without a majority.
    pub alone: Vec<String>,
    /// Before it was begun.
    pub began_ns: u64,
    /// After it was in place.
    pub in_place_ns: u64,
    /// Before it was begun to be undone.
    pub healing_ns: Option<u64>,
    /// After it was undone; none while it is not.
    pub healed_ns: Option<u64>,
    /// Whether it took place.
    pub outcome: FaultOutcome,
    /// For people: why there, in which form, or why not.
    pub note: String,
}

impl Fault {
    /// Whether it may have taken place, and to this node.
    pub fn hit(&self, node: &str) -> bool {
        self.outcome != FaultOutcome::Skipped && self.nodes.iter().any(|hit| hit == node)
    }

    /// Whether it was there at some moment from `from_ns` to `to_ns`.
    pub fn was_there(&self, from_ns: u64, to_ns: u64) -> bool {
        self.began_ns <= to_ns && self.healed_ns.is_none_or(|healed| healed >= from_ns)
    }
}

/// Kinds of harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Engine, containers and pinode of a machine end in one instant; healed when the machine boots.
    Cut,
    /// kill -9 of pinode; healed when it is started.
    Kill,
    /// SIGTERM to pinode; healed when it is started.
    Leave,
    /// SIGSTOP of pinode; healed by SIGCONT.
    Pause,
    /// Packets between some nodes are dropped.
    Partition,
    /// Packets from some nodes to others are dropped, those that go back are not.
    OneWay,
    /// Packets are lost at random.
    Loss,
    /// Packets are late, twice there, or in another order.
    Link,
    /// The wall clock of a pinode jumps.
    WallClock,
    /// A machine boots with another boot clock.
    BootClock,
    /// kill -9 of an engine.
    EngineKill,
    /// SIGTERM to an engine.
    EngineStop,
    /// SIGSTOP of an engine.
    EngineHang,
    /// kill -9 of what stands between an engine and one of its containers.
    ShimKill,
    /// No room on the disk of a pinode.
    DiskFull,
    /// The disk of a pinode does nothing for a while, again and again.
    DiskSlow,
    /// The disk of a pinode answers with errors.
    DiskFail,
    /// What a pinode has stored is deleted while it is off.
    Wipe,
    /// A node is told to take no work.
    Drain,
    /// A node more.
    Add,
    /// A node less.
    Remove,
}

impl FaultKind {
    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            FaultKind::Cut => "power cut",
            FaultKind::Kill => "kill -9",
            FaultKind::Leave => "SIGTERM",
            FaultKind::Pause => "paused",
            FaultKind::Partition => "partition",
            FaultKind::OneWay => "one-way partition",
            FaultKind::Loss => "packet loss",
            FaultKind::Link => "bad link",
            FaultKind::WallClock => "wall clock jumps",
            FaultKind::BootClock => "another boot clock",
            FaultKind::EngineKill => "engine killed",
            FaultKind::EngineStop => "engine stopped",
            FaultKind::EngineHang => "engine hangs",
            FaultKind::ShimKill => "shim killed",
            FaultKind::DiskFull => "disk full",
            FaultKind::DiskSlow => "disk slow",
            FaultKind::DiskFail => "disk fails",
            FaultKind::Wipe => "disk wiped",
            FaultKind::Drain => "drained",
            FaultKind::Add => "node added",
            FaultKind::Remove => "node removed",
        }
    }

    /// Whether it ends all that runs on a machine.
    pub fn ends_all(self) -> bool {
        matches!(self, FaultKind::Cut | FaultKind::BootClock)
    }

    /// Whether pinode is away while it lasts, so that nobody is there to stop containers in time.
    pub fn takes_pinode(self) -> bool {
        matches!(
            self,
            FaultKind::Kill | FaultKind::Pause | FaultKind::DiskFull | FaultKind::DiskFail | FaultKind::Wipe
        )
    }

    /// Whether pinode is right to end by itself because of it.
    pub fn ends_pinode(self) -> bool {
        matches!(
            self,
            FaultKind::Leave
                | FaultKind::DiskFull
                | FaultKind::DiskFail
                | FaultKind::Wipe
                | FaultKind::Add
                | FaultKind::Remove
        )
    }
}

/// Whether harm took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultOutcome {
    /// It did.
    Installed,
    /// It was not tried.
    Skipped,
    /// It was tried and failed: perhaps half of it took place.
    Indeterminate,
}
