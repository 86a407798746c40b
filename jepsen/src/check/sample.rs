//! A run in which everything went well, to be spoilt by tests: a chain, a failure, a refusal, and a film one of whose
//! encoders lost its node.

use std::collections::BTreeMap;

use super::Violation;
use crate::history::{
    AT_THE_END, Digest, EngineRun, Fault, FaultKind, FaultOutcome, Film, History, Job, Kind, Mark, Operation,
    Outcome, Probed, Record, Seen, Sighting, Stranger, Try, Verb, View, Wait,
};

/// A moment of the run, in milliseconds since it began.
pub(crate) fn at(ms: u64) -> u64 {
    (1_000_000 + ms) * 1_000_000
}

/// What violations say.
pub(crate) fn sentences(violations: Vec<Violation>) -> Vec<String> {
    violations.into_iter().map(|violation| violation.0).collect()
}

/// The view of a node at a moment.
pub(crate) fn view<'a>(history: &'a mut History, node: &str, moment: &str) -> &'a mut View {
    history.views.iter_mut().find(|view| view.node == node && view.moment == moment).unwrap()
}

/// Does `change` to a container in all views.
pub(crate) fn seen(history: &mut History, name: &str, change: impl Fn(&mut Seen)) {
    let containers = history.views.iter_mut().flat_map(|view| &mut view.containers);
    containers.filter(|seen| seen.name == name).for_each(change);
}

/// The engine's word on an attempt.
pub(crate) fn run<'a>(history: &'a mut History, name: &str, attempt: u32) -> &'a mut EngineRun {
    history.engine_runs.iter_mut().find(|run| run.name == name && run.attempt == attempt).unwrap()
}

/// The run.
pub(crate) fn good() -> History {
    let nodes = ["n1", "n2", "n3"].map(str::to_owned).to_vec();
    let mut history = History {
        scenario: "film".to_owned(),
        seed: 7,
        again: "pinode-jepsen real --scenario film --seed 7".to_owned(),
        began_ns: at(0),
        ended_ns: at(51_000),
        lease_ns: 10_000_000_000,
        healed_ns: Some(at(42_000)),
        ended_all_ns: Some(at(44_000)),
        agreed_ns: Some(at(45_000)),
        nodes,
        ..History::default()
    };
    requests(&mut history);
    lives(&mut history);
    power(&mut history);
    looks(&mut history);
    sightings(&mut history);
    strangers(&mut history);
    let probed = Probed { frames: 900, seconds: 30.0, sound: true };
    history.film = Some(Film {
        id: "1".to_owned(),
        pipeline: "film-1".to_owned(),
        state: "succeeded".to_owned(),
        error: None,
        source: probed.clone(),
        result: Some(Probed { seconds: 30.02, ..probed }),
    });
    history
}

fn requests(history: &mut History) {
    let after = |on: &str, kind| Wait { on: on.to_owned(), kind };
    let accepted = [
        ("p", vec![("first", vec![], 0), ("second", vec![after("p.first", Kind::Container)], 0)], true),
        (
            "f",
            vec![
                ("fails", vec![], 3),
                ("skipped", vec![after("f.fails", Kind::Container)], 0),
                ("after", vec![after("f.fails", Kind::Exited)], 0),
            ],
            true,
        ),
        (
            "film-1",
            vec![
                ("split", vec![], 0),
                ("encode0", vec![after("film-1.split", Kind::Container)], 0),
                ("merge", vec![after("film-1.encode0", Kind::Container)], 0),
            ],
            false,
        ),
    ];
    for (pipeline, containers, recorded) in accepted {
        let jobs: BTreeMap<String, Job> = containers
            .into_iter()
            .map(|(name, waits, code)| {
                (format!("{pipeline}.{name}"), Job { waits, code, recorded, ..Job::default() })
            })
            .collect();
        let ids = jobs.keys().map(|name| (name.clone(), format!("id-of-{name}"))).collect();
        history.ask(operation(pipeline, Outcome::Accepted { ids }), jobs);
    }
    let jobs = BTreeMap::from([("itself".to_owned(), Job { recorded: true, ..Job::default() })]);
    history.ask(operation("itself", Outcome::Refused { why: "it waits for itself".to_owned() }), jobs);
}

fn operation(what: &str, outcome: Outcome) -> Operation {
    let lost = Outcome::Unknown { why: "connection refused".to_owned() };
    let tried = |node: &str, from, to, outcome| Try {
        node: node.to_owned(),
        sent_ns: at(from),
        answered_ns: at(to),
        outcome,
    };
    Operation {
        what: what.to_owned(),
        verb: Verb::Submit,
        key: format!("key-{what}"),
        tries: vec![tried("n3", 800, 850, lost), tried("n1", 900, 1_000, outcome.clone())],
        outcome,
    }
}

