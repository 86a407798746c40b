//! A pinode ends when it is told to, or when its disk fails it. It never ends by itself for any other reason.

use super::Violation;
use crate::history::{Fault, History, OwnEnd};

/// An end is noticed so long after it happened, at most.
const NOTICED_NS: u64 = 5_000_000_000;

/// Judges it.
pub fn judge(history: &History) -> Vec<Violation> {
    let bad = history.own_ends.iter().filter(|end| !history.faults.iter().any(|fault| excuses(fault, end)));
    bad.map(|end| {
        let (node, at, words) = (&end.node, history.at(end.seen_ns), end.words.replace('\n', " / "));
        Violation(format!("the pinode of {node} ended by itself before {at}: {words}"))
    })
    .collect()
}

/// Whether it was right to end: what its disk suffers may show a while after it is healed.
fn excuses(fault: &Fault, end: &OwnEnd) -> bool {
    let from = end.seen_ns.saturating_sub(2 * NOTICED_NS);
    fault.what.ends_pinode() && fault.hit(&end.node) && fault.was_there(from, end.seen_ns)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{at, fault, good, sentences};
    use super::*;
    use crate::history::FaultKind;

    #[test]
    fn an_end_without_a_reason_is_found_with_its_last_words() {
        let mut history = good();
        history.own_ends.push(OwnEnd {
            node: "n1".to_owned(),
            seen_ns: at(9_000),
            words: "panicked\nat x".to_owned(),
        });
        history.faults.push(fault(FaultKind::Partition, "n1", (8_000, 10_000)));
        history.faults.push(fault(FaultKind::DiskFail, "n2", (8_000, 10_000)));
        let said = sentences(judge(&history));
        assert_eq!(said, ["the pinode of n1 ended by itself before 9.000 s: panicked / at x"]);
    }

    #[test]
    fn who_has_no_disk_any_more_is_right_to_end() {
        let mut history = good();
        history.own_ends.push(OwnEnd { node: "n1".to_owned(), seen_ns: at(9_000), words: String::new() });
        history.faults.push(fault(FaultKind::DiskFail, "n1", (8_000, 10_000)));
        assert_eq!(judge(&history), []);
    }
}
