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
            starts == 0 && ended_unstarted(history, on) || ends > 0 || may_be_lost
        }
    }
}

/// Whether what had not started by then may have been over. It does not start later, unless somebody asked for it, or for
/// what it waits for, again.
fn ended_unstarted(history: &History, on: &str) -> bool {
    // The engine may carry out late what the cluster, or somebody, has given up.
    let given_up = history.jobs.get(on).is_some_and(|job| job.stopped || job.rerun == Rerun::Never);
    given_up
        || is_asked_again(history, on)
        || !history.deeds.iter().any(|deed| deed.name == on && deed.ended.is_none())
}

fn is_asked_again(history: &History, name: &str) -> bool {
    let Some(job) = history.jobs.get(name) else { return false };
    job.retried || job.waits.iter().any(|(on, _)| is_asked_again(history, on))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Deed, Job};

    fn job(waits: &[(&str, Kind)]) -> Job {
        let waits = waits.iter().map(|(on, kind)| ((*on).to_owned(), *kind)).collect();
        let rerun = Rerun::Fenced;
        Job { waits, code: 0, rerun, stopped: false, retried: false, accepted: None, refused: false }
    }

    fn deed(name: &str, second: u64, ended: Option<(i64, bool)>) -> Deed {
        let (name, at) = (name.to_owned(), Duration::from_secs(second));
        Deed { machine: 1, at, docker_id: name.clone(), name, attempt: 1, ended }
    }

    /// `next` waits for `first` as `kind` says.
    fn history(kind: Kind, deeds: Vec<Deed>) -> History {
        let jobs = [("first".to_owned(), job(&[])), ("next".to_owned(), job(&[("first", kind)]))];
        History { jobs: jobs.into(), deeds, ..History::default() }
    }

    #[test]
    fn a_start_after_a_failure_is_none_after_a_success() {
        let deeds =
            |code| vec![deed("first", 1, None), deed("first", 2, Some((code, true))), deed("next", 3, None)];
        assert!(judge(&history(Kind::Container, deeds(0))).is_empty());
        assert_eq!(judge(&history(Kind::Container, deeds(1))).len(), 1);
        assert!(judge(&history(Kind::Exited, deeds(1))).is_empty());
    }

    #[test]
    fn what_never_started_may_be_over_but_what_starts_later_was_not() {
        assert!(judge(&history(Kind::Exited, vec![deed("next", 3, None)])).is_empty());
        let late = vec![deed("next", 3, None), deed("first", 4, None)];
        assert_eq!(judge(&history(Kind::Exited, late.clone())).len(), 1);
        let mut again = history(Kind::Exited, late);
        again.jobs.entry("first".to_owned()).and_modify(|job| job.retried = true);
        assert!(judge(&again).is_empty(), "it was skipped, and then asked for again");
    }
}
