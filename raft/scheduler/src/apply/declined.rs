//! `Declined`: the node does not take its claim; the next in the ranking is claimed in the same entry.

use super::Step;
use crate::container::{Claim, Decline, Failure, Outcome, Phase};
use crate::filter::Crowd;
use crate::id::ContainerId;
use crate::node::Node;
use crate::reply::{Reply, What};
use crate::seeker::Seeker;

/// Nodes that a sentence names.
const NAMED_MAX: usize = 8;

impl Step<'_> {
    pub(super) fn declined(&mut self, id: ContainerId, claim: Claim, reason: &Decline) -> Reply {
        // What has started can end, but no longer be declined.
        if self.claimed(id, claim).is_none_or(|container| !matches!(container.phase, Phase::Claimed(_))) {
            return Reply::Stale;
        }
        let node = claim.session.node;
        if let Some(node) = self.state.nodes.get_mut(&node) {
            node.release(id, claim.attempt);
        }
        if let Some(attempt) = self.state.containers.get_mut(&id).and_then(|c| c.latest_mut()) {
            attempt.end = Some(Outcome::NeverStarted { reason: reason.sentence() });
        }
        self.say(Some(id), Some(node), What::Declined(reason.sentence()));
        self.bar(id, node, reason.clone());
        let stopped = self.state.containers.get_mut(&id).and_then(|container| container.stop.take());
        if let Some(stop) = stopped.filter(|stop| !stop.again) {
            self.end(id, Phase::Cancelled { code: None }, What::Cancelled(None));
            if stop.remove {
                self.forget_container(id);
            }
        } else if let Some(reason) = self.image_is_nowhere(id) {
            let reason = Some(reason);
            let failure = Failure { code: Some(125), reason: reason.clone() };
            self.end(id, Phase::Failed(failure), What::Failed(Some(125), reason));
        } else {
            self.make_ready(id);
        }
        Reply::Done
    }

    /// The sentence, if every node that may run it and whose session lives has said that it cannot get the image. Who is
    /// excluded (by a constraint, or the home of a volume) is never asked, and could not help; who only has the wrong
    /// neighbours now may be asked later.
    fn image_is_nowhere(&self, id: ContainerId) -> Option<String> {
        let container = self.state.containers.get(&id)?;
        // Its word counts when its bar is lifted, too: who asked a registry for long enough has been heard, and the others
        // take as long.
        let lacks = |node| match container.bars.get(node).map(|bar| &bar.reason) {
            Some(Decline::ImageMissing(_)) => true,
            Some(
                Decline::NoSpace(_) | Decline::EngineAway(_) | Decline::NeverStarted(_) | Decline::Other(_),
            )
            | None => false,
        };
        let open: Vec<&Node> = self.state.nodes.values().filter(|node| node.is_open()).collect();
        let seeker = Seeker::new(self.state, container, self.state.shared_id(), &mut Crowd::default());
        let may: Vec<&Node> = open.iter().copied().filter(|node| seeker.excluded(node).is_none()).collect();
        if may.is_empty() || !may.iter().all(|node| lacks(&node.id)) {
            return None;
        }
        let image = &container.spec.image;
        let whom = if may.len() == open.len() {
            String::new()
        } else {
            let names: Vec<&str> = may.iter().take(NAMED_MAX).map(|node| node.facts.name.as_str()).collect();
            format!(" that may run it ({})", names.join(", "))
        };
        Some(format!(
            "image {image} is on no node{whom}; load or build it on one (docker load, docker build)"
        ))
    }
}
