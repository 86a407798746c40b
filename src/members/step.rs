//! The next change of the membership, from how the members look. No IO, no clock.
//!
//! As many vote as are healthy, at most as many as is set, always an odd number: an even one survives no more losses than
//! the odd one below it. So a voter that is dead for long enough gives its vote to a healthy learner; without one, dead
//! voters go two at a time. One that is asked for is never followed before the change before it is committed.

use std::collections::{BTreeMap, BTreeSet};

use pinode_raft::types::Membership;
use pinode_scheduler::NodeId;

use super::agreement::odd;

/// One change of the membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A leader died in the middle of a joint change: these vote, as it had meant.
    Finish(BTreeSet<NodeId>),
    /// These vote from now on; who did before and does not any more learns.
    Vote(BTreeSet<NodeId>),
    /// These are no members any more.
    Forget(BTreeSet<NodeId>),
}

/// How a member looks from the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// It answers heartbeats.
    pub(super) in_reach: bool,
    /// Its log is as long as the leader's, or nearly.
    pub(super) caught_up: bool,
    /// Its session lives.
    pub(super) open: bool,
    /// It is out of reach and its session is lost, for so long that another shall vote in its place.
    pub(super) dead: bool,
    /// An operator declared it gone, or another disk has taken its name.
    pub(super) removed: bool,
}

/// The members as the leader sees them.
pub(super) struct View<'a> {
    pub(super) membership: &'a Membership,
    pub(super) looks: &'a BTreeMap<NodeId, Look>,
    /// The leader.
    pub(super) me: NodeId,
    /// Most voters.
    pub(super) most: usize,
}

/// None if all is as it should be, or nothing can be done about it.
pub(super) fn next_step(view: &View<'_>) -> Option<Step> {
    if let [_, .., meant] = view.membership.get_joint_config().as_slice() {
        return Some(Step::Finish(meant.clone()));
    }
    let forgotten = view.forgotten();
    if !forgotten.is_empty() {
        return Some(Step::Forget(forgotten));
    }
    let voters: BTreeSet<NodeId> = view.membership.voter_ids().collect();
    let target = view.target(&voters);
    let can = target != voters && view.majority_in_reach(&voters) && view.majority_in_reach(&target);
    can.then_some(Step::Vote(target))
}

impl View<'_> {
    fn look(&self, id: NodeId) -> Option<Look> {
        self.looks.get(&id).copied()
    }

    fn in_reach(&self, id: NodeId) -> bool {
        id == self.me || self.look(id).is_some_and(|look| look.in_reach)
    }

    fn removed(&self, id: NodeId) -> bool {
        self.look(id).is_some_and(|look| look.removed)
    }

    /// It can vote at once.
    fn ready(&self, id: NodeId) -> bool {
        self.look(id).is_some_and(|look| look.in_reach && look.caught_up && !look.removed)
    }

    fn gone(&self, id: NodeId) -> bool {
        id != self.me && self.look(id).is_none_or(|look| !look.in_reach && !look.open)
    }

    fn namesakes(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let name = self.membership.get_node(&id).map(|member| &member.name);
        let same = move |(other, member): &(&NodeId, &pinode_raft::Member)| {
            **other != id && Some(&member.name) == name
        };
        self.membership.nodes().filter(same).map(|(other, _)| *other)
    }

    /// Another disk bears its name and can do what it did.
    fn is_replaced(&self, id: NodeId) -> bool {
        self.gone(id) && self.namesakes(id).any(|other| self.ready(other))
    }

    /// Learners that never come back under their ids.
    fn forgotten(&self) -> BTreeSet<NodeId> {
        let learners = self.membership.learner_ids();
        learners.filter(|id| self.removed(*id) || self.is_replaced(*id)).collect()
    }

    fn target(&self, voters: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        let stays = |id: &&NodeId| !self.removed(**id) && !self.is_replaced(**id);
        let dead = |id: &NodeId| *id != self.me && self.look(*id).is_some_and(|look| look.dead);
        let (dead, kept): (Vec<NodeId>, Vec<NodeId>) = voters.iter().filter(stays).partition(|id| dead(id));
        // Who bears the name of a node that may still live waits for it to be lost.
        let eligible = |id: &NodeId| self.ready(*id) && self.namesakes(*id).all(|other| self.gone(other));
        let learners: Vec<NodeId> = self.membership.learner_ids().filter(eligible).collect();
        let count = odd((kept.len() + learners.len()).min(self.most));
        if count >= kept.len() {
            return kept.into_iter().chain(learners).take(count).collect();
        }
        // An even number is kept. A dead voter beside them does no harm: it would take one more loss with or without it.
        if let (Some(dead), true) = (dead.first(), kept.len() < self.most) {
            return kept.into_iter().chain([*dead]).collect();
        }
        let mut kept = kept;
        kept.sort_by_key(|id| (*id != self.me, !self.in_reach(*id), *id));
        kept.into_iter().take(count).collect()
    }

    fn majority_in_reach(&self, voters: &BTreeSet<NodeId>) -> bool {
        voters.iter().filter(|id| self.in_reach(**id)).count() > voters.len() / 2
    }
}

#[cfg(test)]
mod tests;
