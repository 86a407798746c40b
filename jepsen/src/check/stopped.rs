//! What was answered as stopped or removed stays so: once the leases of that moment have run out, nothing of it is
//! started any more.

use super::Violation;
use crate::history::{History, Operation, Outcome, Verb};

/// Judges it.
pub fn judge(history: &History) -> Vec<Violation> {
    history.operations.iter().flat_map(|operation| started_after(history, operation)).collect()
}

fn started_after(history: &History, operation: &Operation) -> Vec<Violation> {
    let (Verb::Stop(name) | Verb::Remove(name), Outcome::Accepted { .. }) =
        (&operation.verb, &operation.outcome)
    else {
        return Vec::new();
    };
    let Some(answered) = operation.accepted_ns() else { return Vec::new() };
    // Whoever had not heard of it by then may not act any more.
    let known_ns = answered.saturating_add(history.lease_ns);
    let runs = history.engine_runs.iter().filter(|run| run.name == *name);
    let starts = runs.flat_map(|run| run.started_ns.iter().map(move |ns| (run, *ns)));
    let late = starts.filter(|(run, ns)| history.was_begun_after(run, *ns, known_ns));
    let late = late.map(|(run, ns)| (run.attempt, ns));
    late.map(|(attempt, ns)| {
        let (answered, at) = (history.at(answered), history.at(ns));
        Violation(format!(
            "attempt {attempt} of {name} started at {at}, and its end was answered as done at {answered}"
        ))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{asked, at, good, run, sentences};
    use super::*;

    #[test]
    fn what_is_started_a_lease_after_it_was_stopped_is_found() {
        let mut history = good();
        history.operations.push(asked(Verb::Stop("film-1.encode0".to_owned()), (19_000, 19_500)));
        assert_eq!(judge(&history), []);
        run(&mut history, "film-1.encode0", 2).started_ns = vec![at(29_501)];
        let said = sentences(judge(&history));
        assert_eq!(
            said,
            ["attempt 2 of film-1.encode0 started at 29.501 s, and its end was answered as done at 19.500 s"]
        );
    }

    #[test]
    fn a_stop_that_nobody_answered_forbids_nothing() {
        let mut history = good();
        let mut stop = asked(Verb::Stop("film-1.encode0".to_owned()), (1_000, 1_500));
        stop.outcome = Outcome::Unknown { why: "lost".to_owned() };
        history.operations.push(stop);
        assert_eq!(judge(&history), []);
    }
}
