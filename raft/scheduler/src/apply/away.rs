//! `Away`: a node leaves and means to come back. Its claims stay, its containers go on; nothing new is claimed for it.

use super::Step;
use crate::id::SessionId;
use crate::later::Away;
use crate::node::Ailment;
use crate::reply::{Reply, What};

impl Step<'_> {
    pub(super) fn away(&mut self, session: SessionId, grace_ms: u64) -> Reply {
        if !self.is_open(session) {
            return Reply::Stale;
        }
        let Some(node) = self.state.nodes.get_mut(&session.node) else { return Reply::Stale };
        let sentence = format!("it left, and is back within {} s or given up", grace_ms.div_ceil(1000));
        node.ailments.insert(Ailment::Away, sentence.clone());
        self.state.later.away.insert(session.node, Away { session: session.number, grace_ms });
        self.say(None, Some(session.node), What::Ailing(format!("{:?}", Ailment::Away), Some(sentence)));
        Reply::Done
    }

    /// It is back, lost or gone for good: nobody waits for it any more.
    pub(super) fn is_away_no_more(&mut self, node: crate::id::NodeId) {
        self.state.later.away.remove(&node);
    }
}
