//! `Drain` and `Undrain`: an operator wants a node empty. Nothing new is claimed for it; what runs may finish, or is
//! stopped and runs elsewhere. What must start only once is always left to finish.

use super::Step;
use crate::container::{Phase, Stop};
use crate::id::NodeId;
use crate::node::Drain;
use crate::reply::{Rejection, Reply, What};
use crate::spec::Rerun;
use crate::timer::Timer;

impl Step<'_> {
    pub(super) fn drain(&mut self, id: NodeId, deadline_ms: Option<u64>) -> Reply {
        let fresh = Drain { since: self.index, at_ms: self.at_ms, stopping: false };
        let Some(node) = self.state.nodes.get_mut(&id) else { return no_such_node(id) };
        let drain = *node.drain.get_or_insert(fresh);
        let deadline = Timer::DrainDeadline { node: id, since: drain.since };
        self.state.timers.remove(&deadline);
        let what = match deadline_ms {
            Some(0) => "what may run elsewhere is stopped".to_owned(),
            Some(ms) => {
                format!("what still runs in {} s and may run elsewhere is stopped", ms.div_ceil(1000))
            }
            None => "what runs may finish".to_owned(),
        };
        self.say(None, Some(id), What::Draining(what));
        match deadline_ms {
            Some(0) => self.stop_drained(id),
            Some(ms) if !drain.stopping => drop(self.state.timers.insert(deadline, ms)),
            Some(_) | None => {}
        }
        Reply::Done
    }

    pub(super) fn undrain(&mut self, id: NodeId) -> Reply {
        let Some(node) = self.state.nodes.get_mut(&id) else { return no_such_node(id) };
        let Some(drain) = node.drain.take() else { return Reply::Done };
        self.state.timers.remove(&Timer::DrainDeadline { node: id, since: drain.since });
        self.say(None, Some(id), What::Undrained);
        Reply::Done
    }

    /// What a draining node still has and may run elsewhere is to be stopped there.
    pub(super) fn stop_drained(&mut self, id: NodeId) {
        let Some(drain) = self.state.nodes.get_mut(&id).and_then(|node| node.drain.as_mut()) else { return };
        drain.stopping = true;
        for (container, _) in self.claims_of(id) {
            let Some(container) = self.state.containers.get_mut(&container) else { continue };
            let active = matches!(container.phase, Phase::Claimed(_) | Phase::Running(_));
            if active && container.stop.is_none() && container.spec.rerun != Rerun::Never {
                container.stop = Some(Stop { drained: true, ..Stop::default() });
                let container = container.id;
                self.say(Some(container), Some(id), What::Stopping);
            }
        }
    }
}

/// The refusal of an operator's word on a node that is not there.
pub(super) fn no_such_node(id: NodeId) -> Reply {
    Rejection::NoSuchNode(format!("{id:016x}")).into()
}
