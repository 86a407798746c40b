//! `RemoveNode`: an operator declares a node gone. Whatever it had claimed is nobody's any more, and its id never comes
//! back: an old disk of it is refused. The leader takes it out of the membership when it sees this.

use super::Step;
use crate::container::Phase;
use crate::id::NodeId;
use crate::reply::{Rejection, Reply, What};
use crate::timer::Timer;

/// Containers that a refusal names.
const NAMED_MAX: usize = 8;
const WHY: &str = "its node was declared gone by an operator";

impl Step<'_> {
    pub(super) fn remove_node(&mut self, id: NodeId, force: bool) -> Reply {
        let Some(node) = self.state.nodes.get(&id) else { return self.remove_stranger(id, force) };
        let (name, lives) = (node.facts.name.clone(), node.is_open());
        let claims = self.state.claims_of(id).count();
        let unknown = self.state.claims_of(id).filter(|(c, _)| matches!(c.phase, Phase::Unknown(_)));
        let unknown: Vec<String> = unknown.take(NAMED_MAX).map(|(c, _)| c.name.clone()).collect();
        if lives && !force {
            return Rejection::NodeLives(name).into();
        }
        let others = self.state.nodes.values().filter(|node| node.id != id && node.is_open()).count();
        if lives && others == 0 {
            return Rejection::LastNode(name).into();
        }
        // Nothing shows that its containers are dead, so nothing may run elsewhere in their place.
        if lives && claims > 0 {
            return Rejection::NodeBusy(name, claims).into();
        }
        if !unknown.is_empty() && !force {
            return Rejection::NodeHoldsUnknown { node: name, containers: unknown }.into();
        }
        self.say(None, Some(id), What::NodeRemoved);
        self.give_up_claims(id, WHY);
        // Their data is gone with the disk; without this nothing that uses them would ever run again.
        self.state.volumes.retain(|_, home| *home != id);
        self.take_out(id);
        Reply::Done
    }

    /// A member of the Raft group that never opened a session: it has nothing, and nothing shows whether it is up.
    fn remove_stranger(&mut self, id: NodeId, force: bool) -> Reply {
        if !force && !self.state.is_removed(id) {
            return Rejection::NodeLives(format!("{id:016x}")).into();
        }
        self.state.removed.insert(id);
        Reply::Done
    }

    /// Out of the table, and never back.
    pub(super) fn take_out(&mut self, id: NodeId) {
        if let Some(drain) = self.state.nodes.remove(&id).and_then(|node| node.drain) {
            self.state.timers.remove(&Timer::DrainDeadline { node: id, since: drain.since });
        }
        self.is_away_no_more(id);
        self.state.removed.insert(id);
    }
}
