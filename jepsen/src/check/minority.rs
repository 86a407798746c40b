//! Who hears no majority does nothing: it accepts no work, gives out no list that could be stale, and once its lease has
//! run out it has nothing started.

use super::Violation;
use crate::history::{Fault, FaultOutcome, History, Outcome};

/// Judges it.
pub fn judge(history: &History) -> Vec<Violation> {
    let cuts = history.faults.iter().filter(|fault| fault.outcome == FaultOutcome::Installed);
    let pairs = cuts.flat_map(|fault| fault.alone.iter().map(move |node| (fault, node.as_str())));
    pairs
        .flat_map(|(fault, node)| {
            let mut violations = answered(history, fault, node);
            violations.extend(read(history, fault, node));
            violations.extend(started(history, fault, node));
            violations
        })
        .collect()
}

/// From when until when it certainly heard no majority.
fn alone(history: &History, fault: &Fault) -> (u64, u64) {
    (fault.in_place_ns, fault.healing_ns.unwrap_or(history.ended_ns))
}

fn answered(history: &History, fault: &Fault, node: &str) -> Vec<Violation> {
    let (from, to) = alone(history, fault);
    let tries = history
        .operations
        .iter()
        .flat_map(|operation| operation.tries.iter().map(move |tried| (operation, tried)));
    let bad = tries.filter(|(_, tried)| {
        let accepted = matches!(tried.outcome, Outcome::Accepted { .. });
        accepted && tried.node == node && tried.sent_ns >= from && tried.answered_ns <= to
    });
    bad.map(|(operation, tried)| {
        let at = history.at(tried.answered_ns);
        Violation(format!(
            "{node} accepted {} at {at}, and heard no majority since {}",
            operation.what,
            history.at(from)
        ))
    })
    .collect()
}

fn read(history: &History, fault: &Fault, node: &str) -> Vec<Violation> {
    let (from, to) = alone(history, fault);
    let bad = history
        .reads
        .iter()
        .filter(|read| read.node == node && read.asked_ns >= from && read.answered_ns <= to);
    bad.take(1)
        .map(|read| {
            let at = history.at(read.answered_ns);
            Violation(format!(
                "{node} gave out a list at {at}, and heard no majority since {}",
                history.at(from)
            ))
        })
        .collect()
}

fn started(history: &History, fault: &Fault, node: &str) -> Vec<Violation> {
    let (from, to) = alone(history, fault);
    let expired = from.saturating_add(history.lease_ns);
    let runs = history.engine_runs.iter().filter(|run| run.node == node);
    let starts = runs.flat_map(|run| run.started_ns.iter().map(move |ns| (run, *ns)));
    let bad = starts.filter(|(run, ns)| *ns < to && history.was_begun_after(run, *ns, expired));
    bad.map(|(run, ns)| {
        let (name, attempt, at) = (&run.name, run.attempt, history.at(ns));
        Violation(format!(
            "{node} started attempt {attempt} of {name} at {at}, and its lease had run out at {}",
            history.at(expired)
        ))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{at, fault, good, run, sentences};
    use super::*;
    use crate::history::{FaultKind, Read};

    /// n1 is alone from 0.2 s on.
    fn split() -> History {
        let mut history = good();
        let mut cut = fault(FaultKind::Partition, "n1", (0, 27_000));
        cut.alone = vec!["n1".to_owned()];
        history.faults.push(cut);
        history
    }

    #[test]
    fn a_run_without_a_partition_is_good() {
        assert_eq!(judge(&good()), []);
    }

    #[test]
    fn an_acceptance_by_who_is_alone_is_found_and_one_that_was_asked_for_before_is_none() {
        let mut history = split();
        let said = sentences(judge(&history));
        assert_eq!(said[0], "n1 accepted p at 1.000 s, and heard no majority since 0.200 s");
        assert_eq!(said.len(), 3);
        history.faults[1].in_place_ns = at(950);
        assert_eq!(judge(&history), []);
    }

    #[test]
    fn a_list_by_who_is_alone_is_found() {
        let mut history = split();
        history.faults[1].in_place_ns = at(2_000);
        history.reads.push(Read { node: "n1".to_owned(), asked_ns: at(3_000), answered_ns: at(3_010) });
        assert_eq!(
            sentences(judge(&history)),
            ["n1 gave out a list at 3.010 s, and heard no majority since 2.000 s"]
        );
    }

    #[test]
    fn a_start_after_the_lease_has_run_out_is_found_and_one_before_it_is_none() {
        let mut history = split();
        history.faults[1].in_place_ns = at(2_000);
        run(&mut history, "p.first", 1).started_ns = vec![at(12_000)];
        assert_eq!(judge(&history), []);
        run(&mut history, "p.first", 1).started_ns = vec![at(12_001)];
        assert_eq!(
            sentences(judge(&history)),
            ["n1 started attempt 1 of p.first at 12.001 s, and its lease had run out at 12.000 s"]
        );
    }
}
