//! An attempt is started at most once: one Docker container an attempt, one start a Docker container, and one program
//! that says it began. And of what may run once only, there is one attempt that was started.

use std::collections::{BTreeMap, BTreeSet};

use super::Violation;
use crate::history::{EngineEvent, EngineRun, History, Life, Mark, Record};

/// Judges it.
pub fn judge(history: &History) -> Vec<Violation> {
    let twice = history.engine_runs.iter().filter_map(|run| started_twice(history, run));
    twice
        .chain(told_twice(history))
        .chain(containers(history))
        .chain(programs(history))
        .chain(lives(history))
        .collect()
}

/// By what engines told as it happened: a second start between two looks shows only there.
fn told_twice(history: &History) -> impl Iterator<Item = Violation> {
    let mut of: BTreeMap<&str, Vec<&EngineEvent>> = BTreeMap::new();
    for event in history.engine_events.iter().filter(|event| event.what == "start") {
        of.entry(&event.docker_id).or_default().push(event);
    }
    of.into_iter().filter(|(_, starts)| starts.len() > 1).map(|(id, starts)| {
        let told: Vec<String> = starts.iter().map(|start| history.at(start.at_ns)).collect();
        let (name, attempt, node) = starts.first().map_or(("", 0, ""), |s| (&s.name, s.attempt, &s.node));
        let told = told.join(", ");
        Violation(format!(
            "the engine of {node} told more than one start of {id}, attempt {attempt} of {name}: {told}"
        ))
    })
}

/// Attempts of what may run once only.
fn lives(history: &History) -> impl Iterator<Item = Violation> {
    let once = history.jobs.iter().filter(|(_, job)| job.life == Life::Never).map(|(name, _)| name);
    once.filter_map(|name| {
        let runs = history.engine_runs.iter().filter(|run| run.name == *name && !run.started_ns.is_empty());
        let records = history.records.iter().filter(|r| r.name == *name && r.mark == Mark::Start);
        let started: BTreeSet<u32> =
            runs.map(|run| run.attempt).chain(records.map(|record| record.attempt)).collect();
        (started.len() > 1).then(|| {
            Violation(format!("{name} may run once only, and its attempts {started:?} were started"))
        })
    })
}

fn started_twice(history: &History, run: &EngineRun) -> Option<Violation> {
    let starts: Vec<String> = run.started_ns.iter().map(|ns| history.at(*ns)).collect();
    (starts.len() > 1).then(|| {
        let EngineRun { name, attempt, node, docker_id, .. } = run;
        let starts = starts.join(", ");
        Violation(format!(
            "attempt {attempt} of {name} was started more than once in {docker_id} on {node}: {starts}"
        ))
    })
}

fn containers(history: &History) -> Vec<Violation> {
    let mut of: BTreeMap<(&str, u32), Vec<&EngineRun>> = BTreeMap::new();
    for run in &history.engine_runs {
        of.entry((&run.name, run.attempt)).or_default().push(run);
    }
    let many = of.into_iter().filter(|(_, runs)| runs.len() > 1);
    many.map(|((name, attempt), runs)| {
        let places: Vec<String> =
            runs.iter().map(|run| format!("{} on {}", run.docker_id, run.node)).collect();
        let places = places.join(", ");
        Violation(format!("attempt {attempt} of {name} has more than one Docker container: {places}"))
    })
    .collect()
}

fn programs(history: &History) -> Vec<Violation> {
    let mut of: BTreeMap<(&str, u32), Vec<&Record>> = BTreeMap::new();
    for record in history.records.iter().filter(|record| record.mark == Mark::Start) {
        of.entry((&record.name, record.attempt)).or_default().push(record);
    }
    let many = of.into_iter().filter(|(_, starts)| starts.len() > 1);
    many.map(|((name, attempt), starts)| {
        let places = starts.iter().map(|start| format!("on {} at {}", start.node, history.at(start.at_ns)));
        let places = places.collect::<Vec<_>>().join(", ");
        Violation(format!("the program of attempt {attempt} of {name} began more than once: {places}"))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{at, good, run, sentences};
    use super::*;

    #[test]
    fn one_start_an_attempt_is_good_and_a_second_attempt_is_no_second_start() {
        assert_eq!(judge(&good()), []);
    }

    #[test]
    fn a_docker_container_that_was_started_again_is_named_with_both_moments() {
        let mut history = good();
        run(&mut history, "p.first", 1).started_ns.push(at(4_500));
        let said = sentences(judge(&history));
        assert_eq!(
            said,
            ["attempt 1 of p.first was started more than once in docker-p.first-1 on n1: 2.000 s, 4.500 s"]
        );
    }

    #[test]
    fn a_second_docker_container_of_an_attempt_is_found_on_another_node_too() {
        let mut history = good();
        let other = EngineRun {
            node: "n2".to_owned(),
            docker_id: "other".to_owned(),
            ..run(&mut history, "p.first", 1).clone()
        };
        history.engine_runs.push(other);
        let said = sentences(judge(&history));
        assert_eq!(
            said,
            ["attempt 1 of p.first has more than one Docker container: docker-p.first-1 on n1, other on n2"]
        );
    }

    #[test]
    fn a_program_that_began_twice_needs_no_engine_to_tell() {
        let mut history = good();
        let start = history.records.iter().find(|record| record.name == "p.second").unwrap().clone();
        history.records.push(Record { at_ns: at(9_000), ..start });
        let said = sentences(judge(&history));
        assert_eq!(
            said,
            ["the program of attempt 1 of p.second began more than once: on n2 at 5.000 s, on n2 at 9.000 s"]
        );
    }

    #[test]
    fn a_second_start_that_only_the_engines_events_tell_is_found() {
        let mut history = good();
        let event = |ms| EngineEvent {
            at_ns: at(ms),
            node: "n1".to_owned(),
            docker_id: "docker-p.first-1".to_owned(),
            name: "p.first".to_owned(),
            attempt: 1,
            what: "start".to_owned(),
            code: None,
        };
        history.engine_events.push(event(2_000));
        assert_eq!(judge(&history), []);
        history.engine_events.push(event(2_100));
        let said = sentences(judge(&history));
        assert_eq!(
            said,
            [
                "the engine of n1 told more than one start of docker-p.first-1, attempt 1 of p.first: 2.000 s, 2.100 s"
            ]
        );
    }

    #[test]
    fn what_may_run_once_only_has_one_attempt_that_was_started() {
        let mut history = good();
        history.jobs.get_mut("film-1.encode0").unwrap().life = Life::Never;
        let said = sentences(judge(&history));
        assert_eq!(said, ["film-1.encode0 may run once only, and its attempts {1, 2} were started"]);
    }
}
