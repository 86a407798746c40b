//! What ended is kept for a while, not for ever: Docker containers by node, records by cluster.

use crate::apply::Step;
use crate::container::Phase;
use crate::id::ContainerId;
use crate::reply::What;

/// Docker containers of ended work that a node keeps, so that logs and cp work after the end.
pub(crate) const ENDED_KEPT_ON_NODE: usize = 100;
/// Ended containers that the cluster remembers; the state's size rests on this number.
pub(crate) const ENDED_REMEMBERED: usize = 10_000;
/// How many old records one entry looks at, so that its cost is bounded when all of them are still waited for.
const LOOKED_AT: usize = 64;

impl Step<'_> {
    /// Lets the oldest go.
    pub(crate) fn retain(&mut self) {
        for kept in self.state.ended_on.values_mut() {
            while kept.len() > ENDED_KEPT_ON_NODE {
                let Some((_, id)) = kept.pop_first() else { break };
                if let Some(container) = self.state.containers.get_mut(&id) {
                    container.discarded = true;
                }
            }
        }
        self.state.ended_on.retain(|_, kept| !kept.is_empty());
        let spare = self.state.ended.len().saturating_sub(ENDED_REMEMBERED).min(LOOKED_AT);
        if spare > 0 {
            let oldest: Vec<ContainerId> =
                self.state.ended.iter().take(LOOKED_AT).map(|(_, id)| *id).collect();
            let free: Vec<ContainerId> =
                oldest.into_iter().filter(|id| !self.is_waited_for(*id)).take(spare).collect();
            free.into_iter().for_each(|id| self.forget_container(id));
        }
    }

    fn is_waited_for(&self, id: ContainerId) -> bool {
        let children = self.state.dependents.get(&id).into_iter().flatten();
        let mut children = children.filter_map(|child| self.state.containers.get(child));
        children.any(|child| matches!(child.phase, Phase::Blocked { .. }))
    }

    /// Takes a container out of the state. Its Docker containers become nobody's, which their nodes see.
    pub(crate) fn forget_container(&mut self, id: ContainerId) {
        self.say(Some(id), None, What::Removed);
        self.state.stop_listening(id);
        self.state.drop_edges_index(id);
        self.state.disarm(id);
        self.unlist_ended(id);
        let Some(container) = self.state.containers.remove(&id) else { return };
        self.state.ready.remove(&container.order);
        self.state.names.remove(&container.name);
        if let Some(name) = &container.pipeline
            && let Some(members) = self.state.pipelines.get_mut(name)
        {
            members.remove(&id);
            if members.is_empty() {
                self.state.pipelines.remove(name);
            }
        }
        self.cut_edges_to(id);
    }

    /// Their dependents have heard how they ended.
    pub(crate) fn forget_over(&mut self) {
        for id in std::mem::take(&mut self.over) {
            let ended = self.state.containers.get(&id).is_some_and(|container| container.phase.is_terminal());
            if ended {
                self.forget_container(id);
            }
        }
        self.settle();
    }

    /// Who had not met its edge to `id` waits for the name again; a met edge stays met.
    fn cut_edges_to(&mut self, id: ContainerId) {
        let children = self.state.dependents.remove(&id).unwrap_or_default();
        for child_id in children {
            let Some(child) = self.state.containers.get_mut(&child_id) else { continue };
            if !matches!(child.phase, Phase::Blocked { .. } | Phase::Created) {
                continue;
            }
            for dependency in &mut child.dependencies {
                let unmet = |edge: &crate::dependency::Edge| edge.state != crate::dependency::EdgeState::Met;
                if dependency.edges.get(&id).is_some_and(unmet) {
                    dependency.forget(id);
                }
            }
            self.reconsider(child_id);
        }
    }

    /// It no longer counts as ended.
    pub(crate) fn unlist_ended(&mut self, id: ContainerId) {
        let Some(container) = self.state.containers.get_mut(&id) else { return };
        let Some(ended) = container.ended.take() else { return };
        self.state.ended.remove(&(ended.index, id));
        if let Some(last) = container.latest()
            && let Some(kept) = self.state.ended_on.get_mut(&last.session.node)
        {
            kept.remove(&(ended.index, id));
            if kept.is_empty() {
                let node = last.session.node;
                self.state.ended_on.remove(&node);
            }
        }
    }
}
