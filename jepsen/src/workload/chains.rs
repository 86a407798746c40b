//! Small chains, fan-ins and failures. Everything is drawn from the seed before the run begins, so that a run can be
//! had again; only who is asked, and how fast the cluster is, differs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::payload;
use crate::history::{Job, Kind, Wait};
use crate::random::Random;

/// Something to be asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// For people.
    pub what: String,
    /// Where it is posted.
    pub path: &'static str,
    /// What is posted.
    pub body: Value,
    /// The containers in it, by full name. Their operation's number is not known yet.
    pub jobs: BTreeMap<String, Job>,
}

/// As many shapes as asked for: one of each as far as they go round, the others drawn, in any order.
pub fn plan(random: &mut Random, shapes: usize) -> Vec<Request> {
    let each = [Shape::Chain, Shape::FanIn, Shape::Diamond, Shape::Failure, Shape::Impossible];
    // What fails and what is refused is rare, what runs is not.
    let often = [Shape::Chain, Shape::FanIn, Shape::Diamond];
    let more = shapes.saturating_sub(each.len());
    let drawn: Vec<Shape> = (0..more).filter_map(|_| random.pick(&often).copied()).collect();
    let mut all: Vec<Shape> = each.into_iter().take(shapes).chain(drawn).collect();
    random.shuffle(&mut all);
    all.into_iter().enumerate().flat_map(|(number, shape)| requests(random, shape, number)).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Chain,
    FanIn,
    Diamond,
    Failure,
    Impossible,
}

fn requests(random: &mut Random, shape: Shape, number: usize) -> Vec<Request> {
    match shape {
        Shape::Chain => chain(random, number),
        Shape::FanIn => vec![fan_in(random, number)],
        Shape::Diamond => vec![diamond(random, number)],
        Shape::Failure => vec![failure(random, number)],
        Shape::Impossible => vec![impossible(number)],
    }
}

/// One container after the other, each a request of its own and in any order: most wait for what is not there yet.
fn chain(random: &mut Random, number: usize) -> Vec<Request> {
    let links = random.between(3, 4);
    let name = |link: u64| format!("chain{number}-{link}");
    let mut requests: Vec<Request> = (0..links)
        .map(|link| {
            let on = link.checked_sub(1).map(name);
            let terms: Vec<String> = on.iter().map(|on| format!("container=={on}")).collect();
            let waits = on.into_iter().map(|on| Wait { on, kind: Kind::Container }).collect();
            Request {
                what: format!("link {}", name(link)),
                path: "/api/v1/containers",
                body: payload::container(&name(link), beats(random), 0, &terms),
                jobs: BTreeMap::from([(name(link), job(waits, 0))]),
            }
        })
        .collect();
    random.shuffle(&mut requests);
    requests
}

/// Several at once, and one after all of them, by a pattern.
fn fan_in(random: &mut Random, number: usize) -> Request {
    let width = random.between(2, 4);
    let mut pipeline = Pipeline::new(format!("fan{number}"));
    let mut all = Vec::new();
    for k in 0..width {
        all.push(pipeline.add(&format!("part{k}"), beats(random), 0, &[], &[]));
    }
    let waits: Vec<(&str, Kind)> = all.iter().map(|on| (on.as_str(), Kind::Container)).collect();
    pipeline.add("merge", beats(random), 0, &[&format!("container==part*,count={width}")], &waits);
    pipeline.request()
}

/// Two ways from one to one.
fn diamond(random: &mut Random, number: usize) -> Request {
    let mut pipeline = Pipeline::new(format!("diamond{number}"));
    let top = pipeline.add("top", beats(random), 0, &[], &[]);
    let after_top = [(top.as_str(), Kind::Container)];
    let left = pipeline.add("left", beats(random), 0, &["container==top"], &after_top);
    let right = pipeline.add("right", beats(random), 0, &["container==top"], &after_top);
    let both = [(left.as_str(), Kind::Container), (right.as_str(), Kind::Container)];
    pipeline.add("bottom", beats(random), 0, &["container==left,right"], &both);
    pipeline.request()
}

/// One that fails: who waits for its success is skipped, who waits for its end runs.
fn failure(random: &mut Random, number: usize) -> Request {
    let mut pipeline = Pipeline::new(format!("fails{number}"));
    let code = i64::try_from(random.between(1, 100)).unwrap_or(1);
    let fails = pipeline.add("fails", beats(random), code, &[], &[]);
    pipeline.add("skipped", beats(random), 0, &["container==fails"], &[(fails.as_str(), Kind::Container)]);
    pipeline.add("after", beats(random), 0, &["exited==fails"], &[(fails.as_str(), Kind::Exited)]);
    pipeline.request()
}

/// What waits for itself must be refused, and must leave nothing.
fn impossible(number: usize) -> Request {
    let name = format!("itself{number}");
    Request {
        what: format!("{name}, which waits for itself"),
        path: "/api/v1/containers",
        body: payload::container(&name, 1, 0, &[format!("container=={name}")]),
        jobs: BTreeMap::from([(name.clone(), job(vec![Wait { on: name, kind: Kind::Container }], 0))]),
    }
}

fn beats(random: &mut Random) -> u64 {
    random.between(2, 25)
}

fn job(waits: Vec<Wait>, code: i64) -> Job {
    Job { operation: 0, waits, code, recorded: true }
}

struct Pipeline {
    name: String,
    containers: Vec<Value>,
    jobs: BTreeMap<String, Job>,
}

impl Pipeline {
    fn new(name: String) -> Pipeline {
        Pipeline { name, containers: Vec::new(), jobs: BTreeMap::new() }
    }

    /// Adds a container; its full name.
    fn add(&mut self, name: &str, beats: u64, code: i64, terms: &[&str], waits: &[(&str, Kind)]) -> String {
        let terms: Vec<String> = terms.iter().map(|term| (*term).to_owned()).collect();
        self.containers.push(payload::container(name, beats, code, &terms));
        let full = format!("{}.{name}", self.name);
        let waits = waits.iter().map(|(on, kind)| Wait { on: (*on).to_owned(), kind: *kind }).collect();
        self.jobs.insert(full.clone(), job(waits, code));
        full
    }

    fn request(self) -> Request {
        Request {
            what: format!("pipeline {} of {}", self.name, self.containers.len()),
            path: "/api/v1/pipelines",
            body: json!({"name": self.name, "containers": self.containers}),
            jobs: self.jobs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_plans_the_same_and_another_seed_something_else() {
        let of = |seed| plan(&mut Random::new(seed), 12);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn every_plan_has_a_failure_and_a_refusal_in_it() {
        for seed in 0..20 {
            let requests = plan(&mut Random::new(seed), 8);
            let has = |word: &str| {
                requests.iter().any(|request| request.jobs.keys().any(|name| name.contains(word)))
            };
            assert!(has(".skipped") && has("itself"), "seed {seed}");
        }
    }

    #[test]
    fn who_is_waited_for_is_in_the_plan() {
        let requests = plan(&mut Random::new(3), 40);
        let names: Vec<&String> = requests.iter().flat_map(|request| request.jobs.keys()).collect();
        let mut waits = requests.iter().flat_map(|request| request.jobs.values()).flat_map(|job| &job.waits);
        assert!(waits.all(|wait| names.contains(&&wait.on)));
    }
}
