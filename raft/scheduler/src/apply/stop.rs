//! `Stop`: what waits is cancelled at once; what runs is signalled by its node.

use super::Step;
use crate::container::{Phase, Stop};
use crate::id::ContainerId;
use crate::reply::{Rejection, Reply, What};

impl Step<'_> {
    pub(super) fn stop(&mut self, id: ContainerId, kill: bool, grace_s: Option<u32>) -> Reply {
        let Some(container) = self.state.containers.get_mut(&id) else {
            return Rejection::NoSuchContainer(id).into();
        };
        match &container.phase {
            Phase::Claimed(_) | Phase::Running(_) => {
                let earlier = container.stop.take();
                let remove = earlier.as_ref().is_some_and(|stop| stop.remove);
                let kill = kill || earlier.is_some_and(|stop| stop.kill);
                container.stop = Some(Stop { kill, remove, grace_s, ..Stop::default() });
                self.say(Some(id), None, What::Stopping);
                Reply::Done
            }
            Phase::Created if kill => Rejection::NotStarted(container.name.clone()).into(),
            Phase::Created => Reply::Stale,
            Phase::Blocked { .. } | Phase::Ready | Phase::Backoff | Phase::Unknown(_) => {
                self.cancel_waiting(id);
                Reply::Done
            }
            Phase::Succeeded | Phase::Failed(_) | Phase::Skipped { .. } | Phase::Cancelled { .. } if kill => {
                let (name, word) = (container.name.clone(), container.phase.word().to_owned());
                Rejection::AlreadyEnded(name, word).into()
            }
            // As with Docker: to stop what has ended is done already.
            Phase::Succeeded | Phase::Failed(_) | Phase::Skipped { .. } | Phase::Cancelled { .. } => {
                Reply::Done
            }
        }
    }

    fn cancel_waiting(&mut self, id: ContainerId) {
        self.state.stop_listening(id);
        self.state.drop_edges_index(id);
        self.end(id, Phase::Cancelled { code: None }, What::Cancelled(None));
    }
}
