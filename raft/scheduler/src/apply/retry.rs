//! `Retry`: run what ended again, and revive what was skipped because of it.

use std::collections::VecDeque;

use super::Step;
use super::submit::Matches;
use crate::container::{Phase, Tally};
use crate::cycle::{Graph, NewEdges};
use crate::dependency::{EdgeState, Scope, Verdict};
use crate::id::ContainerId;
use crate::reply::{Rejection, Reply, What};
use crate::unblock::edge_state;

impl Step<'_> {
    pub(super) fn retry(&mut self, id: ContainerId) -> Reply {
        let Some(container) = self.state.containers.get(&id) else {
            return Rejection::NoSuchContainer(id).into();
        };
        match &container.phase {
            Phase::Failed(_) | Phase::Cancelled { .. } => {}
            Phase::Skipped { .. } => {
                if let Some(cause) = self.standing_cause(id) {
                    return Rejection::RetryTheCause(container.name.clone(), cause).into();
                }
            }
            Phase::Created
            | Phase::Succeeded
            | Phase::Blocked { .. }
            | Phase::Ready
            | Phase::Claimed(_)
            | Phase::Running(_)
            | Phase::Backoff
            | Phase::Unknown(_) => {
                let word = container.phase.word().to_owned();
                return Rejection::NotRetriable(container.name.clone(), word).into();
            }
        }
        self.run_again(id)
    }

    /// Opens a new run of what has ended.
    pub(super) fn run_again(&mut self, id: ContainerId) -> Reply {
        if self.has_nobody_to_wait_for(id) {
            self.revive(id);
            return Reply::Done;
        }
        self.unless_it_closes_a_cycle(id, |step| step.revive(id))
    }

    /// Such a container gets no edge by being run again, and so is on no cycle. Most are of this kind, which saves the copy.
    fn has_nobody_to_wait_for(&self, id: ContainerId) -> bool {
        let Some(container) = self.state.containers.get(&id) else { return false };
        container.dependencies.iter().all(|dependency| dependency.verdict(false) == Verdict::Met)
    }

    /// Does what brings edges to `id`, and undoes it where one closes a cycle. A copy is the simplest thing that can be
    /// put back, and this is rare.
    pub(super) fn unless_it_closes_a_cycle(&mut self, id: ContainerId, act: impl FnOnce(&mut Self)) -> Reply {
        let (before, said) = (self.state.clone(), self.changes.len());
        act(self);
        if let Err(rejection) = self.check_revived(id) {
            *self.state = before;
            self.changes.truncate(said);
            self.touched.clear();
            self.over.clear();
            return rejection.into();
        }
        Reply::Done
    }

    /// The name of a match that still stands in the way of a skipped container.
    fn standing_cause(&self, id: ContainerId) -> Option<String> {
        let container = self.state.containers.get(&id)?;
        let edges =
            container.dependencies.iter().flat_map(|d| d.edges.iter().map(|edge| (d.waitfor.kind, edge)));
        edges.into_iter().find_map(|(kind, (parent, edge))| {
            let parent = self.state.containers.get(parent)?;
            let stands =
                edge.state == EdgeState::Impossible && edge_state(kind, parent) == EdgeState::Impossible;
            stands.then(|| root_cause(parent))
        })
    }

    fn revive(&mut self, root: ContainerId) {
        let mut queue = VecDeque::from([root]);
        while let Some(id) = queue.pop_front() {
            let children: Vec<_> = self.state.dependents.get(&id).into_iter().flatten().copied().collect();
            self.open_again(id);
            for child in children {
                let hopeful = self.hope_again(child, id);
                if hopeful {
                    queue.push_back(child);
                }
            }
        }
    }

    /// Puts a container that ended back to `blocked`, in a new run.
    pub(crate) fn open_again(&mut self, id: ContainerId) {
        self.state.disarm(id);
        self.unlist_ended(id);
        self.rematch(id);
        let Some(container) = self.state.containers.get_mut(&id) else { return };
        container.run = container.run.saturating_add(1);
        container.tally = Tally::default();
        container.bars.clear();
        container.discarded = false;
        container.phase = Phase::Blocked { unmet: 0 };
        self.arm_wait_timeout(id);
        self.state.listen(id);
        self.say(Some(id), None, What::Retried);
        self.say_blocked(id);
        self.touched.push_back(id);
        self.reconsider(id);
    }

    /// Unmet terms follow the name: edges whose other end is gone are dropped, and the name is looked up again. A term
    /// that was met stays closed: what released the container once is not asked again.
    fn rematch(&mut self, id: ContainerId) {
        let Some(container) = self.state.containers.get(&id) else { return };
        let mut dependencies = container.dependencies.clone();
        for dependency in dependencies.iter_mut().filter(|d| d.verdict(false) != Verdict::Met) {
            let unmet = dependency.edges.iter().filter(|(_, edge)| edge.state != EdgeState::Met);
            let unmet: Vec<ContainerId> = unmet.map(|(id, _)| *id).collect();
            for parent_id in unmet {
                match self.state.containers.get(&parent_id) {
                    Some(parent) => {
                        let state = edge_state(dependency.waitfor.kind, parent);
                        dependency.set(parent_id, &parent.name, state);
                    }
                    None => dependency.forget(parent_id),
                }
            }
            if dependency.scope == Scope::Cluster {
                for parent in Matches::in_cluster(self.state, &dependency.waitfor.clone()) {
                    let fresh = parent.id != id && !dependency.edges.contains_key(&parent.id);
                    if fresh && dependency.is_live() && dependency.means(&parent.name) {
                        dependency.set(parent.id, &parent.name, edge_state(dependency.waitfor.kind, parent));
                    }
                }
            }
        }
        if let Some(container) = self.state.containers.get_mut(&id) {
            container.dependencies = dependencies;
        }
    }

    /// Opens the child's edges to a revived parent; true if the child was skipped and nothing else keeps it so.
    fn hope_again(&mut self, child: ContainerId, parent: ContainerId) -> bool {
        let Some(facts) = self.state.containers.get(&parent).cloned() else { return false };
        let Some(child) = self.state.containers.get_mut(&child) else { return false };
        for dependency in &mut child.dependencies {
            if dependency.edges.get(&parent).is_some_and(|edge| edge.state == EdgeState::Impossible) {
                dependency.set(parent, &facts.name, edge_state(dependency.waitfor.kind, &facts));
            }
        }
        let impossible = child.dependencies.iter().flat_map(|d| d.edges.values());
        let still = impossible.into_iter().any(|edge| edge.state == EdgeState::Impossible);
        matches!(child.phase, Phase::Skipped { .. }) && !still
    }

    fn check_revived(&self, id: ContainerId) -> Result<(), Rejection> {
        let none = NewEdges::new();
        let Some(path) = Graph::new(self.state, &none).find_cycle([id].into_iter())? else { return Ok(()) };
        let name = |id| self.state.containers.get(&id).map(|c| c.name.clone()).unwrap_or_default();
        Err(Rejection::Cycle { path: path.into_iter().map(name).collect() })
    }
}

/// The far end of a chain of causes.
fn root_cause(container: &crate::container::Container) -> String {
    match &container.phase {
        Phase::Skipped { cause } => {
            let last = cause.last().and_then(|cause| cause.split(": ").next());
            last.unwrap_or(&container.name).to_owned()
        }
        Phase::Succeeded
        | Phase::Failed(_)
        | Phase::Cancelled { .. }
        | Phase::Blocked { .. }
        | Phase::Ready
        | Phase::Claimed(_)
        | Phase::Running(_)
        | Phase::Backoff
        | Phase::Unknown(_)
        | Phase::Created => container.name.clone(),
    }
}
