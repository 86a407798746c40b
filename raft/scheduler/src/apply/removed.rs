//! `Removed`: an engine no longer has these attempts' Docker containers.

use super::Step;
use crate::id::{ContainerId, NodeId};
use crate::reply::Reply;

impl Step<'_> {
    pub(super) fn removed(&mut self, node: NodeId, attempts: &[(ContainerId, u32)]) -> Reply {
        let Some(node) = self.state.nodes.get_mut(&node) else { return Reply::Stale };
        for (id, attempt) in attempts {
            node.kept.remove(&(*id, *attempt));
            node.release(*id, *attempt);
        }
        Reply::Done
    }
}
