//! `Preparing`, `Started` and `Healthy`: how far an attempt has come. The last two are facts that stay, and release who
//! waits for them.

use super::Step;
use crate::container::{Claim, Phase};
use crate::id::ContainerId;
use crate::reply::{Reply, What};
use crate::timer::Timer;

impl Step<'_> {
    pub(super) fn preparing(&mut self, id: ContainerId, claim: Claim, what: &str) -> Reply {
        let Some(container) = self.claimed(id, claim) else { return Reply::Stale };
        if !matches!(container.phase, Phase::Claimed(_)) {
            return Reply::Stale;
        }
        if let Some(attempt) = container.latest_mut() {
            attempt.preparing = Some(what.to_owned());
        }
        self.say(Some(id), Some(claim.session.node), What::Preparing(what.to_owned()));
        Reply::Done
    }

    pub(super) fn started(&mut self, id: ContainerId, claim: Claim, started_at: &str) -> Reply {
        let Some(container) = self.claimed(id, claim) else { return Reply::Stale };
        if !matches!(container.phase, Phase::Claimed(_)) {
            return Reply::Stale;
        }
        container.phase = Phase::Running(claim);
        container.tally.started = true;
        if let Some(attempt) = container.latest_mut() {
            attempt.started_at = Some(started_at.to_owned());
        }
        if let Some(ms) = container.spec.run_timeout_ms {
            self.state.timers.insert(Timer::RunTimeout { container: id, attempt: claim.attempt }, ms);
        }
        self.say(Some(id), Some(claim.session.node), What::Started(claim.attempt));
        self.touched.push_back(id);
        Reply::Done
    }

    pub(super) fn healthy(&mut self, id: ContainerId, claim: Claim) -> Reply {
        let Some(container) = self.claimed(id, claim) else { return Reply::Stale };
        if container.tally.healthy {
            return Reply::Stale;
        }
        container.tally.healthy = true;
        self.say(Some(id), Some(claim.session.node), What::Healthy(claim.attempt));
        self.touched.push_back(id);
        Reply::Done
    }
}
