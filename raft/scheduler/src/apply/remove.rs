//! `Remove`: forget a container. What waits never runs; what runs is killed first, if `force` says so.

use super::Step;
use crate::container::{Phase, Stop};
use crate::id::ContainerId;
use crate::reply::{Rejection, Reply, What};

impl Step<'_> {
    pub(super) fn remove(&mut self, id: ContainerId, force: bool) -> Reply {
        let Some(container) = self.state.containers.get_mut(&id) else {
            return Rejection::NoSuchContainer(id).into();
        };
        match &container.phase {
            Phase::Claimed(_) | Phase::Running(_) if force => {
                container.stop = Some(Stop { kill: true, remove: true, ..Stop::default() });
                self.say(Some(id), None, What::Stopping);
            }
            Phase::Claimed(_) | Phase::Running(_) | Phase::Unknown(_) if !force => {
                return Rejection::StillActive(container.name.clone(), container.phase.word().to_owned())
                    .into();
            }
            Phase::Claimed(_)
            | Phase::Running(_)
            | Phase::Unknown(_)
            | Phase::Created
            | Phase::Blocked { .. }
            | Phase::Ready
            | Phase::Backoff
            | Phase::Succeeded
            | Phase::Failed(_)
            | Phase::Skipped { .. }
            | Phase::Cancelled { .. } => self.forget_container(id),
        }
        Reply::Done
    }
}
