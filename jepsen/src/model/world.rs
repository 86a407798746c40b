//! Everything that is so at one moment.

use super::log::Log;
use super::protocol::{ATTEMPTS, CONTAINERS, Mutant, NODES, Protocol, Rerun};

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// What is committed.
    pub log: Log,
    /// What the leader remembers.
    pub leader: Leader,
    /// The machines.
    pub nodes: [Node; NODES],
    /// Faults that may still happen.
    pub faults: u8,
    /// Ticks by which the clocks may still come to differ.
    pub error: i8,
    /// How often each attempt has started.
    pub starts: [[u8; ATTEMPTS]; CONTAINERS],
    /// Which container has ended by itself, once.
    pub ended: [bool; CONTAINERS],
    /// What the step that led here showed.
    pub event: Event,
}

/// What only the step itself can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Event {
    /// Nothing.
    #[default]
    None,
    /// An end that a dead session's node reported late was counted.
    LateExitCounted,
    /// A dead session, or an attempt that was over, changed something.
    DeadChanged,
    /// A renewal of a condemned or lost session was granted.
    CondemnedGranted,
    /// A session was lost in the tick in which it was opened.
    LostAtOnce,
}

/// The memory of whoever leads. Which node it is makes no difference to anything here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Leader {
    /// Ticks since a renewal was granted, or since the election.
    pub silent: [i8; NODES],
    /// Whose session it has condemned.
    pub condemned: [bool; NODES],
    /// Somebody else led before.
    pub deposed: bool,
    /// A loss decided under an earlier reign: whose, of which session, and how many elections ago.
    pub left_over: Option<(u8, u8, u8)>,
}

/// A machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// Its pinode.
    pub process: Process,
    /// It is out of touch, or was: its renewals take their time, and are lost. A node that is not has been heard of just
    /// now, whenever that is, so that its clock need not be gone through.
    pub cut: bool,
    /// The machine has booted since its session was opened.
    pub rebooted: bool,
    /// This process has had a session, so that its workers know what they owe.
    pub driving: bool,
    /// The session under which it acts; 0 while it has none.
    pub acting: u8,
    /// How far it is with the next.
    pub plan: Plan,
    /// Some renewal of its session was granted to this process, and not revoked.
    pub may: bool,
    /// Ticks until the authority, or the patience of a process that has none yet, ends; negative after it, down to -K.
    pub left: i8,
    /// Its renewal under way.
    pub renewal: Renewal,
    /// What it holds.
    pub tries: [[Try; ATTEMPTS]; CONTAINERS],
}

/// A pinode process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Process {
    /// It runs.
    Up,
    /// It has crashed.
    Down,
    /// It has left politely; its guard is there.
    Guarded,
}

/// The way to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Plan {
    /// Not begun.
    None,
    /// The log shows its session as open: this number goes on.
    Resume(u8),
    /// This number comes next, once nothing runs.
    Fresh(u8),
    /// Nothing runs.
    Silent(u8),
}

/// A renewal, by how many ticks of the node ago it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Renewal {
    /// None is under way.
    None,
    /// A leader has it, and a quorum has said that this one leads; whether it still does.
    Asked(i8, bool),
    /// Granted, and not heard yet.
    Granted(i8),
    /// Denied, and not heard yet.
    Denied,
}

/// One attempt on one machine: what its engine shows, what is on disk, what its worker knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Try {
    /// What the worker believes it owes.
    pub duty: Duty,
    /// What the engine shows.
    pub docker: Docker,
    /// Starts on their way to the engine.
    pub flying: u8,
    /// On disk: a start was, or was about to be, sent.
    pub intent: bool,
    /// On disk: it was fenced, or given up before it started.
    pub fence: bool,
    /// This worker has said how it ended.
    pub over: bool,
    /// A report under way. It outlives its process.
    pub report: Option<Report>,
}

/// A duty, as `owed` derives it from the log; with the session of the claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Duty {
    /// None.
    #[default]
    None,
    /// Run it.
    Run(u8),
    /// Its session is over.
    Resolve(u8),
    /// Remove its Docker container.
    Remove,
    /// Leave it alone.
    Keep,
}

