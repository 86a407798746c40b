//! `Rename`: an unmet edge follows the name, a met one the container. Who waits for the new name waits for this one now.

use super::Step;
use crate::dependency::{EdgeState, Op, Scope};
use crate::id::ContainerId;
use crate::reply::{Rejection, Reply, What};

impl Step<'_> {
    pub(super) fn rename(&mut self, id: ContainerId, name: &str) -> Reply {
        let Some(container) = self.state.containers.get(&id) else {
            return Rejection::NoSuchContainer(id).into();
        };
        let old = container.name.clone();
        if container.pipeline.is_some() {
            return Rejection::NamedByPipeline(old).into();
        }
        if old == name {
            return Reply::Done;
        }
        if self.state.names.contains_key(name) {
            return Rejection::NameTaken(name.to_owned()).into();
        }
        self.unless_it_closes_a_cycle(id, |step| step.take_name(id, &old, name))
    }

    fn take_name(&mut self, id: ContainerId, old: &str, name: &str) {
        let Some(container) = self.state.containers.get_mut(&id) else { return };
        container.name = name.to_owned();
        let renamed = container.clone();
        self.state.names.remove(old);
        self.state.names.insert(name.to_owned(), id);
        self.say(Some(id), None, What::Renamed(old.to_owned()));
        let children = self.state.dependents.get(&id).cloned().unwrap_or_default();
        for child in &children {
            self.follow_name(*child, id, name);
        }
        for (waiter, term, _) in self.joins(std::slice::from_ref(&renamed)) {
            let known = self.state.containers.get(&waiter).and_then(|waiter| waiter.dependencies.get(term));
            if waiter != id && known.is_some_and(|term| !term.edges.contains_key(&id)) {
                self.join(waiter, term, id);
            }
        }
        children.into_iter().for_each(|child| self.reconsider(child));
    }

    /// The terms of `child` that no longer mean `id` let go of it.
    fn follow_name(&mut self, child_id: ContainerId, id: ContainerId, name: &str) {
        let Some(child) = self.state.containers.get_mut(&child_id) else { return };
        for term in &mut child.dependencies {
            let Some(edge) = term.edges.get(&id) else { continue };
            let state = edge.state;
            let by_name = term.waitfor.op == Op::Is && term.scope == Scope::Cluster;
            if by_name && state != EdgeState::Met && !term.means(name) {
                term.forget(id);
            } else {
                term.set(id, name, state);
            }
        }
        let lets_go = child.dependencies.iter().all(|term| !term.edges.contains_key(&id));
        if lets_go && let Some(children) = self.state.dependents.get_mut(&id) {
            children.remove(&child_id);
            if children.is_empty() {
                self.state.dependents.remove(&id);
            }
        }
    }
}
