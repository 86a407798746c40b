//! Nothing starts before what it waits for has ended as required: by the programs' own records where they write any,
//! and by the engines' times.

use super::Violation;
use crate::history::{History, Kind, Mark, Operation, Wait};

/// Judges it.
pub fn judge(history: &History) -> Vec<Violation> {
    let waits = history.jobs.iter().flat_map(|(name, job)| job.waits.iter().map(move |wait| (name, wait)));
    waits.flat_map(|(name, wait)| early(history, name, wait)).collect()
}

/// A start, and who tells it.
struct Start {
    attempt: u32,
    node: String,
    at_ns: u64,
    by: &'static str,
}

fn early(history: &History, name: &str, wait: &Wait) -> Vec<Violation> {
    let met_ns = met_ns(history, wait);
    let too_early =
        starts(history, name).into_iter().filter(|start| met_ns.is_none_or(|met| start.at_ns < met));
    too_early
        .map(|start| {
            let Start { attempt, node, at_ns, by } = &start;
            let required = match wait.kind {
                Kind::Container => "succeeded",
                Kind::Exited => "ended",
                Kind::Failed => "failed",
                Kind::Started => "started",
            };
            let met = match met_ns {
                Some(ns) => format!("only {required} at {}", history.at(ns)),
                None => format!("never {required}"),
            };
            let (at, on) = (history.at(*at_ns), &wait.on);
            Violation(format!("attempt {attempt} of {name} started on {node} at {at} by {by}; {on}, which it waits for, {met}"))
        })
        .collect()
}

fn starts(history: &History, name: &str) -> Vec<Start> {
    let records = history.records.iter().filter(|record| record.name == name && record.mark == Mark::Start);
    let by_records = records.map(|record| Start {
        attempt: record.attempt,
        node: record.node.clone(),
        at_ns: record.at_ns,
        by: "its own record",
    });
    let runs = history.engine_runs.iter().filter(|run| run.name == name);
    let by_engines = runs.flat_map(|run| {
        run.started_ns.iter().map(|at_ns| Start {
            attempt: run.attempt,
            node: run.node.clone(),
            at_ns: *at_ns,
            by: "its engine",
        })
    });
    by_records.chain(by_engines).collect()
}

/// When the wait was met, at the earliest: the end of the attempt that counts. Earlier attempts ended with their node,
/// whatever they wrote before. Who waits for any end is also met by who was asked to end it.
fn met_ns(history: &History, wait: &Wait) -> Option<u64> {
    if wait.kind == Kind::Started {
        return starts(history, &wait.on).into_iter().map(|start| start.at_ns).min();
    }
    let asked = history.ends_asked_for(&wait.on).filter_map(Operation::sent_ns).min();
    let asked = asked.filter(|_| matches!(wait.kind, Kind::Exited | Kind::Failed));
    ended_ns(history, wait).into_iter().chain(asked).min()
}

