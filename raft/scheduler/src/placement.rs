//! Which node claims what is ready: filters, then preferences, then the strategy. Pure, so every node names the same.

use std::cmp::Reverse;

use crate::apply::Step;
use crate::container::{Attempt, Claim, Phase};
use crate::filter::{Crowd, slots};
use crate::id::{ContainerId, NodeId};
use crate::node::Node;
use crate::reply::What;
use crate::seeker::{Seeker, unclaimable};

impl Step<'_> {
    /// Gives every ready container that fits somewhere to the best node, first come first.
    pub(crate) fn place_ready(&mut self) {
        let queue: Vec<ContainerId> = self.state.ready.values().copied().collect();
        if queue.is_empty() {
            return;
        }
        let mut crowd = Crowd::default();
        let shared = self.state.shared_id().map(str::to_owned);
        for id in queue {
            let has_room = |n: &Node| unclaimable(n).is_none() && n.holds.len() < slots(n) as usize;
            if !self.state.nodes.values().any(has_room) {
                return;
            }
            let Some(node) = self.best_node(id, shared.as_deref(), &mut crowd) else { continue };
            self.claim(id, node);
            if let Some(container) = self.state.containers.get(&id) {
                crowd.claimed(container, node);
            }
        }
    }

    /// Of the nodes that fit, those that meet most preferences; of these, the one that the strategy ranks first.
    fn best_node(&self, id: ContainerId, shared: Option<&str>, crowd: &mut Crowd) -> Option<NodeId> {
        let container = self.state.containers.get(&id)?;
        let seeker = Seeker::new(self.state, container, shared, crowd);
        let strategy = container.spec.strategy;
        let fits = self.state.nodes.values().filter(|node| seeker.obstacle(node).is_none());
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
