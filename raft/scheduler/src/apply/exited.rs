//! `Exited`: an attempt ended, as the node that saw it says.

use super::Step;
use crate::container::{Claim, Outcome, Phase};
use crate::id::ContainerId;
use crate::mutant::{self, Mutant};
use crate::reply::{Reply, What};

impl Step<'_> {
    pub(super) fn exited(
        &mut self,
        id: ContainerId,
        claim: Claim,
        outcome: &Outcome,
        [started_at, finished_at]: [&Option<String>; 2],
        ran_ms: u64,
    ) -> Reply {
        if let Some(node) = self.state.nodes.get_mut(&claim.session.node) {
            node.release(id, claim.attempt);
        }
        if !self.counts(id, claim) {
            return Reply::Stale;
        }
        let Some(container) = self.state.containers.get_mut(&id) else { return Reply::Stale };
        if let Some(attempt) = container.latest_mut() {
            attempt.started_at = started_at.clone().or(attempt.started_at.take());
            attempt.finished_at.clone_from(finished_at);
            attempt.end = Some(outcome.clone());
        }
        container.tally.started |= started_at.is_some();
        self.state.ready.remove(&container.order);
        self.say(Some(id), Some(claim.session.node), What::AttemptEnded(claim.attempt, outcome.clone()));
        self.touched.push_back(id);
        self.after_attempt(id, claim.session.node, outcome, ran_ms);
        Reply::Done
    }

    /// Whether the report is about the present claim, or about the last attempt, lost but not yet followed by another.
    fn counts(&mut self, id: ContainerId, claim: Claim) -> bool {
        if self.claimed(id, claim).is_some() || mutant::is(Mutant::TakesStaleReports) {
            return true;
        }
        let Some(container) = self.state.containers.get(&id) else { return false };
        let waits = container.phase == Phase::Ready;
        let last = container.latest();
        waits
            && last.is_some_and(|last| {
                last.number == claim.attempt
                    && last.session == claim.session
                    && last.end == Some(Outcome::Lost)
            })
    }
}