fn ended_ns(history: &History, wait: &Wait) -> Option<u64> {
    let counts = history.last_seen(&wait.on).map(|seen| seen.attempt);
    let as_required = |code: i64| match wait.kind {
        Kind::Container => code == 0,
        Kind::Failed => code != 0,
        Kind::Exited | Kind::Started => true,
    };
    let fits = |attempt: u32, code: i64| counts.is_none_or(|counted| counted == attempt) && as_required(code);
    let records = history.records.iter().filter(|record| record.name == wait.on);
    let ends = records.filter(|record| matches!(record.mark, Mark::End(code) if fits(record.attempt, code)));
    let written = ends.map(|record| record.at_ns).min();
    let is_recorded = history.jobs.get(&wait.on).is_some_and(|job| job.recorded);
    // A success is written down by the program itself. Who is killed writes nothing, and has ended all the same.
    if written.is_some() || is_recorded && wait.kind == Kind::Container {
        return written;
    }
    let runs = history.engine_runs.iter().filter(|run| run.name == wait.on && fits(run.attempt, run.code));
    runs.filter_map(|run| run.finished_ns).min()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{asked, at, good, run, sentences};
    use super::*;
    use crate::history::{Record, Verb};

    #[test]
    fn a_run_in_which_everybody_waited_is_good() {
        assert_eq!(judge(&good()), []);
    }

    #[test]
    fn a_program_that_began_before_its_dependency_had_ended_is_early() {
        let mut history = good();
        let start = history.records.iter_mut().find(|record| record.name == "p.second").unwrap();
        start.at_ns = at(3_999);
        let said = sentences(judge(&history));
        assert_eq!(
            said,
            [
                "attempt 1 of p.second started on n2 at 3.999 s by its own record; p.first, which it waits for, only \
              succeeded at 4.000 s"
            ]
        );
    }

    #[test]
    fn the_engines_times_are_enough_where_a_program_writes_nothing() {
        let mut history = good();
        run(&mut history, "film-1.merge", 1).started_ns = vec![at(31_000)];
        let said = sentences(judge(&history));
        assert_eq!(
            said,
            [
                "attempt 1 of film-1.merge started on n2 at 31.000 s by its engine; film-1.encode0, which it waits for, \
              only succeeded at 32.005 s"
            ]
        );
    }

    #[test]
    fn what_waits_for_a_success_may_never_start_after_a_failure() {
        let mut history = good();
        let start = Record {
            name: "f.skipped".to_owned(),
            attempt: 1,
            node: "n1".to_owned(),
            at_ns: at(9_000),
            mark: Mark::Start,
        };
        history.records.push(start);
        let said = sentences(judge(&history));
        assert_eq!(
            said,
            [
                "attempt 1 of f.skipped started on n1 at 9.000 s by its own record; f.fails, which it waits for, never \
              succeeded"
            ]
        );
    }

    #[test]
    fn the_end_of_an_attempt_that_was_lost_meets_nothing() {
        let mut history = good();
        // The first attempt seemed to end well, and was lost before anybody knew; the second ended later.
        let first = run(&mut history, "film-1.encode0", 1);
        (first.code, first.finished_ns) = (0, Some(at(9_000)));
        run(&mut history, "film-1.merge", 1).started_ns = vec![at(9_500)];
        assert_eq!(judge(&history).len(), 1);
    }

    #[test]
    fn what_waits_for_an_end_may_start_after_that_end_was_asked_for_and_not_before() {
        let mut history = good();
        history.records.retain(|record| record.name != "f.fails" || !matches!(record.mark, Mark::End(_)));
        run(&mut history, "f.fails", 1).finished_ns = None;
        history.operations.push(asked(Verb::Stop("f.fails".to_owned()), (3_500, 3_600)));
        assert_eq!(judge(&history), []);
        history.operations.push(asked(Verb::Stop("f.fails".to_owned()), (4_500, 4_600)));
        history.operations.remove(history.operations.len() - 2);
        assert_eq!(judge(&history).len(), 2);
    }

    #[test]
    fn who_waits_for_a_start_or_a_failure_waits_for_it() {
        let mut history = good();
        let waits = &mut history.jobs.get_mut("p.second").unwrap().waits[0];
        (waits.kind, waits.on) = (Kind::Started, "f.after".to_owned());
        assert_eq!(judge(&history), []);
        let waits = &mut history.jobs.get_mut("p.second").unwrap().waits[0];
        (waits.kind, waits.on) = (Kind::Failed, "f.after".to_owned());
        assert!(sentences(judge(&history))[0].ends_with("f.after, which it waits for, never failed"));
    }

    #[test]
    fn who_was_killed_wrote_nothing_and_has_ended_when_its_engine_says_but_has_not_succeeded() {
        let mut history = good();
        history.records.retain(|record| record.name != "f.fails" || !matches!(record.mark, Mark::End(_)));
        assert_eq!(judge(&history), []);
        run(&mut history, "f.fails", 1).finished_ns = Some(at(4_100));
        assert_eq!(judge(&history).len(), 2);
        run(&mut history, "f.fails", 1).finished_ns = Some(at(3_005));
        history.records.retain(|record| record.name != "p.first" || !matches!(record.mark, Mark::End(_)));
        assert!(sentences(judge(&history))[0].contains("p.first, which it waits for, never succeeded"));
    }
}
