//! The replicated state, and what each entry does to it: `apply` of the scheduler, without everything that has nothing
//! to do with claims.

use super::protocol::{ATTEMPTS, CONTAINERS, Mutant, NODES, Protocol, Rerun};
use super::world::{Duty, What};

/// What is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Log {
    /// The latest session of each node.
    pub sessions: [Session; NODES],
    /// The containers.
    pub containers: [Container; CONTAINERS],
    /// Who may still have an attempt's Docker container.
    kept: [[Option<u8>; ATTEMPTS]; CONTAINERS],
}

/// A session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Session {
    /// Its number.
    pub number: u8,
    /// It lives.
    pub open: bool,
    /// No claims for now.
    pub suspected: bool,
    /// Its node has left politely.
    pub away: bool,
    /// It was opened in this tick.
    pub fresh: bool,
}

/// A container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Container {
    /// Where it stands.
    pub phase: Phase,
    /// The latest attempt, from 1; 0 before the first.
    pub attempt: u8,
    /// Who was to run it: node and session.
    pub claim: (u8, u8),
    /// The latest attempt was lost.
    pub lost: bool,
    /// Nodes that do not take it.
    pub barred: [bool; NODES],
}

/// Where a container stands. `Started` makes no difference to a claim, so there is no `Running`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// It waits for the first.
    Blocked,
    /// It waits for a node.
    Ready,
    /// A node is to run it.
    Claimed,
    /// Its node is away, and it must not run twice.
    Unknown,
    /// It has succeeded.
    Succeeded,
    /// It has failed.
    Failed,
}

impl Phase {
    /// Whether it has ended for good.
    pub fn is_terminal(self) -> bool {
        match self {
            Phase::Succeeded | Phase::Failed => true,
            Phase::Blocked | Phase::Ready | Phase::Claimed | Phase::Unknown => false,
        }
    }
}

/// What `apply` made of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Nothing.
    Stale,
    /// It counts, for the claim of a session that lives.
    Yes,
    /// It counts, for a session that is over.
    Late,
    /// It changed something, and should not have.
    Wrongly,
}

impl Container {
    fn new(phase: Phase) -> Container {
        Container { phase, attempt: 0, claim: (0, 0), lost: false, barred: [false; NODES] }
    }

    /// Of what nobody has claimed, nothing matters but where it stands.
    pub fn settle(&mut self) {
        if self.phase.is_terminal() {
            self.barred = [false; NODES];
            self.lost = false;
        }
        if !self.lost && !matches!(self.phase, Phase::Claimed | Phase::Unknown) {
            self.claim = (0, 0);
        }
    }
}

impl Log {
    /// Three sessions are open, the first container is ready.
    pub fn new() -> Log {
        let session = Session { number: 1, open: true, suspected: false, away: false, fresh: false };
        Log {
            sessions: [session; NODES],
            containers: [Container::new(Phase::Ready), Container::new(Phase::Blocked)],
            kept: Default::default(),
        }
    }

    /// What a node owes for an attempt.
    pub fn owed(&self, node: usize, container: usize, attempt: usize) -> Duty {
        if self.kept[container][attempt] != Some(node as u8) {
            return Duty::None;
        }
        let container = &self.containers[container];
        if usize::from(container.attempt) != attempt + 1 {
            return Duty::Remove;
        }
        let session = container.claim.1;
        match container.phase {
            Phase::Claimed if session == self.sessions[node].number => Duty::Run(session),
            Phase::Claimed | Phase::Unknown => Duty::Resolve(session),
            Phase::Ready if container.lost => Duty::Resolve(session),
            Phase::Ready | Phase::Blocked | Phase::Succeeded | Phase::Failed => Duty::Keep,
        }
    }

    /// Whether an attempt of its is not over.
    pub fn is_held_by(&self, node: usize) -> bool {
        self.kept.iter().flatten().any(|holder| *holder == Some(node as u8))
    }

    /// Who holds an attempt.
    pub fn holder(&self, container: usize, attempt: usize) -> Option<usize> {
        self.kept[container][attempt].map(usize::from)
    }

    /// Whether a node may be given a container.
    pub fn is_claimable(&self, node: usize, container: usize) -> bool {
        let Session { open, suspected, away, .. } = self.sessions[node];
        let wanted = &self.containers[container];
        open && !suspected
            && !away
            && wanted.phase == Phase::Ready
            && usize::from(wanted.attempt) < ATTEMPTS
            && !wanted.barred[node]
    }

