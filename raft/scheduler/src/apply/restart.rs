//! `Restart`: stop what runs, and open a new run when it has ended; start what does not run.

use super::Step;
use crate::container::{Phase, Stop};
use crate::id::ContainerId;
use crate::reply::{Rejection, Reply, What};

impl Step<'_> {
    pub(super) fn restart(&mut self, id: ContainerId, grace_s: Option<u32>) -> Reply {
        let Some(container) = self.state.containers.get_mut(&id) else {
            return Rejection::NoSuchContainer(id).into();
        };
        match &container.phase {
            Phase::Claimed(_) | Phase::Running(_) => {
                // Who is to be stopped for good stays so.
                let stop = Stop { again: true, grace_s, ..Stop::default() };
                container.stop.get_or_insert(stop);
                self.say(Some(id), None, What::Stopping);
                Reply::Done
            }
            Phase::Created
            | Phase::Blocked { .. }
            | Phase::Ready
            | Phase::Backoff
            | Phase::Unknown(_)
            | Phase::Succeeded
            | Phase::Failed(_)
            | Phase::Skipped { .. }
            | Phase::Cancelled { .. } => self.start(id, false),
        }
    }
}
