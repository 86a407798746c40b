//! Two attempts of one container never run at the same time, by the engines' times and by what the programs wrote.

use std::collections::BTreeMap;

use super::Violation;
use crate::history::{History, Span};

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
            violations.extend(overlapping.map(|other| Violation(sentence(history, one, other, by))));
        }
    }
    violations
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
    use super::super::sample::{at, good, run, sentences};
    use super::*;
    use crate::history::{Mark, Record};

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
}
