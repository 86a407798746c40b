//! `LevelRaised` and `Paced`: what the cluster as a whole has agreed on.

use super::Step;
use crate::later::Pace;
use crate::reply::Reply;

impl Step<'_> {
    /// All known nodes must speak it, the lost ones too: they may come back.
    pub(super) fn level_raised(&mut self, level: u16) -> Reply {
        let spoken = self.state.nodes.values().all(|node| node.facts.feature >= level);
        if level <= self.state.level() || !spoken {
            return Reply::Stale;
        }
        self.state.later.level = Some(level);
        Reply::Done
    }

    /// A lease is never shortened: a leader that has not heard of it would still wait for the longer one, but a node that
    /// has would not.
    pub(super) fn paced(&mut self, pace: Pace) -> Reply {
        let before = self.state.later.pace;
        let pace = Pace { lease_ms: pace.lease_ms.max(before.lease_ms), ..pace };
        if pace == before {
            return Reply::Stale;
        }
        self.state.later.pace = pace;
        Reply::Done
    }
}
