//! What was answered as accepted is there, under its id, in every view that was asked for afterwards; what was refused
//! is nowhere. What somebody asked to have removed may be gone from then on, and is gone in the end.

use super::Violation;
use crate::history::{AT_THE_END, History, Operation, Outcome, Verb, View};

/// Judges it.
pub fn judge(history: &History) -> Vec<Violation> {
    let operations = history.operations.iter().enumerate();
    let lost = operations.flat_map(|(number, operation)| match &operation.outcome {
        Outcome::Accepted { ids } => {
            ids.iter().flat_map(|(name, id)| missing(history, operation, name, id)).collect()
        }
        Outcome::Refused { why } => risen(history, number, operation, why),
        Outcome::Unknown { .. } => Vec::new(),
    });
    lost.chain(history.operations.iter().flat_map(|operation| still_there(history, operation))).collect()
}

/// What was answered as removed, and is shown at the end.
fn still_there(history: &History, operation: &Operation) -> Vec<Violation> {
    let (Verb::Remove(name), Outcome::Accepted { .. }) = (&operation.verb, &operation.outcome) else {
        return Vec::new();
    };
    let views = history.views_of(AT_THE_END);
    let shown = views.filter(|view| view.containers.iter().any(|seen| seen.name == *name));
    shown.map(|view| Violation(format!("{name} was removed and is on {} {AT_THE_END}", view.node))).collect()
}

/// Whether somebody had asked to remove it by then.
fn may_be_gone(history: &History, name: &str, by_ns: u64) -> bool {
    let mut removals =
        history.operations.iter().filter(|operation| operation.verb == Verb::Remove(name.to_owned()));
    removals.any(|operation| operation.sent_ns().is_some_and(|sent| sent <= by_ns))
}

fn missing(history: &History, operation: &Operation, name: &str, id: &str) -> Vec<Violation> {
    let Some(answered_ns) = operation.accepted_ns() else { return Vec::new() };
    let later = history.views.iter().filter(|view| view.asked_ns > answered_ns);
    later.filter_map(|view| wrong(history, view, name, id, answered_ns)).collect()
}

fn wrong(history: &History, view: &View, name: &str, id: &str, answered_ns: u64) -> Option<Violation> {
    let told = format!("{name} was accepted at {}", history.at(answered_ns));
    let there = format!("on {} {} ({})", view.node, view.moment, history.at(view.asked_ns));
    match view.containers.iter().find(|seen| seen.name == name) {
        None if may_be_gone(history, name, view.asked_ns) => None,
        None => Some(Violation(format!("{told} as {} and is not {there}", short(id)))),
        Some(seen) if seen.id != id => {
            let (accepted, shown) = (short(id), short(&seen.id));
            Some(Violation(format!("{told} as {accepted} and is {shown} {there}")))
        }
        Some(_) => None,
    }
}

fn risen(history: &History, number: usize, operation: &Operation, why: &str) -> Vec<Violation> {
    let names = history.jobs.iter().filter(|(_, job)| job.operation == number).map(|(name, _)| name);
    names
        .flat_map(|name| {
            let seen =
                history.views.iter().find(|view| view.containers.iter().any(|seen| seen.name == *name));
            let ran = history.engine_runs.iter().find(|run| run.name == *name);
            let seen = seen.map(|view| format!("is on {} {}", view.node, view.moment));
            let ran = ran.map(|run| format!("has a Docker container on {}", run.node));
            seen.into_iter().chain(ran).map(move |what| {
                Violation(format!("{name} of {} was refused ({why}) and {what}", operation.what))
            })
        })
        .collect()
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{asked, good, sentences, view};
    use super::*;

    #[test]
    fn a_run_that_kept_everything_is_good() {
        assert_eq!(judge(&good()), []);
    }

    #[test]
    fn an_accepted_container_that_one_survivor_has_lost_is_named_with_that_node() {
        let mut history = good();
        view(&mut history, "n2", "after the cut").containers.retain(|seen| seen.name != "p.first");
        let said = sentences(judge(&history));
        assert_eq!(
            said,
            ["p.first was accepted at 1.000 s as id-of-p.firs and is not on n2 after the cut (12.000 s)"]
        );
    }

    #[test]
    fn an_accepted_container_that_is_gone_at_the_end_is_missed_on_every_node() {
        let mut history = good();
        for node in ["n1", "n2", "n3"] {
            view(&mut history, node, AT_THE_END).containers.retain(|seen| seen.name != "p.first");
        }
        assert_eq!(judge(&history).len(), 3);
    }

    #[test]
    fn a_container_under_another_id_is_not_the_accepted_one() {
        let mut history = good();
        let seen = view(&mut history, "n1", AT_THE_END);
        seen.containers
            .iter_mut()
            .filter(|seen| seen.name == "p.first")
            .for_each(|seen| seen.id = "x".to_owned());
        assert_eq!(sentences(judge(&history)).len(), 1);
    }

    #[test]
    fn a_view_that_was_asked_for_before_the_answer_may_lack_it() {
        let mut history = good();
        let began_ns = history.began_ns;
        let early = view(&mut history, "n2", "after the cut");
        early.asked_ns = began_ns;
        early.containers.clear();
        assert_eq!(judge(&history), []);
    }

    #[test]
    fn what_was_refused_may_not_be_anywhere() {
        let mut history = good();
        let mut ghost = view(&mut history, "n1", AT_THE_END).containers[0].clone();
        ghost.name = "itself".to_owned();
        view(&mut history, "n1", AT_THE_END).containers.push(ghost);
        let said = sentences(judge(&history));
        assert_eq!(said, ["itself of itself was refused (it waits for itself) and is on n1 at the end"]);
    }

    #[test]
    fn what_was_removed_may_be_gone_from_then_on_and_must_be_in_the_end() {
        let mut history = good();
        history.operations.push(asked(Verb::Remove("p.first".to_owned()), (11_000, 11_500)));
        let said = sentences(judge(&history));
        assert_eq!(said[0], "p.first was removed and is on n1 at the end");
        history.views.iter_mut().for_each(|view| view.containers.retain(|seen| seen.name != "p.first"));
        assert_eq!(judge(&history), []);
        history.operations.last_mut().unwrap().tries[0].sent_ns = history.ended_ns;
        assert!(!judge(&history).is_empty());
    }
}
