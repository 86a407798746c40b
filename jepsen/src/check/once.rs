//! An attempt is started at most once: one Docker container an attempt, one start a Docker container, and one program
//! that says it began.

use std::collections::BTreeMap;

use super::Violation;
use crate::history::{EngineRun, History, Mark, Record};

/// Judges it.
pub fn judge(history: &History) -> Vec<Violation> {
    let twice = history.engine_runs.iter().filter_map(|run| started_twice(history, run));
    twice.chain(containers(history)).chain(programs(history)).collect()
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
}
