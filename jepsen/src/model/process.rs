//! What a process does as a whole: it ends, begins, opens a session, and makes the engine silent before a new one.

use super::protocol::{ATTEMPTS, CONTAINERS, Mutant, Protocol};
use super::world::{Docker, Duty, Node, Plan, Process, Renewal, World};

impl Node {
    /// A process ends, and with it what only it knew.
    fn ends(&mut self, protocol: &Protocol, into: Process) {
        self.process = into;
        self.cut = true;
        self.driving = false;
        self.acting = 0;
        self.plan = Plan::None;
        self.may = false;
        self.renewal = Renewal::None;
        for one in self.tries.iter_mut().flatten() {
            one.duty = Duty::None;
            one.over = false;
            one.intent &= !protocol.lacks(Mutant::IntentInMemory);
        }
    }
}

impl World {
    /// kill -9: engine and containers go on.
    pub fn crash(&mut self, protocol: &Protocol, number: usize) -> bool {
        let node = &mut self.nodes[number];
        let runs = node.process == Process::Up;
        if runs {
            node.ends(protocol, Process::Down);
        }
        runs
    }

    /// SIGTERM: `Away` is committed, and a guard fences when the grace, here a lease, has run out.
    pub fn leave(&mut self, protocol: &Protocol, number: usize) -> bool {
        let node = &mut self.nodes[number];
        let session = &mut self.log.sessions[number];
        if node.process != Process::Up || node.acting == 0 || node.acting != session.number || !session.open {
            return false;
        }
        session.away = true;
        node.ends(protocol, Process::Guarded);
        node.left = protocol.bounds.lease;
        self.leader.silent[number] = 0;
        true
    }

    /// The power goes, and comes back: whatever ran has ended, what was on its way is gone.
    pub fn reboot(&mut self, protocol: &Protocol, number: usize) -> bool {
        let node = &mut self.nodes[number];
        node.ends(protocol, Process::Down);
        node.rebooted = true;
        node.left = -protocol.bounds.kill;
        for one in node.tries.iter_mut().flatten() {
            one.flying = 0;
            if one.docker == Docker::Running {
                one.docker = Docker::Cut;
            }
        }
        true
    }

    /// A process begins. It fences when the authority that was granted to an earlier one of this boot runs out.
    pub fn begin(&mut self, protocol: &Protocol, number: usize) -> bool {
        let node = &mut self.nodes[number];
        if node.process == Process::Up {
            return false;
        }
        node.process = Process::Up;
        if protocol.lacks(Mutant::PatienceAnew) && !node.rebooted {
            node.left = protocol.bounds.lease;
        }
        true
    }

    /// A linearizable look at the log: which session is next?
    pub fn look(&mut self, protocol: &Protocol, number: usize) -> bool {
        let node = &mut self.nodes[number];
        let session = self.log.sessions[number];
        let begins = node.process == Process::Up && node.acting == 0 && node.plan == Plan::None;
        if !begins {
            return false;
        }
        if session.open && !node.rebooted {
            node.plan = Plan::Resume(session.number);
        } else if session.number < protocol.bounds.sessions {
            node.plan = Plan::Fresh(session.number + 1);
        } else {
            return false;
        }
        true
    }

    /// Everything that runs here is killed, what may still start is removed.
    pub fn silence(&mut self, number: usize) -> bool {
        let Plan::Fresh(next) = self.nodes[number].plan else { return false };
        for container in 0..CONTAINERS {
            for attempt in 0..ATTEMPTS {
                self.end_by_force(number, container, attempt);
            }
        }
        self.nodes[number].plan = Plan::Silent(next);
        true
    }

    /// `SessionOpened`.
    pub fn open(&mut self, protocol: &Protocol, number: usize) -> bool {
        let Node { plan, rebooted, .. } = self.nodes[number];
        let opened = match plan {
            Plan::Resume(session) => self.log.resume(number, session, rebooted).then_some(session),
            Plan::Silent(session) => self.reopen(protocol, number, session),
            Plan::Fresh(_) | Plan::None => return false,
        };
        let node = &mut self.nodes[number];
        node.plan = Plan::None;
        if let Some(session) = opened {
            node.acting = session;
            if !node.driving {
                node.driving = true;
                self.hear_duties(number);
            }
        }
        true
    }

    fn reopen(&mut self, protocol: &Protocol, number: usize, session: u8) -> Option<u8> {
        if !self.log.reopen(number, session) {
            return None;
        }
        self.nodes[number].rebooted = false;
        let unheard = protocol.lacks(Mutant::NewSessionUnheard);
        self.leader.silent[number] = if unheard { protocol.lost_after() } else { 0 };
        self.leader.condemned[number] = false;
        Some(session)
    }

    /// What is committed reaches the node, and its workers.
    pub fn hear_duties(&mut self, number: usize) -> bool {
        if self.nodes[number].process != Process::Up || !self.nodes[number].driving {
            return false;
        }
        let before = self.nodes[number].tries;
        for container in 0..CONTAINERS {
            for attempt in 0..ATTEMPTS {
                let duty = self.log.owed(number, container, attempt);
                let one = &mut self.nodes[number].tries[container][attempt];
                if matches!(duty, Duty::None | Duty::Keep) {
                    // Its worker ends.
                    one.over = false;
                }
                one.duty = duty;
            }
        }
        self.nodes[number].tries != before
    }

    /// A process without a session, or a guard, kills what is fenced when its time is up.
    pub fn fence(&mut self, protocol: &Protocol, number: usize) -> bool {
        let node = &self.nodes[number];
        let fences = match node.process {
            Process::Up => !node.driving,
            Process::Guarded => !protocol.lacks(Mutant::NoGuard),
            Process::Down => false,
        };
        if !fences || !node.is_lapsed() || protocol.lacks(Mutant::NoFence) {
            return false;
        }
        let ladder: Vec<(usize, usize)> = self.ladder(protocol, &self.nodes[number]).collect();
        for (container, attempt) in &ladder {
            self.end_by_force(number, *container, *attempt);
        }
        !ladder.is_empty()
    }

    /// The intent is on disk before the signal is sent; what has not started goes without force, and its intent stays.
    fn end_by_force(&mut self, number: usize, container: usize, attempt: usize) {
        let one = &mut self.nodes[number].tries[container][attempt];
        if one.docker == Docker::Running {
            one.fence = true;
            one.docker = Docker::Killed;
        } else if one.is_alive() {
            one.docker = Docker::Absent;
            one.flying = 0;
        }
    }
}
