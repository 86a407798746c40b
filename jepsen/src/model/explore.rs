//! The protocol as stateright sees it: from a world, every step that can be taken.

use stateright::{Model, Property};

use super::action::Action;
use super::attempt::Place;
use super::property;
use super::protocol::{ATTEMPTS, CONTAINERS, NODES, Protocol, Rerun};
use super::world::World;

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        actions.extend(world.clocks().into_iter().map(Action::Tick));
        for node in 0..NODES {
            actions.extend((0..CONTAINERS).map(|container| Action::Claim(node, container)));
            // Nothing follows from what a node does that holds nothing.
            if world.log.is_held_by(node) {
                of_node(self, world, node, actions);
            }
        }
        if world.faults > 0 {
            actions.push(Action::Elect);
        }
        if world.leader.left_over.is_some() {
            actions.push(Action::LoseLate);
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = *world;
        next.event = Default::default();
        if !next.take(self, action) {
            return None;
        }
        next.forget(self);
        Some(next)
    }

    fn format_action(&self, action: &Action) -> String {
        action.to_string()
    }

    fn properties(&self) -> Vec<Property<Protocol>> {
        property::all(self)
    }
}

fn of_node(protocol: &Protocol, world: &World, node: usize, actions: &mut Vec<Action>) {
    actions.extend([
        Action::HearDuties(node),
        Action::SendRenewal(node),
        Action::Grant(node),
        Action::GrantUnasked(node),
        Action::Hear(node),
        Action::Heal(node),
        Action::Condemn(node),
        Action::Lose(node),
        Action::Begin(node),
        Action::Look(node),
        Action::Silence(node),
        Action::Open(node),
        Action::Fence(node),
    ]);
    if protocol.bounds.rerun.contains(&Rerun::Eager) {
        actions.extend([Action::Suspect(node), Action::Trust(node)]);
    }
    if world.faults > 0 {
        actions.extend([Action::Cut(node), Action::Crash(node), Action::Leave(node), Action::Reboot(node)]);
    }
    for container in 0..CONTAINERS {
        for attempt in 0..ATTEMPTS {
            if world.log.holder(container, attempt) == Some(node) {
                of_attempt(world, (node, container, attempt), actions);
            }
        }
    }
}

fn of_attempt(world: &World, place: Place, actions: &mut Vec<Action>) {
    actions.extend([
        Action::Start(place),
        Action::EngineStarts(place),
        Action::EngineLoses(place),
        Action::ProgramEnds(place),
        Action::Doubt(place),
        Action::Conclude(place),
        Action::Resolve(place),
        Action::Remove(place),
        Action::Told(place),
    ]);
    if world.faults > 0 {
        actions.push(Action::Decline(place));
    }
}

impl World {
    /// Takes a step; false if it cannot be taken, or would change nothing.
    fn take(&mut self, protocol: &Protocol, action: Action) -> bool {
        match action {
            Action::Elect => self.fault() && self.elect(protocol),
            Action::Cut(node) => self.fault() && self.cut(node),
            Action::Heal(node) => self.heal(protocol, node),
            Action::Crash(node) => self.fault() && self.crash(protocol, node),
            Action::Leave(node) => self.fault() && self.leave(protocol, node),
            Action::Reboot(node) => self.fault() && self.reboot(protocol, node),
            Action::Decline(place) => self.fault() && self.decline(protocol, place),
            Action::Tick(clock) => self.tick(protocol, clock),
            Action::Claim(node, container) => self.claim((node, container)),
            Action::HearDuties(node) => self.hear_duties(node),
            Action::SendRenewal(node) => self.send_renewal(protocol, node),
            Action::Grant(node) => self.grant(protocol, node),
            Action::GrantUnasked(node) => self.grant_unasked(protocol, node),
            Action::Hear(node) => self.hear(protocol, node),
            Action::Condemn(node) => self.condemn(protocol, node),
            Action::Lose(node) => self.lose(protocol, node),
            Action::LoseLate => self.lose_late(protocol),
            Action::Suspect(node) => self.suspect(protocol, node),
            Action::Trust(node) => self.trust(node),
            Action::Begin(node) => self.begin(protocol, node),
            Action::Look(node) => self.look(protocol, node),
            Action::Silence(node) => self.silence(node),
            Action::Open(node) => self.open(protocol, node),
            Action::Fence(node) => self.fence(protocol, node),
            Action::Start(place) => self.start(protocol, place),
            Action::EngineStarts(place) => self.engine_starts(place),
            Action::EngineLoses(place) => self.engine_loses(place),
            Action::ProgramEnds(place) => self.program_ends(place),
            Action::Doubt(place) => self.doubt(protocol, place),
            Action::Conclude(place) => self.conclude(protocol, place),
            Action::Resolve(place) => self.resolve(protocol, place),
            Action::Remove(place) => self.remove(place),
            Action::Told(place) => self.told(protocol, place),
        }
    }

    /// One fault less may happen.
    fn fault(&mut self) -> bool {
        let may = self.faults > 0;
        self.faults = self.faults.saturating_sub(1);
        may
    }
}
