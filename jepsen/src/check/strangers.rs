//! Containers that are none of pinode's are left alone: they are there in the end, and run since they were started. Only a
//! power cut may have ended them.

use super::Violation;
use crate::history::{History, Stranger};

/// Judges it.
pub fn judge(history: &History) -> Vec<Violation> {
    history.strangers.iter().filter_map(|stranger| wrong(history, stranger)).collect()
}

fn wrong(history: &History, stranger: &Stranger) -> Option<Violation> {
    let Stranger { node, docker_id, what, started_ns, last } = stranger;
    let told = |wrong: &str| Some(Violation(format!("{what} container {docker_id} on {node} {wrong}")));
    let was_cut = history.faults.iter().any(|fault| fault.what.ends_all() && fault.hit(node));
    match last {
        None => told("was removed"),
        Some((_, started)) if started != started_ns => {
            told(&format!("was started again at {}", history.at(*started)))
        }
        Some((false, _)) if !was_cut => told("was stopped"),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{at, good, sentences};
    use super::*;

    #[test]
    fn what_still_runs_and_what_a_power_cut_ended_is_good() {
        assert_eq!(judge(&good()), []);
    }

    #[test]
    fn what_was_stopped_removed_or_started_again_is_named() {
        let mut history = good();
        history.strangers[0].last = Some((false, at(500)));
        history.strangers[1].last = None;
        history.strangers[2].last = Some((true, at(41_000)));
        let said = sentences(judge(&history));
        assert_eq!(
            said,
            [
                "somebody else's container stranger-on-n1 on n1 was stopped",
                "somebody else's container stranger-on-n2 on n2 was removed",
                "somebody else's container stranger-on-n3 on n3 was started again at 41.000 s",
            ]
        );
    }
}
