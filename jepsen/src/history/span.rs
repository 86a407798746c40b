//! From when until when an attempt was certainly alive. Both ends lie inside its life, so two spans that overlap prove
//! that two attempts did; how much longer either of them lived does not matter.

use std::collections::BTreeMap;

use super::{EngineRun, Fault, History};

/// A part of an attempt's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span<'a> {
    /// Full name of the container.
    pub name: &'a str,
    /// Attempt.
    pub attempt: u32,
    /// Node.
    pub node: &'a str,
    /// It lived from here.
    pub from_ns: u64,
    /// Until here.
    pub to_ns: u64,
}

impl Span<'_> {
    /// Whether there is a moment at which both lived.
    pub fn overlaps(&self, other: &Span<'_>) -> bool {
        self.from_ns < other.to_ns && other.from_ns < self.to_ns
    }
}

impl History {
    /// By the engines' own times. What a power cut ended, ended then: its engine calls the moment when it came back
    /// the end.
    pub fn engine_spans(&self) -> Vec<Span<'_>> {
        self.engine_runs.iter().filter_map(|run| self.engine_span(run)).collect()
    }

    fn engine_span<'a>(&self, run: &'a EngineRun) -> Option<Span<'a>> {
        let from_ns = *run.started_ns.iter().min()?;
        let shown = run.finished_ns.unwrap_or(run.seen_ns);
        let to_ns = self.cut_of(run).map_or(shown, |cut| cut.began_ns).max(from_ns);
        Some(Span { name: &run.name, attempt: run.attempt, node: &run.node, from_ns, to_ns })
    }

    /// The power cut that ended it, if one did.
    pub fn cut_of(&self, run: &EngineRun) -> Option<&Fault> {
        let from_ns = run.started_ns.iter().min()?;
        let to_ns = run.finished_ns.unwrap_or(run.seen_ns);
        self.faults.iter().find(|fault| {
            fault.what.ends_all()
                && fault.hit(&run.node)
                && fault.began_ns <= to_ns
                && fault.in_place_ns >= *from_ns
        })
    }

    /// By what the programs wrote down: from an attempt's first record to its last.
    pub fn record_spans(&self) -> Vec<Span<'_>> {
        let mut spans: BTreeMap<(&str, u32, &str), Span<'_>> = BTreeMap::new();
        for record in &self.records {
            let (name, attempt, node, at_ns) = (&record.name, record.attempt, &record.node, record.at_ns);
            let span = spans.entry((name, attempt, node)).or_insert(Span {
                name,
                attempt,
                node,
                from_ns: at_ns,
                to_ns: at_ns,
            });
            span.from_ns = span.from_ns.min(at_ns);
            span.to_ns = span.to_ns.max(at_ns);
        }
        spans.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{FaultKind, FaultOutcome};

    fn run(started_ns: u64, finished_ns: Option<u64>) -> EngineRun {
        EngineRun {
            node: "n3".to_owned(),
            docker_id: "d".to_owned(),
            name: "a".to_owned(),
            container: "c".to_owned(),
            attempt: 1,
            state: "exited".to_owned(),
            started_ns: vec![started_ns],
            finished_ns,
            code: 0,
            seen_ns: 90,
        }
    }

    fn end_of(run: EngineRun, cut_ns: u64) -> u64 {
        let cut = Fault {
            what: FaultKind::Cut,
            nodes: vec!["n3".to_owned()],
            container: None,
            alone: Vec::new(),
            began_ns: cut_ns,
            in_place_ns: cut_ns + 2,
            healing_ns: None,
            healed_ns: None,
            outcome: FaultOutcome::Installed,
            note: String::new(),
        };
        let history = History { engine_runs: vec![run], faults: vec![cut], ..History::default() };
        history.engine_spans()[0].to_ns
    }

    #[test]
    fn what_a_cut_ended_ended_at_the_cut_and_not_when_the_engine_came_back() {
        assert_eq!(end_of(run(10, Some(80)), 20), 20);
    }

    #[test]
    fn what_started_while_the_power_went_did_not_live_until_it_came_back() {
        assert_eq!(end_of(run(21, Some(80)), 20), 21);
    }

    #[test]
    fn what_ended_before_the_cut_or_began_after_it_ended_when_its_engine_says() {
        assert_eq!(end_of(run(10, Some(15)), 20), 15);
        assert_eq!(end_of(run(30, Some(80)), 20), 80);
    }

    #[test]
    fn what_was_never_seen_to_end_lived_until_the_last_look() {
        assert_eq!(end_of(run(30, None), 20), 90);
    }
}
