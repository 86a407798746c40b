//! Two attempts of one container never run at the same time, by the engines' times and by what the programs wrote.
//!
//! That is promised as long as a pinode is there to stop the older one. Where harm had taken it away (killed, paused, its
//! disk gone) the two may overlap, but no longer than until it is back and has had its time to fence.

use std::collections::BTreeMap;

use super::Violation;
use crate::history::{Fault, History, Span};

/// A fence takes at most half a lease (K); who was restarted may first ask for a whole lease whether it is still
/// believed (L).
const FENCED_AFTER: f64 = 1.5;

/// Judges it.
pub fn judge(history: &History) -> Vec<Violation> {
    let mut violations = pairs(history, history.engine_spans(), "by their engines");
    violations.extend(pairs(history, history.record_spans(), "by their own records"));
    violations
}

fn pairs(history: &History, spans: Vec<Span<'_>>, by: &str) -> Vec<Violation> {
    let mut of: BTreeMap<&str, Vec<Span<'_>>> = BTreeMap::new();
    for span in spans {
        of.entry(span.name).or_default().push(span);
    }
    let mut violations = Vec::new();
    for spans in of.values() {
        for (position, one) in spans.iter().enumerate() {
            let others = spans.iter().skip(position + 1);
            let overlapping = others.filter(|other| other.attempt != one.attempt && other.overlaps(one));
            let overlapping = overlapping.filter(|other| !is_excused(history, one, other));
            violations.extend(overlapping.map(|other| Violation(sentence(history, one, other, by))));
        }
    }
    violations
}

/// Whether nobody could have stopped the older of the two while both ran.
fn is_excused(history: &History, one: &Span<'_>, other: &Span<'_>) -> bool {
    let (older, newer) = if one.attempt < other.attempt { (one, other) } else { (other, one) };
    let grace_ns = (history.lease_ns as f64 * FENCED_AFTER) as u64;
    let covers = |fault: &Fault| {
        let fenced_ns = fault.healed_ns.map_or(u64::MAX, |healed| healed.saturating_add(grace_ns));
        fault.began_ns <= newer.from_ns && older.to_ns <= fenced_ns
    };
    let takes = |fault: &&Fault| fault.what.takes_pinode() && fault.hit(older.node);
    history.faults.iter().filter(takes).any(covers)
}

fn sentence(history: &History, one: &Span<'_>, other: &Span<'_>, by: &str) -> String {
    let told = |span: &Span<'_>| {
        let (from, to) = (history.at(span.from_ns), history.at(span.to_ns));
        format!("attempt {} on {} (from {from} to {to})", span.attempt, span.node)
    };
    format!("{} ran twice at once, {by}: {} and {}", one.name, told(one), told(other))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{at, fault, good, run, sentences};
    use super::*;
    use crate::history::{FaultKind, Mark, Record};

    #[test]
    fn an_attempt_that_a_power_cut_ended_does_not_overlap_the_next_one() {
        assert_eq!(judge(&good()), []);
    }

    #[test]
    fn without_the_cut_the_same_engine_times_are_an_overlap() {
        let mut history = good();
        history.faults.clear();
        let said = sentences(judge(&history));
        assert_eq!(
            said,
            [
                "film-1.encode0 ran twice at once, by their engines: attempt 1 on n3 (from 6.000 s to 41.005 s) and \
              attempt 2 on n1 (from 28.000 s to 32.005 s)"
            ]
        );
    }

    #[test]
    fn an_attempt_that_began_before_the_node_was_cut_overlaps() {
        let mut history = good();
        run(&mut history, "film-1.encode0", 2).started_ns = vec![at(9_900)];
        assert_eq!(judge(&history).len(), 1);
    }

    #[test]
    fn a_sign_of_life_after_the_next_attempt_began_is_an_overlap() {
        let mut history = good();
        let second = |ms, mark| Record {
            name: "p.first".to_owned(),
            attempt: 2,
            node: "n3".to_owned(),
            at_ns: at(ms),
            mark,
        };
        history.records.push(second(3_900, Mark::Start));
        history.records.push(second(4_900, Mark::End(0)));
        let said = sentences(judge(&history));
        assert_eq!(
            said,
            [
                "p.first ran twice at once, by their own records: attempt 1 on n1 (from 2.000 s to 4.000 s) and \
              attempt 2 on n3 (from 3.900 s to 4.900 s)"
            ]
        );
    }

    /// The second attempt runs from 28 s to 32 s, and the first until 31 s.
    fn overlapping(what: FaultKind, healed: u64) -> usize {
        let mut history = good();
        history.faults = vec![fault(what, "n3", (10_000, healed))];
        run(&mut history, "film-1.encode0", 1).finished_ns = Some(at(31_000));
        judge(&history).len()
    }

    #[test]
    fn nobody_can_stop_what_runs_beside_a_pinode_that_is_killed_or_paused() {
        assert_eq!(overlapping(FaultKind::Kill, 30_000), 0);
        assert_eq!(overlapping(FaultKind::Pause, 30_000), 0);
    }

    #[test]
    fn a_pinode_that_came_back_has_its_time_to_fence_and_no_more() {
        assert_eq!(overlapping(FaultKind::Kill, 15_700), 1);
        assert_eq!(overlapping(FaultKind::Kill, 15_900), 0);
    }

    #[test]
    fn a_partition_excuses_nothing() {
        assert_eq!(overlapping(FaultKind::Partition, 30_000), 1);
        assert_eq!(overlapping(FaultKind::EngineHang, 30_000), 1);
    }
}
