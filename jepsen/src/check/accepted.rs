//! What was answered as accepted is there, under its id, in every view that was asked for afterwards; what was refused
//! is nowhere.

use super::Violation;
use crate::history::{History, Operation, Outcome, View};

/// Judges it.
pub fn judge(history: &History) -> Vec<Violation> {
    let operations = history.operations.iter().enumerate();
    operations
        .flat_map(|(number, operation)| match &operation.outcome {
            Outcome::Accepted { ids } => {
                ids.iter().flat_map(|(name, id)| missing(history, operation, name, id)).collect()
            }
            Outcome::Refused { why } => risen(history, number, operation, why),
            Outcome::Unknown { .. } => Vec::new(),
        })
        .collect()
}

fn missing(history: &History, operation: &Operation, name: &str, id: &str) -> Vec<Violation> {
    let Some(answered_ns) = accepted_ns(operation) else { return Vec::new() };
    let later = history.views.iter().filter(|view| view.asked_ns > answered_ns);
    later.filter_map(|view| wrong(history, view, name, id, answered_ns)).collect()
}

/// When the client first knew.
fn accepted_ns(operation: &Operation) -> Option<u64> {
    let accepted = operation.tries.iter().filter(|tried| matches!(tried.outcome, Outcome::Accepted { .. }));
    accepted.map(|tried| tried.answered_ns).min()
}

fn wrong(history: &History, view: &View, name: &str, id: &str, answered_ns: u64) -> Option<Violation> {
    let told = format!("{name} was accepted at {}", history.at(answered_ns));
    let there = format!("on {} {} ({})", view.node, view.moment, history.at(view.asked_ns));
    match view.containers.iter().find(|seen| seen.name == name) {
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
    use super::super::sample::{good, sentences, view};
    use super::*;
    use crate::history::AT_THE_END;

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
}
