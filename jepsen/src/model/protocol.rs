//! What is gone through: how large the world is, and which guard of the protocol is left out.

use clap::ValueEnum;

/// Machines.
pub const NODES: usize = 3;
/// Containers; the second waits for the first to succeed.
pub const CONTAINERS: usize = 2;
/// Attempts of each.
pub const ATTEMPTS: usize = 2;

/// What happens to a container whose node is unreachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rerun {
    /// At most one start, ever.
    Never,
    /// Again elsewhere once the session is lost.
    Fenced,
    /// Again elsewhere as soon as the node is suspected.
    Eager,
}

/// How far the world reaches. All durations are whole ticks of a clock.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Of each container.
    pub rerun: [Rerun; CONTAINERS],
    /// L.
    pub lease: i8,
    /// K.
    pub kill: i8,
    /// M: one tick, the grain of the model's time.
    pub margin: i8,
    /// 2ρ(L+K+M): ticks by which clocks may differ in a run; as often one stands still or runs double.
    pub error: i8,
    /// Crashes, reboots, polite leaves, elections and declined claims in one run.
    pub faults: u8,
    /// Highest number of a session.
    pub sessions: u8,
}

impl Bounds {
    /// Small enough to be gone through in seconds.
    pub fn short(rerun: [Rerun; CONTAINERS]) -> Bounds {
        Bounds { rerun, lease: 1, kill: 1, margin: 1, error: 1, faults: 1, sessions: 2 }
    }

    /// Large enough for two things to go wrong at once, with renewals that are late inside a lease.
    pub fn deep(rerun: [Rerun; CONTAINERS]) -> Bounds {
        Bounds { faults: 2, ..Bounds::short(rerun) }
    }

    /// (L+K+M)·(1+2ρ): no earlier after the last renewal is a session lost.
    pub fn lost_after(&self) -> i8 {
        self.lease + self.kill + self.margin + self.error
    }
}

/// One guard of the protocol, left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mutant {
    /// The leader goes on to grant renewals of a session that it is about to declare lost.
    NotCondemned,
    /// Authority is counted from when the grant arrives.
    LeaseFromAnswer,
    /// A new leader believes that it has heard of nobody for ever.
    ImpatientLeader,
    /// A leader grants without asking a quorum whether it still leads.
    NoQuorumAsked,
    /// A session is lost without waiting for the kill.
    LostWithoutKill,
    /// A session is lost without allowing for clocks that differ.
    ClocksAgree,
    /// A loss that was decided under one reign is proposed under a later one of the same leader.
    LossOutlivesReign,
    /// A renewal that was asked for under one reign is granted when nothing of it is remembered any more.
    GrantOutlivesReign,
    /// A new session counts as unheard of since the leader's election.
    NewSessionUnheard,
    /// Nothing is killed when the lease runs out.
    NoFence,
    /// A process that starts again waits a whole lease before it fences.
    PatienceAnew,
    /// A process without a session fences what runs, and leaves alone what may still start.
    FenceOnlyRunning,
    /// Whoever may act may start what any session of its node has claimed.
    AnySession,
    /// A start is sent whatever is left of the lease.
    StartWithoutLease,
    /// The intent to start is not on disk.
    IntentInMemory,
    /// A start without an answer is sent again.
    StartAgain,
    /// What is doubted is removed with force, and said to have never started.
    ArbiterByForce,
    /// An attempt that was given up is started by the next process.
    GivenUpInMemory,
    /// A kill of ours that ends with code 0 is a success.
    KillIsSuccess,
    /// The end of any attempt counts.
    AttemptUnchecked,
    /// What was declined before its node was lost is not heard after it.
    DeclineRefused,
    /// `rerun: never` is treated like the rest when its node is lost.
    NeverIsLost,
    /// A node that leaves politely leaves no guard behind.
    NoGuard,
}

/// The protocol within its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    /// How far the world reaches.
    pub bounds: Bounds,
    /// The guard that is missing; none of the protocol as it is.
    pub without: Option<Mutant>,
}

impl Protocol {
    /// Whether this guard is left out.
    pub fn lacks(&self, guard: Mutant) -> bool {
        self.without == Some(guard)
    }

    /// Whether a container must be dead when its node's lease has run out.
    pub fn is_fenced(&self, container: usize) -> bool {
        self.bounds.rerun[container] != Rerun::Never
    }

    /// After how many ticks without a renewal a session is lost.
    pub fn lost_after(&self) -> i8 {
        let bounds = &self.bounds;
        let short = if self.lacks(Mutant::LostWithoutKill) { bounds.kill } else { 0 };
        let agree = if self.lacks(Mutant::ClocksAgree) { bounds.error } else { 0 };
        bounds.lost_after() - short - agree
    }
}
