//! Which node claims what is ready: filters, then preferences, then the strategy. Pure, so every node names the same.

use std::cmp::Reverse;

use crate::apply::Step;
use crate::container::{Attempt, Claim, Container, Phase};
use crate::filter::{Crowd, slots};
use crate::id::{ContainerId, NodeId};
#[cfg(feature = "mutants")]
use crate::mutant::{self, Mutant};
use crate::node::Node;
use crate::reply::What;
use crate::seeker::{Seeker, unclaimable};

impl Container {
    /// Whether a node that does not fit may fit once others have found theirs.
    fn looks_at_others(&self) -> bool {
        !self.spec.beside.is_empty() || self.spec.affinities.iter().any(|affinity| !affinity.soft)
    }
}

impl Step<'_> {
    /// Gives every ready container that fits somewhere to the best node, first come first. Who was passed over for want
    /// of company is asked again when somebody was placed after it; each round places at least one, or is the last.
    pub(crate) fn place_ready(&mut self) {
        let mut queue: Vec<ContainerId> = self.state.ready.values().copied().collect();
        if queue.is_empty() {
            return;
        }
        let mut crowd = Crowd::default();
        let shared = self.state.shared_id().map(str::to_owned);
        let mut room = self.has_room();
        while room && !queue.is_empty() {
            let ready = self.state.ready.len();
            queue.retain(|id| {
                let placed = room && self.place(*id, shared.as_deref(), &mut crowd);
                room = room && (!placed || self.has_room());
                !placed && self.state.containers.get(id).is_some_and(Container::looks_at_others)
            });
            if self.state.ready.len() == ready {
                return;
            }
        }
    }

    /// Whether any node can take anything at all.
    fn has_room(&self) -> bool {
        let has_room = |n: &Node| unclaimable(n).is_none() && n.holds.len() < slots(n) as usize;
        self.state.nodes.values().any(has_room)
    }

    /// Whether a node was found.
    fn place(&mut self, id: ContainerId, shared: Option<&str>, crowd: &mut Crowd) -> bool {
        let Some(node) = self.best_node(id, shared, crowd) else { return false };
        self.claim(id, node);
        if let Some(container) = self.state.containers.get(&id) {
            crowd.claimed(container, node);
        }
        true
    }

    /// Of the nodes that fit, those that meet most preferences; of these, the one that the strategy ranks first.
    fn best_node(&self, id: ContainerId, shared: Option<&str>, crowd: &mut Crowd) -> Option<NodeId> {
        let container = self.state.containers.get(&id)?;
        let seeker = Seeker::new(self.state, container, shared, crowd);
        let strategy = container.spec.strategy;
        let fits = self.state.nodes.values().filter(|node| seeker.obstacle(node).is_none());
        #[cfg(feature = "mutants")]
        if mutant::is(Mutant::FollowsHashOrder) {
            return fits.min_by_key(|node| mutant::hash_order(node.id)).map(|node| node.id);
        }
        let best = fits
            .min_by_key(|node| (Reverse(seeker.preferences_met(node)), strategy.rank(node, self.index, id)));
        best.map(|node| node.id)
    }

    fn claim(&mut self, id: ContainerId, node_id: NodeId) {
        let index = self.index;
        let (Some(container), Some(node)) =
            (self.state.containers.get_mut(&id), self.state.nodes.get_mut(&node_id))
        else {
            return;
        };
        let session = node.session_id();
        container.attempt = container.attempt.saturating_add(1);
        let attempt = container.attempt;
        container.phase = Phase::Claimed(Claim { session, attempt });
        container.attempts.push(Attempt {
            number: attempt,
            session,
            started_at: None,
            finished_at: None,
            end: None,
            preparing: None,
        });
        if container.attempts.len() > crate::container::ATTEMPTS_KEPT {
            container.attempts.remove(0);
        }
        node.hold(id, attempt, container.spec.needs, &container.spec.host_ports);
        node.kept.insert((id, attempt));
        node.last_claim = index;
        self.state.ready.remove(&container.order);
        for volume in &container.spec.local_volumes {
            self.state.volumes.entry(volume.clone()).or_insert(node_id);
        }
        self.say(Some(id), Some(node_id), What::Claimed(attempt));
    }
}
