//! With a majority up nothing waits for ever: every request was answered, and when all harm is undone everything ends
//! within a minute. Only what may run once waits for a person, if its node has forgotten it.

use super::Violation;
use crate::history::{AT_THE_END, FaultKind, History, Life, Outcome, Seen};
use crate::moment;

/// Longest time until everything has ended, in seconds.
const WITHIN: f64 = 60.0;

/// Judges it.
pub fn judge(history: &History) -> Vec<Violation> {
    unanswered(history).chain(unended(history)).chain(late(history)).collect()
}

fn unanswered(history: &History) -> impl Iterator<Item = Violation> {
    history.operations.iter().filter_map(|operation| {
        let Outcome::Unknown { why } = &operation.outcome else { return None };
        let first = operation.tries.first().map_or(history.began_ns, |tried| tried.sent_ns);
        let (what, tries, first) = (&operation.what, operation.tries.len(), history.at(first));
        Some(Violation(format!(
            "{what} was never answered, though sent {tries} times since {first}; last: {why}"
        )))
    })
}

/// What ended, but not in time.
fn late(history: &History) -> Option<Violation> {
    let (healed, ended) = (history.healed_ns?, history.ended_all_ns?);
    let seconds = moment::seconds(healed, ended);
    (seconds > WITHIN).then(|| {
        Violation(format!(
            "everything had ended only {seconds:.0} s after all harm was undone, at {}",
            history.at(ended)
        ))
    })
}

/// Whether only a person can end it: it may run once only, and its node is gone for good.
fn waits_for_a_person(history: &History, seen: &Seen) -> bool {
    let once = history.jobs.get(&seen.name).is_some_and(|job| job.life == Life::Never);
    let forgotten = |node: &String| {
        let kinds = [FaultKind::Wipe, FaultKind::Remove, FaultKind::Add];
        history.faults.iter().any(|fault| kinds.contains(&fault.what) && fault.hit(node))
    };
    once && seen.state == "unknown" && seen.node.as_ref().is_some_and(forgotten)
}

fn unended(history: &History) -> impl Iterator<Item = Violation> {
    history.views_of(AT_THE_END).flat_map(|view| {
        let waiting =
            view.containers.iter().filter(|seen| !seen.is_terminal() && !waits_for_a_person(history, seen));
        waiting.map(|seen| {
            Violation(format!("{} is still {} on {} {AT_THE_END}", seen.name, seen.state, view.node))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{at, fault, good, sentences, view};
    use super::*;

    #[test]
    fn a_run_that_came_to_its_end_is_good() {
        assert_eq!(judge(&good()), []);
    }

    #[test]
    fn what_still_waits_at_the_end_is_named_and_earlier_it_may() {
        let mut history = good();
        view(&mut history, "n1", "after the cut").containers[0].state = "blocked".to_owned();
        view(&mut history, "n2", AT_THE_END).containers[0].state = "ready".to_owned();
        assert_eq!(sentences(judge(&history)), ["f.after is still ready on n2 at the end"]);
    }

    #[test]
    fn a_request_that_nobody_answered_is_named() {
        let mut history = good();
        history.operations[0].outcome = Outcome::Unknown { why: "no quorum".to_owned() };
        let said = sentences(judge(&history));
        assert_eq!(said, ["p was never answered, though sent 2 times since 0.800 s; last: no quorum"]);
    }

    #[test]
    fn what_ends_a_minute_after_the_last_healing_ends_too_late() {
        let mut history = good();
        history.ended_all_ns = Some(at(42_000 + 60_000));
        assert_eq!(judge(&history), []);
        history.ended_all_ns = Some(at(42_000 + 61_000));
        let said = sentences(judge(&history));
        assert_eq!(said, ["everything had ended only 61 s after all harm was undone, at 103.000 s"]);
    }

    #[test]
    fn only_what_may_run_once_may_wait_for_a_person_and_only_if_its_node_has_forgotten_it() {
        let mut history = good();
        let first = |seen: &mut Seen| seen.state = "unknown".to_owned();
        view(&mut history, "n1", AT_THE_END)
            .containers
            .iter_mut()
            .filter(|seen| seen.name == "p.first")
            .for_each(first);
        history.faults.push(fault(FaultKind::Wipe, "n1", (3_000, 4_000)));
        assert_eq!(judge(&history).len(), 1);
        history.jobs.get_mut("p.first").unwrap().life = Life::Never;
        assert_eq!(judge(&history), []);
        history.faults.pop();
        assert_eq!(judge(&history).len(), 1);
    }
}
