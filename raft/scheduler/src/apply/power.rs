//! Noticing a blackout: looked for in every entry, before and after it acts. No command of its own.

use super::Step;
use crate::blackout::{Blackout, RAN_MAX};
use crate::command::Command;
use crate::id::{NodeId, SessionId};
use crate::reply::What;

impl Step<'_> {
    /// Before the entry acts: a session that ends unnoticed may be the first of all, and one that speaks shows that its
    /// node had power.
    pub(super) fn watch_power(&mut self, command: &Command) {
        if self.may_begin(command) && self.state.dark.is_none() {
            self.state.dark = Some(self.power_gone());
        }
        if let Command::SessionOpened { session, facts } = command
            && self.boots_anew(session.node, &facts.boot_id)
        {
            self.is_back(session.node);
        } else if spoken_by(command).is_some_and(|session| self.had_power(session)) {
            self.state.dark = None;
        }
    }

    /// Whether a session ends by this entry of which nobody had noticed that its node was gone.
    fn may_begin(&self, command: &Command) -> bool {
        if let Command::NodeLost { session } = command {
            return self.is_open(*session);
        }
        if let Command::SessionOpened { session, facts } = command {
            let open = self.state.nodes.get(&session.node).is_some_and(|node| node.is_open());
            return open && self.boots_anew(session.node, &facts.boot_id);
        }
        false
    }

    /// Whether the node is known, from another boot than this.
    fn boots_anew(&self, id: NodeId, boot_id: &str) -> bool {
        self.state.nodes.get(&id).is_some_and(|node| node.facts.boot_id != boot_id)
    }

    /// After it has acted: once everybody is back or lost, and most are back, it is certain.
    pub(super) fn settle_power(&mut self) {
        let Some(dark) = &self.state.dark else { return };
        let gone = |id: &NodeId| self.state.nodes.get(id).is_none_or(|node| !node.is_open());
        let over = dark.witnesses.iter().all(|id| dark.back.contains(id) || gone(id));
        if !over || dark.back.len() * 2 <= dark.witnesses.len() {
            return;
        }
        let words = format!(
            "all nodes were without power: {} of {} are back; {} containers ran",
            dark.back.len(),
            dark.witnesses.len(),
            dark.ran.len()
        );
        self.state.blackout = self.state.dark.take();
        self.say(None, None, What::Blackout(words));
    }

    fn power_gone(&self) -> Blackout {
        let claimed = self.state.containers.values().filter(|c| c.phase.claim().is_some());
        Blackout {
            at_ms: self.at_ms,
            witnesses: self.state.nodes.values().filter(|node| node.is_open()).map(|node| node.id).collect(),
            back: Default::default(),
            ran: claimed.map(|c| (c.id, c.attempt)).take(RAN_MAX).collect(),
        }
    }

    fn is_back(&mut self, id: NodeId) {
        // Who comes later than the others is back from the same blackout.
        for blackout in [&mut self.state.dark, &mut self.state.blackout].into_iter().flatten() {
            if blackout.witnesses.contains(&id) {
                blackout.back.insert(id);
            }
        }
    }

    /// Whether its living session is one of those that were open when the power may have gone.
    fn had_power(&self, session: SessionId) -> bool {
        let unheard = |b: &Blackout| b.witnesses.contains(&session.node) && !b.back.contains(&session.node);
        self.state.dark.as_ref().is_some_and(unheard) && self.is_open(session)
    }
}

/// The session whose node said this of itself.
fn spoken_by(command: &Command) -> Option<SessionId> {
    match command {
        Command::SessionOpened { session, .. }
        | Command::Started { session, .. }
        | Command::Healthy { session, .. }
        | Command::Exited { session, .. }
        | Command::Declined { session, .. }
        | Command::NodeCondition { session, .. }
        | Command::Trusted { session }
        | Command::Preparing { session, .. }
        | Command::Images { session, .. }
        | Command::Away { session, .. } => Some(*session),
        Command::Submit { .. }
        | Command::Stop { .. }
        | Command::Remove { .. }
        | Command::Retry { .. }
        | Command::Removed { .. }
        | Command::Suspected { .. }
        | Command::NodeLost { .. }
        | Command::TimerFired { .. }
        | Command::ForgetRequests { .. }
        | Command::Start { .. }
        | Command::Restart { .. }
        | Command::Rename { .. }
        | Command::Amend { .. }
        | Command::Drain { .. }
        | Command::Undrain { .. }
        | Command::RemoveNode { .. }
        | Command::LabelNode { .. }
        | Command::Configure { .. }
        | Command::LevelRaised { .. }
        | Command::Paced { .. } => None,
    }
}
