//! One attempt on one machine: the worker's steps, and the engine's.

use super::log::{Counted, Phase};
use super::protocol::{Mutant, Protocol};
use super::world::{Docker, Duty, Event, Process, Report, Try, What, World};

/// Which attempt, and where: node, container, attempt.
pub type Place = (usize, usize, usize);

impl World {
    fn at(&mut self, (node, container, attempt): Place) -> &mut Try {
        &mut self.nodes[node].tries[container][attempt]
    }

    /// Whether its worker is to launch it, and the session of the claim.
    fn launches(&self, protocol: &Protocol, (node, container, attempt): Place) -> Option<u8> {
        let node = &self.nodes[node];
        let one = node.tries[container][attempt];
        let Duty::Run(session) = one.duty else { return None };
        let fenced = node.is_lapsed() && protocol.is_fenced(container) && !protocol.lacks(Mutant::NoFence);
        (node.process == Process::Up && !one.over && !fenced).then_some(session)
    }

    fn may_start(&self, protocol: &Protocol, node: usize, session: u8) -> bool {
        let node = &self.nodes[node];
        let same = node.acting == session || protocol.lacks(Mutant::AnySession);
        node.may && node.acting > 0 && same
    }

    /// It is made, the intent is on disk, and the start is sent, once.
    pub fn start(&mut self, protocol: &Protocol, place: Place) -> bool {
        let Some(session) = self.launches(protocol, place) else { return false };
        let may = self.may_start(protocol, place.0, session) || protocol.lacks(Mutant::StartWithoutLease);
        let again = protocol.lacks(Mutant::StartAgain);
        let one = self.at(place);
        let first = matches!(one.docker, Docker::Absent | Docker::Created) && !one.intent && !one.fence;
        let resent = again && one.intent && one.flying == 1 && one.docker != Docker::Absent;
        if !may || !first && !resent {
            return false;
        }
        if first {
            one.docker = Docker::Created;
        }
        one.intent = true;
        one.flying += 1;
        true
    }

    /// The engine carries a start out; one that comes a second time runs what has ended again.
    pub fn engine_starts(&mut self, place: Place) -> bool {
        let one = self.at(place);
        if one.flying == 0 {
            return false;
        }
        one.flying -= 1;
        match one.docker {
            Docker::Created | Docker::Ended | Docker::Killed | Docker::Cut => one.docker = Docker::Running,
            // It says that it runs already.
            Docker::Running => return true,
            Docker::Absent => return false,
        }
        let starts = &mut self.starts[place.1][place.2];
        *starts = (*starts + 1).min(2);
        true
    }

    /// A start is never carried out.
    pub fn engine_loses(&mut self, place: Place) -> bool {
        let one = self.at(place);
        let loses = one.flying > 0;
        one.flying = one.flying.saturating_sub(1);
        loses
    }

    /// The program ends by itself, with code 0.
    pub fn program_ends(&mut self, place: Place) -> bool {
        let one = self.at(place);
        let ends = one.docker == Docker::Running;
        if ends {
            one.docker = Docker::Ended;
            self.ended[place.1] = true;
        }
        ends
    }

    /// There is an intent, and the container has not started: a removal without force decides.
    pub fn doubt(&mut self, protocol: &Protocol, place: Place) -> bool {
        let Some(session) = self.launches(protocol, place) else { return false };
        let force = protocol.lacks(Mutant::ArbiterByForce);
        let one = self.at(place);
        let doubted = one.docker == Docker::Created || force && one.docker == Docker::Running;
        let doubts = doubted && one.intent;
        if doubts {
            self.arbitrate(protocol, place, session);
        }
        doubts
    }

    fn arbitrate(&mut self, protocol: &Protocol, place: Place, session: u8) {
        let one = self.at(place);
        one.docker = Docker::Absent;
        one.flying = 0;
        one.intent = false;
        self.give_up(protocol, place, session, What::NeverStarted);
    }

    /// That it will not be started is on disk before it is said: the next process must not start it.
    fn give_up(&mut self, protocol: &Protocol, place: Place, session: u8, what: What) {
        let durable = !protocol.lacks(Mutant::GivenUpInMemory);
        self.at(place).fence |= durable;
        self.say(place, session, what);
    }

    fn say(&mut self, place: Place, session: u8, what: What) {
        let one = self.at(place);
        one.over = true;
        one.report = Some(Report { session, what });
    }

