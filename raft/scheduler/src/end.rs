//! What follows when an attempt ends: the end of the container, or another try.

use crate::apply::Step;
use crate::container::{Bar, Decline, Failure, Outcome, Phase, Stop};
use crate::id::{ContainerId, NodeId};
use crate::reply::What;
use crate::spec::{Rerun, Restart};
use crate::timer::{self, BACKOFF_FIRST_MS, RESTART_FIRST_MS, Timer};

/// How often an attempt may be lost or interrupted before the container fails: a poison container must not fell one
/// Pi after another.
pub(crate) const MAX_LOST: u32 = 5;

/// A restarted service that ran this long starts its backoff anew, in milliseconds (as Docker's own policy).
const STEADY_MS: u64 = 10_000;

/// What comes next.
enum Next {
    End(Phase, What),
    Again { after_ms: u64 },
}

fn failed(code: Option<i64>, reason: Option<String>) -> Next {
    Next::End(Phase::Failed(Failure { code, reason: reason.clone() }), What::Failed(code, reason))
}

impl Step<'_> {
    /// The container's present attempt ended so, after `ran_ms`. The caller has recorded it and freed its room.
    pub(crate) fn after_attempt(&mut self, id: ContainerId, node: NodeId, outcome: &Outcome, ran_ms: u64) {
        let Some(container) = self.state.containers.get_mut(&id) else { return };
        let attempt = container.attempt;
        let stop = container.stop.take();
        self.state.timers.remove(&Timer::RunTimeout { container: id, attempt });
        match stop {
            Some(stop) if stop.drained => {
                // An operator's wish is neither the program's fault nor a mishap: it counts for nothing.
                if matches!(outcome, Outcome::Interrupted { .. } | Outcome::Cancelled { .. }) {
                    return self.make_ready(id);
                }
            }
            Some(stop) => return self.after_stop(id, &stop, outcome),
            None => {}
        }
        match self.next(id, node, outcome, ran_ms) {
            Next::End(phase, what) => self.end(id, phase, what),
            Next::Again { after_ms: 0 } => self.make_ready(id),
            Next::Again { after_ms } => self.back_off(id, after_ms),
        }
    }

    fn back_off(&mut self, id: ContainerId, after_ms: u64) {
        let Some(container) = self.state.containers.get_mut(&id) else { return };
        container.phase = Phase::Backoff;
        self.state.timers.insert(Timer::Backoff { container: id, attempt: container.attempt }, after_ms);
        self.say(Some(id), None, What::Backoff(after_ms));
    }

    fn after_stop(&mut self, id: ContainerId, stop: &Stop, outcome: &Outcome) {
        let code = code_of(outcome);
        match &stop.overran {
            Some(sentence) => self.after_failure(id, code, Some(sentence.clone())),
            None if stop.again => self.open_again(id),
            None => self.end(id, Phase::Cancelled { code }, What::Cancelled(code)),
        }
        if stop.remove {
            self.forget_container(id);
        }
    }

    fn after_failure(&mut self, id: ContainerId, code: Option<i64>, reason: Option<String>) {
        match self.count_failure(id, code, reason) {
            Next::End(phase, what) => self.end(id, phase, what),
            Next::Again { after_ms } => self.back_off(id, after_ms),
        }
    }

    fn next(&mut self, id: ContainerId, node: NodeId, outcome: &Outcome, ran_ms: u64) -> Next {
        match outcome {
            Outcome::Exited { code, oom, .. } => self.after_exit(id, *code, *oom, ran_ms),
            Outcome::LaunchFailed { code, reason } => {
                self.bar(id, node, Decline::NeverStarted(reason.clone()));
                self.count_failure(id, Some(*code), Some(reason.clone()))
            }
            Outcome::NeverStarted { reason } => {
                self.bar(id, node, Decline::NeverStarted(reason.clone()));
                Next::Again { after_ms: 0 }
            }
            Outcome::Interrupted { reason, .. } => self.count_loss(id, reason),
            Outcome::Lost => self.count_loss(id, "its node was lost"),
            Outcome::Unknown => self.count_loss(id, "its Docker container is gone"),
            Outcome::Cancelled { code } => {
                Next::End(Phase::Cancelled { code: *code }, What::Cancelled(*code))
            }
        }
    }

    fn after_exit(&mut self, id: ContainerId, code: i64, oom: bool, ran_ms: u64) -> Next {
        let Some(container) = self.state.containers.get_mut(&id) else { return failed(Some(code), None) };
        let tally = &mut container.tally;
        match container.spec.restart {
            Restart::Always | Restart::UnlessStopped => {
                tally.quick_restarts =
                    if ran_ms >= STEADY_MS { 0 } else { tally.quick_restarts.saturating_add(1) };
                let times = tally.quick_restarts;
                let after_ms = if times == 0 { 0 } else { timer::backoff_ms(RESTART_FIRST_MS, times - 1) };
                Next::Again { after_ms }
            }
            Restart::No | Restart::OnFailure(_) if code == 0 => Next::End(Phase::Succeeded, What::Succeeded),
            Restart::No | Restart::OnFailure(_) => {
                let reason =
                    oom.then(|| "the kernel killed it: it asked for more memory than it may have".to_owned());
                self.count_failure(id, Some(code), reason)
            }
        }
    }

    /// A failure of the program: another attempt while it has retries left.
    fn count_failure(&mut self, id: ContainerId, code: Option<i64>, reason: Option<String>) -> Next {
        let Some(container) = self.state.containers.get_mut(&id) else { return failed(code, reason) };
        let allowed = match container.spec.restart {
            Restart::Always | Restart::UnlessStopped | Restart::OnFailure(None) => u32::MAX,
            Restart::OnFailure(Some(times)) => container.spec.retries.max(times),
            Restart::No => container.spec.retries,
        };
        let once = container.spec.rerun == Rerun::Never && container.tally.started;
        if once || container.tally.failures >= allowed {
            return failed(code, reason);
        }
        let after_ms = timer::backoff_ms(BACKOFF_FIRST_MS, container.tally.failures);
        container.tally.failures = container.tally.failures.saturating_add(1);
        Next::Again { after_ms }
    }

    /// Not the program's fault: again at once, but not for ever, and never where one start is the promise.
    fn count_loss(&mut self, id: ContainerId, how: &str) -> Next {
        let Some(container) = self.state.containers.get_mut(&id) else { return failed(None, None) };
        if container.spec.rerun == Rerun::Never {
            return failed(None, Some(format!("interrupted, and rerun is never: {how}")));
        }
        container.tally.losses = container.tally.losses.saturating_add(1);
        if container.tally.losses > MAX_LOST {
            return failed(
                None,
                Some(format!("lost {} times, the last time: {how}", container.tally.losses)),
            );
        }
        Next::Again { after_ms: 0 }
    }

    /// Keeps a container off a node for a while, longer each time.
    pub(crate) fn bar(&mut self, id: ContainerId, node: NodeId, reason: Decline) {
        let Some(container) = self.state.containers.get_mut(&id) else { return };
        let bar =
            container.bars.entry(node).or_insert(Bar { reason: reason.clone(), times: 0, stands: true });
        let after_ms = timer::backoff_ms(BACKOFF_FIRST_MS, bar.times);
        *bar = Bar { reason, times: bar.times.saturating_add(1), stands: true };
        self.state.timers.insert(Timer::BarLifted { container: id, node }, after_ms);
    }
}

/// The program's exit code, where Docker shows one.
fn code_of(outcome: &Outcome) -> Option<i64> {
    match outcome {
        Outcome::Exited { code, .. } | Outcome::LaunchFailed { code, .. } => Some(*code),
        Outcome::Interrupted { code, .. } | Outcome::Cancelled { code } => *code,
        Outcome::NeverStarted { .. } | Outcome::Lost | Outcome::Unknown => None,
    }
}
