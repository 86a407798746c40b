//! `Amend`: what the next attempt is made of, and what the container reserves from now on.

use super::Step;
use crate::id::ContainerId;
use crate::reply::{Rejection, Reply, What};
use crate::spec::{Needs, Restart};

impl Step<'_> {
    pub(super) fn amend(&mut self, id: ContainerId, create: &str, needs: Needs, restart: Restart) -> Reply {
        let Some(container) = self.state.containers.get_mut(&id) else {
            return Rejection::NoSuchContainer(id).into();
        };
        if let Some(claim) = container.phase.claim()
            && let Some(node) = self.state.nodes.get_mut(&claim.session.node)
            && let Some(held) = node.holds.get(&(id, claim.attempt)).copied()
        {
            let all = node.facts.capacity;
            let more = |used: u64, held: u64, needs: u64| used.saturating_sub(held).saturating_add(needs);
            let cpu_milli = more(node.reserved.cpu_milli, held.cpu_milli, needs.cpu_milli);
            let memory = more(node.reserved.memory, held.memory, needs.memory);
            if cpu_milli > all.cpu_milli || memory > all.memory {
                return Rejection::NoRoom(container.name.clone(), node.facts.name.clone()).into();
            }
            node.hold(id, claim.attempt, needs, &container.spec.host_ports);
        }
        create.clone_into(&mut container.spec.create);
        container.spec.needs = needs;
        container.spec.restart = restart;
        self.say(Some(id), None, What::Amended);
        Reply::Done
    }
}