    /// The node does not take it.
    pub fn decline(&mut self, protocol: &Protocol, place: Place) -> bool {
        let Some(session) = self.launches(protocol, place) else { return false };
        let one = self.at(place);
        let declines = !one.intent && one.docker == Docker::Absent;
        if declines {
            self.give_up(protocol, place, session, What::Declined);
        }
        declines
    }

    /// Docker shows how it ended, and so it is told.
    pub fn conclude(&mut self, protocol: &Protocol, place: Place) -> bool {
        let session = match self.at(place).duty {
            Duty::Run(session) | Duty::Resolve(session) => session,
            Duty::None | Duty::Remove | Duty::Keep => return false,
        };
        if self.nodes[place.0].process != Process::Up || self.at(place).over {
            return false;
        }
        let one = *self.at(place);
        let trusted = !one.fence || protocol.lacks(Mutant::KillIsSuccess);
        let what = match one.docker {
            Docker::Ended | Docker::Killed if trusted => What::Success,
            Docker::Ended | Docker::Killed | Docker::Cut => What::Interrupted,
            Docker::Absent if one.intent => What::Interrupted,
            Docker::Absent | Docker::Created | Docker::Running => return false,
        };
        self.say(place, session, what);
        true
    }

    /// Its session is over, or the lease is: it is not started, what runs is killed, what may start is removed.
    pub fn resolve(&mut self, protocol: &Protocol, place: Place) -> bool {
        let (lapsed, up) = (self.nodes[place.0].is_lapsed(), self.nodes[place.0].process == Process::Up);
        let fenced = protocol.is_fenced(place.1) && lapsed;
        let one = *self.at(place);
        let session = match one.duty {
            Duty::Run(session) if fenced || one.fence && !one.intent => session,
            Duty::Resolve(session) => session,
            Duty::None | Duty::Run(_) | Duty::Remove | Duty::Keep => return false,
        };
        if !up || one.over || protocol.lacks(Mutant::NoFence) {
            return false;
        }
        match one.docker {
            Docker::Running => {
                let one = self.at(place);
                one.fence = true;
                one.docker = Docker::Killed;
            }
            Docker::Created if one.intent => self.arbitrate(protocol, place, session),
            Docker::Absent if one.intent => return false,
            Docker::Absent => self.give_up(protocol, place, session, What::NeverStarted),
            // There was an intent, and it was not on disk.
            Docker::Created => return false,
            Docker::Ended | Docker::Killed | Docker::Cut => return false,
        }
        true
    }

    /// Nobody needs it any more: removed by force, and forgotten.
    pub fn remove(&mut self, place: Place) -> bool {
        let up = self.nodes[place.0].process == Process::Up;
        let one = self.at(place);
        let removes = up && one.duty == Duty::Remove && one.docker != Docker::Absent;
        if removes {
            *one = Try { duty: Duty::Remove, report: one.report, ..Try::default() };
        }
        removes
    }

    /// A report is committed, however late.
    pub fn told(&mut self, protocol: &Protocol, place: Place) -> bool {
        let Some(Report { session, what }) = self.at(place).report.take() else { return false };
        let before = self.log.containers[place.1].phase;
        match self.log.told(protocol, place, session, what) {
            Counted::Stale | Counted::Yes => {}
            Counted::Late => self.event = Event::LateExitCounted,
            Counted::Wrongly => self.event = Event::DeadChanged,
        }
        if before.is_terminal() && self.log.containers[place.1].phase != before {
            self.event = Event::DeadChanged;
        }
        true
    }

    /// A ready container is given to a node. Nodes that hold nothing are alike: the first of them stands for all.
    pub fn claim(&mut self, (node, container): (usize, usize)) -> bool {
        if !self.log.is_claimable(node, container) {
            return false;
        }
        let idle = |node: usize| !self.log.is_held_by(node) && self.log.is_claimable(node, container);
        if idle(node) && (0..node).any(idle) {
            return false;
        }
        self.log.claim(node, container);
        true
    }

    /// Whether attempts of a fenced container run at the same time.
    pub fn overlaps(&self, container: usize) -> bool {
        let tries = self.nodes.iter().flat_map(|node| &node.tries[container]);
        tries.filter(|one| one.docker == Docker::Running).count() > 1
    }

    /// Whether a container has succeeded.
    pub fn has_succeeded(&self, container: usize) -> bool {
        self.log.containers[container].phase == Phase::Succeeded
    }
}