/// A Docker container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Docker {
    /// There is none.
    #[default]
    Absent,
    /// Made.
    Created,
    /// It runs.
    Running,
    /// It has ended by itself, with code 0.
    Ended,
    /// We have killed it; its code is 0 all the same.
    Killed,
    /// The machine booted.
    Cut,
}

/// What is told of an attempt, under a claim of that session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Report {
    /// Whose claim.
    pub session: u8,
    /// What.
    pub what: What,
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// It ended with code 0, and Docker vouches for it.
    Success,
    /// It was interrupted, or nobody knows.
    Interrupted,
    /// It has certainly never started.
    NeverStarted,
    /// The node does not take it.
    Declined,
}

impl Node {
    /// A healthy node that holds nothing.
    pub fn idle(protocol: &Protocol) -> Node {
        Node {
            process: Process::Up,
            cut: false,
            rebooted: false,
            driving: true,
            acting: 1,
            plan: Plan::None,
            may: true,
            left: protocol.bounds.lease,
            renewal: Renewal::None,
            tries: Default::default(),
        }
    }

    /// Whether everything fenced must be dead, soon.
    pub fn is_lapsed(&self) -> bool {
        self.left <= 0
    }
}

impl Try {
    /// Whether nothing can come of it any more, given that nobody waits for its end.
    fn is_dead(&self) -> bool {
        let has_run = matches!(self.docker, Docker::Ended | Docker::Killed | Docker::Cut);
        let may_start = matches!(self.duty, Duty::Run(_) | Duty::Resolve(_)) && !self.intent;
        self.flying == 0 && (has_run || !self.is_alive() && !may_start)
    }

    /// Whether it runs, or may.
    pub fn is_alive(&self) -> bool {
        self.docker == Docker::Running || self.docker == Docker::Created && self.flying > 0
    }
}

impl World {
    /// The first container is ready, the second waits for it.
    pub fn new(protocol: &Protocol) -> World {
        World {
            log: Log::new(),
            leader: Leader::default(),
            nodes: [Node::idle(protocol); NODES],
            faults: protocol.bounds.faults,
            error: protocol.bounds.error,
            starts: Default::default(),
            ended: Default::default(),
            event: Event::None,
        }
    }

    /// What makes no difference any more is forgotten, so that worlds that differ in nothing else are one. A node that
    /// holds nothing counts as healthy: whatever its lease was, the same follows from a claim that came earlier.
    pub fn forget(&mut self, protocol: &Protocol) {
        for node in 0..NODES {
            for container in 0..CONTAINERS {
                for attempt in 0..ATTEMPTS {
                    let over = matches!(
                        self.log.owed(node, container, attempt),
                        Duty::None | Duty::Remove | Duty::Keep
                    );
                    let one = &mut self.nodes[node].tries[container][attempt];
                    if over && !protocol.lacks(Mutant::AttemptUnchecked) {
                        // It would be stale.
                        one.report = None;
                    }
                    if over && one.is_dead() && one.report.is_none() {
                        let held = std::mem::take(one) != Try::default();
                        // It starts no more.
                        if held && protocol.bounds.rerun[container] != Rerun::Never {
                            self.starts[container][attempt] = 0;
                        }
                        self.log.removed(node, container, attempt);
                    }
                }
            }
            let holds_nothing = self.nodes[node].tries.iter().flatten().all(|one| *one == Try::default());
            if holds_nothing && !self.log.is_held_by(node) {
                self.nodes[node] = Node::idle(protocol);
                self.log.renew(node);
                self.leader.silent[node] = 0;
                self.leader.condemned[node] = false;
            }
        }
        for (number, node) in self.nodes.iter_mut().enumerate() {
            if !self.log.sessions[number].open {
                self.leader.silent[number] = 0;
            }
            // Who may start nothing, and has nothing to fence, has no use for a clock.
            if !node.may && !node.tries.iter().flatten().any(Try::is_alive) {
                node.left = -protocol.bounds.kill;
            }
        }
        for container in &mut self.log.containers {
            container.settle();
        }
    }
}
