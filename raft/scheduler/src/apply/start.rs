//! `Start`: what was only made begins to wait for its dependencies; what has ended runs again.

use super::Step;
use crate::container::Phase;
use crate::id::ContainerId;
use crate::reply::{Rejection, Reply};

impl Step<'_> {
    pub(super) fn start(&mut self, id: ContainerId, attached: bool) -> Reply {
        let Some(container) = self.state.containers.get_mut(&id) else {
            return Rejection::NoSuchContainer(id).into();
        };
        match &container.phase {
            Phase::Created => {
                container.phase = Phase::Blocked { unmet: 0 };
                container.attached = attached;
                self.arm_wait_timeout(id);
                self.say_blocked(id);
                self.reconsider(id);
                Reply::Done
            }
            Phase::Blocked { .. } => {
                Rejection::StillWaiting(container.name.clone(), container.waits_for().join(", ")).into()
            }
            Phase::Ready | Phase::Claimed(_) | Phase::Running(_) | Phase::Backoff | Phase::Unknown(_) => {
                Reply::Stale
            }
            Phase::Skipped { .. } => {
                container.attached = attached;
                self.retry(id)
            }
            Phase::Succeeded | Phase::Failed(_) | Phase::Cancelled { .. } => {
                container.attached = attached;
                self.run_again(id)
            }
        }
    }
}
