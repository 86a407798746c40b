//! With a majority up nothing waits for ever: every request was answered, and in the end everything has ended.

use super::Violation;
use crate::history::{AT_THE_END, History, Outcome};

/// Judges it.
pub fn judge(history: &History) -> Vec<Violation> {
    unanswered(history).chain(unended(history)).collect()
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

fn unended(history: &History) -> impl Iterator<Item = Violation> {
    history.views_of(AT_THE_END).flat_map(|view| {
        let waiting = view.containers.iter().filter(|seen| !seen.is_terminal());
        waiting.map(|seen| {
            Violation(format!("{} is still {} on {} {AT_THE_END}", seen.name, seen.state, view.node))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{good, sentences, view};
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
}
