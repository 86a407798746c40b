//! Nothing starts before what it waits for has ended as required.

use std::time::Duration;

use super::at;
use crate::history::{History, Kind, Rerun};

pub(super) fn judge(history: &History) -> Vec<String> {
    let mut wrong = Vec::new();
    for start in history.deeds.iter().filter(|deed| deed.ended.is_none()) {
        let Some(job) = history.jobs.get(&start.name) else { continue };
        for (on, kind) in &job.waits {
            if !is_met(history, on, *kind, start.at) {
                wrong.push(format!(
                    "{} (attempt {}) started on n{} at {} before {on} had ended as {kind:?} requires",
                    start.name,
                    start.attempt,
                    start.machine,
                    at(start.at)
                ));
            }
        }
    }
    wrong
}

fn is_met(history: &History, on: &str, kind: Kind, by: Duration) -> bool {
    let mut before = history.deeds.iter().filter(|deed| deed.name == on && deed.at <= by);
    match kind {
        Kind::Container => before.any(|deed| deed.ended == Some((0, true))),
        // What never started may have ended for good all the same: stopped, skipped, lost. And what may run once only has
        // failed when its node is lost, although no engine tells of the end of that attempt, or knew of it at all.
        Kind::Exited | Kind::Failed => {
            let ends = before.clone().filter(|deed| deed.ended.is_some()).count();
            let starts = before.clone().filter(|deed| deed.ended.is_none()).count();
            let may_be_lost = history.jobs.get(on).is_some_and(|job| job.rerun == Rerun::Never)
                && before.any(|deed| deed.attempt > 1 || history.was_unattended(deed.machine, deed.at, by));
            starts == 0 || ends > 0 || may_be_lost
        }
    }
}