fn lives(history: &mut History) {
    live(history, ("p.first", 1, "n1"), (2_000, 4_000), 0);
    live(history, ("p.second", 1, "n2"), (5_000, 6_000), 0);
    live(history, ("f.fails", 1, "n1"), (2_000, 3_000), 3);
    live(history, ("f.after", 1, "n2"), (4_000, 5_000), 0);
    live(history, ("film-1.split", 1, "n1"), (2_000, 5_000), 0);
    live(history, ("film-1.encode0", 1, "n3"), (6_000, 41_000), 255);
    live(history, ("film-1.encode0", 2, "n1"), (28_000, 32_000), 0);
    live(history, ("film-1.merge", 1, "n2"), (33_000, 35_000), 0);
}

fn live(history: &mut History, (name, attempt, node): (&str, u32, &str), (from, to): (u64, u64), code: i64) {
    if history.jobs[name].recorded {
        for (ms, mark) in [(from, Mark::Start), (from + 100, Mark::Alive), (to, Mark::End(code))] {
            history.records.push(Record {
                name: name.to_owned(),
                attempt,
                node: node.to_owned(),
                at_ns: at(ms),
                mark,
            });
        }
    }
    history.engine_runs.push(EngineRun {
        node: node.to_owned(),
        docker_id: format!("docker-{name}-{attempt}"),
        name: name.to_owned(),
        container: format!("id-of-{name}"),
        attempt,
        state: "exited".to_owned(),
        started_ns: vec![at(from)],
        finished_ns: Some(at(to + 5)),
        code,
        seen_ns: at(50_000),
    });
}

/// Harm to one node, undone later.
pub(crate) fn fault(what: FaultKind, node: &str, (from, to): (u64, u64)) -> Fault {
    Fault {
        what,
        nodes: vec![node.to_owned()],
        container: None,
        alone: Vec::new(),
        began_ns: at(from),
        in_place_ns: at(from + 200),
        healing_ns: Some(at(to)),
        healed_ns: Some(at(to + 200)),
        outcome: FaultOutcome::Installed,
        note: String::new(),
    }
}

/// What was asked about one container, and done.
pub(crate) fn asked(verb: Verb, (sent, answered): (u64, u64)) -> Operation {
    let mut operation = operation("end it", Outcome::Accepted { ids: BTreeMap::new() });
    operation.tries.remove(0);
    (operation.tries[0].sent_ns, operation.tries[0].answered_ns) = (at(sent), at(answered));
    Operation { verb, ..operation }
}

fn power(history: &mut History) {
    history.faults.push(fault(FaultKind::Cut, "n3", (10_000, 40_000)));
}

fn looks(history: &mut History) {
    for (moment, ms, nodes) in
        [("after the cut", 12_000, &["n1", "n2"][..]), (AT_THE_END, 50_000, &["n1", "n2", "n3"][..])]
    {
        for node in nodes {
            let containers = history
                .jobs
                .keys()
                .filter(|name| *name != "itself")
                .map(|name| told(history, name))
                .collect();
            let (node, moment) = ((*node).to_owned(), moment.to_owned());
            let digest = Digest {
                node: node.clone(),
                moment: moment.clone(),
                applied_index: ms / 100,
                state_hash: format!("{ms}"),
            };
            history.digests.push(digest);
            history.views.push(View { node, moment, asked_ns: at(ms), containers });
        }
    }
}

fn sightings(history: &mut History) {
    for (state, from, to) in
        [("blocked", 1_100, 4_100), ("claimed", 4_500, 4_600), ("succeeded", 6_100, 50_000)]
    {
        for node in ["n1", "n2"] {
            history.sightings.push(Sighting {
                node: node.to_owned(),
                name: "p.second".to_owned(),
                id: "id-of-p.second".to_owned(),
                state: state.to_owned(),
                attempt: u32::from(state != "blocked"),
                shown_ns: at(from),
                last_asked_ns: at(to),
            });
        }
    }
}

fn strangers(history: &mut History) {
    for node in ["n1", "n2", "n3"] {
        history.strangers.push(Stranger {
            node: node.to_owned(),
            docker_id: format!("stranger-on-{node}"),
            what: "somebody else's".to_owned(),
            started_ns: at(500),
            last: Some((node != "n3", at(500))),
        });
    }
}

fn told(history: &History, name: &str) -> Seen {
    let runs: Vec<&EngineRun> = history.engine_runs.iter().filter(|run| run.name == name).collect();
    let last = runs.last();
    let state = match last {
        None => "skipped",
        Some(run) if run.code == 0 => "succeeded",
        Some(_) => "failed",
    };
    Seen {
        id: format!("id-of-{name}"),
        name: name.to_owned(),
        state: state.to_owned(),
        attempt: last.map_or(0, |run| run.attempt),
        node: last.map(|run| run.node.clone()),
        exit_code: last.map(|run| run.code),
        cause: last.is_none().then(|| "f.fails failed".to_owned()),
        attempts: Vec::new(),
    }
}