    /// The placement that goes with the entry that made it ready, or that made room.
    pub fn claim(&mut self, node: usize, container: usize) {
        let session = self.sessions[node].number;
        let wanted = &mut self.containers[container];
        self.kept[container][usize::from(wanted.attempt)] = Some(node as u8);
        wanted.attempt += 1;
        wanted.phase = Phase::Claimed;
        wanted.claim = (node as u8, session);
        wanted.lost = false;
    }

    /// `SessionOpened` of the number that is there: goes on if it lives and no boot came between.
    pub fn resume(&mut self, node: usize, number: u8, rebooted: bool) -> bool {
        let session = &mut self.sessions[node];
        let lives = session.open && session.number == number && !rebooted;
        if lives {
            session.away = false;
        }
        lives
    }

    /// `SessionOpened` of the next number: ends the old session; its claims stay until their ends are told.
    pub fn reopen(&mut self, node: usize, number: u8) -> bool {
        let session = &mut self.sessions[node];
        let fits = number > session.number;
        if fits {
            *session = Session { number, open: true, suspected: false, away: false, fresh: true };
        }
        fits
    }

    /// A node that holds nothing begins anew.
    pub fn renew(&mut self, node: usize) {
        self.sessions[node] = Log::new().sessions[node];
    }

    /// `NodeLost`; false if that session was over.
    pub fn node_lost(&mut self, protocol: &Protocol, node: usize, number: u8) -> bool {
        let session = &mut self.sessions[node];
        if !session.open || session.number != number {
            return false;
        }
        session.open = false;
        for container in 0..CONTAINERS {
            let never = protocol.bounds.rerun[container] == Rerun::Never;
            if !self.is_claimed_by(node, container) {
                continue;
            }
            if never && !protocol.lacks(Mutant::NeverIsLost) {
                self.containers[container].phase = Phase::Unknown;
            } else {
                self.lose(container);
            }
        }
        true
    }

    /// `Suspected`: only what is eager moves.
    pub fn suspected(&mut self, protocol: &Protocol, node: usize) {
        self.sessions[node].suspected = true;
        for container in 0..CONTAINERS {
            if protocol.bounds.rerun[container] == Rerun::Eager && self.is_claimed_by(node, container) {
                self.lose(container);
            }
        }
    }

    /// Whether it is to run a container, or was.
    pub fn is_claimed_by(&self, node: usize, container: usize) -> bool {
        let container = &self.containers[container];
        matches!(container.phase, Phase::Claimed | Phase::Unknown) && container.claim.0 == node as u8
    }

    fn lose(&mut self, container: usize) {
        self.containers[container].lost = true;
        self.containers[container].phase = Phase::Ready;
    }

    /// `Exited` and `Declined`.
    pub fn told(
        &mut self,
        protocol: &Protocol,
        (node, container, attempt): (usize, usize, usize),
        session: u8,
        what: What,
    ) -> Counted {
        let it = self.containers[container];
        let latest = usize::from(it.attempt) == attempt + 1 && it.claim == (node as u8, session);
        let claimed = latest && matches!(it.phase, Phase::Claimed | Phase::Unknown);
        let counts = match what {
            What::Declined if protocol.lacks(Mutant::DeclineRefused) => claimed && it.phase == Phase::Claimed,
            What::Declined => claimed,
            What::Success | What::Interrupted | What::NeverStarted => {
                claimed || latest && it.phase == Phase::Ready && it.lost
            }
        };
        let unchecked = protocol.lacks(Mutant::AttemptUnchecked) && !it.phase.is_terminal() && it.attempt > 0;
        if !counts && !unchecked {
            return Counted::Stale;
        }
        let lives = self.sessions[node].open && self.sessions[node].number == session;
        self.end(protocol, node, container, what);
        match (counts, lives) {
            (false, _) => Counted::Wrongly,
            (true, true) => Counted::Yes,
            (true, false) => Counted::Late,
        }
    }

    fn end(&mut self, protocol: &Protocol, node: usize, container: usize, what: What) {
        let never = protocol.bounds.rerun[container] == Rerun::Never;
        let it = &mut self.containers[container];
        it.lost = false;
        it.phase = match what {
            What::Success => Phase::Succeeded,
            What::Interrupted if never => Phase::Failed,
            What::Interrupted => Phase::Ready,
            What::NeverStarted | What::Declined => {
                it.barred[node] = true;
                Phase::Ready
            }
        };
        if it.phase == Phase::Succeeded {
            for other in &mut self.containers {
                if other.phase == Phase::Blocked {
                    other.phase = Phase::Ready;
                }
            }
        }
    }

    /// `Removed`.
    pub fn removed(&mut self, node: usize, container: usize, attempt: usize) {
        let holder = &mut self.kept[container][attempt];
        if *holder == Some(node as u8) {
            *holder = None;
        }
    }
}
