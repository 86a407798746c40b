//! `TimerFired`: a deadline has passed. A timer that is not armed (any more) is stale, whoever proposes it.

use super::Step;
use crate::container::{Failure, Phase, Stop};
use crate::id::{ContainerId, NodeId};
use crate::reply::{Reply, What};
use crate::timer::Timer;

impl Step<'_> {
    pub(super) fn timer_fired(&mut self, timer: Timer) -> Reply {
        let Some(ms) = self.state.timers.remove(&timer) else { return Reply::Stale };
        match timer {
            Timer::WaitTimeout { container, .. } => self.waited_too_long(container, ms),
            Timer::Backoff { container, .. } => self.make_ready(container),
            Timer::RunTimeout { container, .. } => self.ran_too_long(container, ms),
            Timer::BarLifted { container, node } => self.lift_bar(container, node),
            Timer::Remove { container, .. } => self.forget_container(container),
            Timer::DrainDeadline { node, .. } => self.stop_drained(node),
        }
        Reply::Done
    }

    fn waited_too_long(&mut self, id: ContainerId, ms: u64) {
        let waits = self.state.containers.get(&id).map(|c| c.waits_for().join(", ")).unwrap_or_default();
        let reason = Some(format!("wait_timeout: waited {} s for {waits}", ms / 1000));
        self.state.stop_listening(id);
        self.state.drop_edges_index(id);
        let failure = Failure { code: None, reason: reason.clone() };
        self.end(id, Phase::Failed(failure), What::Failed(None, reason));
    }

    fn ran_too_long(&mut self, id: ContainerId, ms: u64) {
        let Some(container) = self.state.containers.get_mut(&id) else { return };
        if container.stop.is_none() && matches!(container.phase, Phase::Running(_)) {
            let overran = Some(format!("run_timeout: ran longer than {} s", ms / 1000));
            container.stop = Some(Stop { overran, ..Stop::default() });
            self.say(Some(id), None, What::Stopping);
        }
    }

    fn lift_bar(&mut self, id: ContainerId, node: NodeId) {
        if let Some(bar) = self.state.containers.get_mut(&id).and_then(|c| c.bars.get_mut(&node)) {
            bar.stands = false;
        }
    }
}
