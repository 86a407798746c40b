//! `Suspected`, `Trusted`, `NodeLost`: what the leader hears, or no longer hears, of a node.

use super::Step;
use crate::container::{Claim, Container, Failure, Outcome, Phase};
use crate::id::{ContainerId, NodeId, SessionId};
use crate::node::SessionState;
use crate::reply::{Reply, What};
use crate::spec::Rerun;

impl Step<'_> {
    pub(super) fn suspected(&mut self, session: SessionId) -> Reply {
        if !self.set_suspected(session, true) {
            return Reply::Stale;
        }
        self.say(None, Some(session.node), What::Suspected);
        for (id, _) in self.claims_of(session.node) {
            let eager = self.state.containers.get(&id).is_some_and(|c| c.spec.rerun == Rerun::Eager);
            if eager {
                self.lose(id);
            }
        }
        Reply::Done
    }

    pub(super) fn trusted(&mut self, session: SessionId) -> Reply {
        if !self.set_suspected(session, false) {
            return Reply::Stale;
        }
        self.say(None, Some(session.node), What::Trusted);
        Reply::Done
    }

    fn set_suspected(&mut self, session: SessionId, suspected: bool) -> bool {
        let before = SessionState::Open { suspected: !suspected };
        match self.state.nodes.get_mut(&session.node) {
            Some(node) if node.session == session.number && node.state == before => {
                node.state = SessionState::Open { suspected };
                true
            }
            Some(_) | None => false,
        }
    }

    pub(super) fn node_lost(&mut self, session: SessionId) -> Reply {
        if !self.is_open(session) {
            return Reply::Stale;
        }
        if let Some(node) = self.state.nodes.get_mut(&session.node) {
            node.state = SessionState::Lost;
        }
        self.is_away_no_more(session.node);
        self.say(None, Some(session.node), What::NodeLost(session.number));
        for (id, claim) in self.claims_of(session.node) {
            let waits = |c: &Container| c.spec.rerun == Rerun::Never && c.stop.is_none();
            if self.state.containers.get(&id).is_some_and(waits) {
                self.leave_unknown(id, claim);
            } else {
                self.lose(id);
            }
        }
        Reply::Done
    }

    /// What a node has claimed and not ended.
    pub(super) fn claims_of(&self, node: NodeId) -> Vec<(ContainerId, Claim)> {
        self.state.claims_of(node).map(|(container, claim)| (container.id, claim)).collect()
    }

    /// The attempt is lost; its room stays taken until the node's next session shows a clean engine.
    fn lose(&mut self, id: ContainerId) {
        let Some(container) = self.state.containers.get_mut(&id) else { return };
        let Some(claim) = container.phase.claim() else { return };
        if let Some(attempt) = container.latest_mut() {
            attempt.end = Some(Outcome::Lost);
        }
        self.say(Some(id), Some(claim.session.node), What::AttemptEnded(claim.attempt, Outcome::Lost));
        self.after_attempt(id, claim.session.node, &Outcome::Lost, 0);
    }

    /// One start is the promise: it waits for its node.
    fn leave_unknown(&mut self, id: ContainerId, claim: Claim) {
        let Some(container) = self.state.containers.get_mut(&id) else { return };
        container.phase = Phase::Unknown(claim);
        self.say(Some(id), Some(claim.session.node), What::Unknown);
    }

    /// A node will never come back: what it had claimed fails or runs elsewhere.
    pub(super) fn give_up_claims(&mut self, node: NodeId, why: &str) {
        for (id, _) in self.claims_of(node) {
            let never = self.state.containers.get(&id).is_some_and(|c| c.spec.rerun == Rerun::Never);
            if never {
                let failure = Failure { code: None, reason: Some(why.to_owned()) };
                self.end(id, Phase::Failed(failure), What::Failed(None, Some(why.to_owned())));
            } else {
                self.lose(id);
            }
        }
    }
}
