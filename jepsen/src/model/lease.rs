//! Renewals, silence and time: the node's authority and the leader's patience.

use super::protocol::{CONTAINERS, Mutant, NODES, Protocol, Rerun};
use super::world::{Docker, Event, Node, Process, Renewal, World};

/// Which clock errs in a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// None.
    Right,
    /// This node's stands still.
    Slow(usize),
    /// The leader's runs double.
    LeaderFast,
}

impl World {
    /// Whether some machine is bound to have killed by now what it has not: then no time passes before it does. This
    /// is what promise 6 assumes: SIGKILL works within K, and a process that crashed is back before its lease has ended.
    fn is_overdue(&self, protocol: &Protocol, node: &Node) -> bool {
        if node.left > -protocol.bounds.kill || protocol.lacks(Mutant::NoFence) {
            return false;
        }
        match node.process {
            Process::Guarded if protocol.lacks(Mutant::NoGuard) => false,
            Process::Up | Process::Down | Process::Guarded => self.ladder(protocol, node).next().is_some(),
        }
    }

    /// What a fence must end on a node: container and attempt.
    pub fn ladder<'a>(
        &self,
        protocol: &'a Protocol,
        node: &'a Node,
    ) -> impl Iterator<Item = (usize, usize)> + use<'a> {
        let only_running = protocol.lacks(Mutant::FenceOnlyRunning) && !node.driving;
        let fenced = (0..CONTAINERS).filter(|container| protocol.is_fenced(*container));
        fenced.flat_map(move |container| {
            let tries = node.tries[container].iter().enumerate();
            let alive =
                tries.filter(
                    move |(_, one)| {
                        if only_running { one.docker == Docker::Running } else { one.is_alive() }
                    },
                );
            alive.map(move |(attempt, _)| (container, attempt))
        })
    }

    /// The clocks that may err now.
    pub fn clocks(&self) -> Vec<Clock> {
        let mut clocks = vec![Clock::Right];
        if self.error > 0 {
            let cut = (0..NODES).filter(|node| self.nodes[*node].cut);
            clocks.extend(cut.map(Clock::Slow));
            clocks.push(Clock::LeaderFast);
        }
        clocks
    }

    /// One tick passes everywhere.
    pub fn tick(&mut self, protocol: &Protocol, clock: Clock) -> bool {
        let stands = self.nodes.iter().all(|node| !node.cut);
        if stands || self.nodes.iter().any(|node| self.is_overdue(protocol, node)) {
            return false;
        }
        let Protocol { bounds, .. } = protocol;
        if clock != Clock::Right {
            self.error -= 1;
        }
        for (number, node) in self.nodes.iter_mut().enumerate() {
            self.log.sessions[number].fresh = false;
            if !node.cut {
                continue;
            }
            if self.log.sessions[number].open {
                let passed = if clock == Clock::LeaderFast { 2 } else { 1 };
                self.leader.silent[number] = (self.leader.silent[number] + passed).min(bounds.lost_after());
            }
            if clock == Clock::Slow(number) {
                continue;
            }
            node.left = (node.left - 1).max(-bounds.kill);
            node.may &= node.left > 0;
            let useful = bounds.lease + i8::from(protocol.lacks(Mutant::LeaseFromAnswer));
            node.renewal = match node.renewal {
                Renewal::Asked(age, leads) if age + 1 < useful => Renewal::Asked(age + 1, leads),
                Renewal::Granted(age) if age + 1 < useful => Renewal::Granted(age + 1),
                // It would bring nothing any more.
                Renewal::Asked(..) | Renewal::Granted(_) | Renewal::None => Renewal::None,
                Renewal::Denied => Renewal::Denied,
            };
        }
        true
    }

    /// Nothing of a node is heard at once any more.
    pub fn cut(&mut self, number: usize) -> bool {
        let node = &mut self.nodes[number];
        !std::mem::replace(&mut node.cut, true)
    }

    /// A node that was just heard of is in touch again.
    pub fn heal(&mut self, protocol: &Protocol, number: usize) -> bool {
        let (node, session) = (&mut self.nodes[number], self.log.sessions[number]);
        let fresh = node.may && node.left == protocol.bounds.lease && node.renewal == Renewal::None;
        let known = session.open && session.number == node.acting && self.leader.silent[number] == 0;
        let heals = node.cut && fresh && known && !self.leader.condemned[number];
        node.cut &= !heals;
        heals
    }

    /// The node notes the moment and asks for its lease; the leader asks a quorum.
    pub fn send_renewal(&mut self, protocol: &Protocol, number: usize) -> bool {
        let node = &mut self.nodes[number];
        let wants = !node.may || node.left < protocol.bounds.lease;
        let sends = node.cut
            && node.process == Process::Up
            && node.acting > 0
            && node.renewal == Renewal::None
            && wants;
        if sends {
            node.renewal = Renewal::Asked(0, true);
        }
        sends
    }

    /// Who was the leader when the quorum answered decides: is the session open, and not condemned?
    pub fn grant(&mut self, protocol: &Protocol, number: usize) -> bool {
        let Renewal::Asked(age, leads) = self.nodes[number].renewal else { return false };
        let session = self.log.sessions[number];
        let open = session.open && session.number == self.nodes[number].acting;
        // Who was deposed meanwhile has seen no more than what was committed when the quorum answered.
        let condemned = leads && self.leader.condemned[number];
        let grants = if leads { open && (!condemned || protocol.lacks(Mutant::NotCondemned)) } else { true };
        if !grants {
            self.nodes[number].renewal = Renewal::Denied;
            return true;
        }
        if condemned || leads && !open {
            self.event = Event::CondemnedGranted;
        }
        if leads {
            self.leader.silent[number] = 0;
        }
        self.nodes[number].renewal = Renewal::Granted(age);
        true
    }

    /// A deposed leader that asks nobody grants what it is sent.
    pub fn grant_unasked(&mut self, protocol: &Protocol, number: usize) -> bool {
        let Renewal::Asked(age, true) = self.nodes[number].renewal else { return false };
        if !protocol.lacks(Mutant::NoQuorumAsked) || !self.leader.deposed {
            return false;
        }
        self.nodes[number].renewal = Renewal::Granted(age);
        true
    }

    /// The node hears the answer.
    pub fn hear(&mut self, protocol: &Protocol, number: usize) -> bool {
        let node = &mut self.nodes[number];
        match node.renewal {
            Renewal::Granted(age) => {
                let counted = if protocol.lacks(Mutant::LeaseFromAnswer) { 0 } else { age };
                let left = protocol.bounds.lease - counted;
                node.left = node.left.max(left);
                node.may = node.left > 0;
            }
            Renewal::Denied => {
                node.may = false;
                node.left = node.left.min(0);
                node.acting = 0;
            }
            Renewal::None | Renewal::Asked(..) => return false,
        }
        node.renewal = Renewal::None;
        true
    }

    /// The leader has waited long enough: it grants no more to this session.
    pub fn condemn(&mut self, protocol: &Protocol, number: usize) -> bool {
        let due = self.log.sessions[number].open
            && !self.leader.condemned[number]
            && self.leader.silent[number] >= protocol.lost_after();
        self.leader.condemned[number] |= due;
        due
    }

    /// And says so in the log.
    pub fn lose(&mut self, protocol: &Protocol, number: usize) -> bool {
        self.leader.condemned[number] && self.commit_loss(protocol, number, self.log.sessions[number].number)
    }

    /// What was decided under an earlier reign is proposed by who decided it, and leads again.
    pub fn lose_late(&mut self, protocol: &Protocol) -> bool {
        let Some((node, session, elections)) = self.leader.left_over else { return false };
        self.leader.left_over = None;
        elections >= 2 && self.commit_loss(protocol, usize::from(node), session)
    }

    fn commit_loss(&mut self, protocol: &Protocol, number: usize, session: u8) -> bool {
        let fresh = self.log.sessions[number].fresh;
        let lost = self.log.node_lost(protocol, number, session);
        self.leader.condemned[number] = false;
        if lost && fresh {
            self.event = Event::LostAtOnce;
        }
        lost
    }

    /// The leader has not heard of a node for a while.
    pub fn suspect(&mut self, protocol: &Protocol, number: usize) -> bool {
        let session = self.log.sessions[number];
        let moves = |container| {
            protocol.bounds.rerun[container] == Rerun::Eager && self.log.is_claimed_by(number, container)
        };
        let matters = (0..CONTAINERS).any(moves);
        let due = session.open && !session.suspected && self.leader.silent[number] > 0 && matters;
        if due {
            self.log.suspected(protocol, number);
        }
        due
    }

    /// And hears of it again.
    pub fn trust(&mut self, number: usize) -> bool {
        let session = &mut self.log.sessions[number];
        let due = session.open && session.suspected && self.leader.silent[number] == 0;
        session.suspected &= !due;
        due
    }

    /// Another leader, which has heard of nobody yet.
    pub fn elect(&mut self, protocol: &Protocol) -> bool {
        if protocol.lacks(Mutant::LossOutlivesReign) {
            let decided = (0..NODES).find(|number| self.leader.condemned[*number]);
            let decided = decided.map(|number| (number as u8, self.log.sessions[number].number, 1));
            let before =
                self.leader.left_over.map(|(node, session, elections)| (node, session, elections + 1));
            self.leader.left_over = before.or(decided);
        }
        let heard = if protocol.lacks(Mutant::ImpatientLeader) { protocol.lost_after() } else { 0 };
        let held = |number: usize| if self.nodes[number].cut { heard } else { 0 };
        self.leader.silent = std::array::from_fn(held);
        let condemned = std::mem::take(&mut self.leader.condemned);
        self.leader.deposed = protocol.lacks(Mutant::NoQuorumAsked);
        for (number, node) in self.nodes.iter_mut().enumerate() {
            if let Renewal::Asked(age, _) = node.renewal {
                let session = self.log.sessions[number];
                let open = session.open && session.number == node.acting && !condemned[number];
                // What the deposed leader knew, it knows for as long as it answers.
                let granted = open || protocol.lacks(Mutant::GrantOutlivesReign);
                node.renewal = if granted { Renewal::Asked(age, false) } else { Renewal::None };
            }
        }
        true
    }
}
