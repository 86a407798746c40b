//! What one client does in turn: requests, and pauses between them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::payload::{self, Program};
use crate::history::{Job, Kind, Life, Verb, Wait};

/// Something to be asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// For people.
    pub what: String,
    /// What is asked of whom.
    pub verb: Verb,
    /// Where it is sent.
    pub path: String,
    /// What is sent.
    pub body: Value,
    /// The containers in it, by full name. Their operation's number is not known yet.
    pub jobs: BTreeMap<String, Job>,
}

/// A part of a story.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Asks until there is an answer.
    Ask(Request),
    /// Waits so long, in milliseconds, or until the workload shall end.
    Pause(u64),
}

/// What one client does in turn.
pub type Story = Vec<Step>;

impl Request {
    /// One container.
    pub fn container(name: &str, program: Program, (terms, waits): (&[String], Vec<Wait>)) -> Request {
        let job = job(program, waits);
        Request {
            what: format!("container {name}"),
            verb: Verb::Submit,
            path: "/api/v1/containers".to_owned(),
            body: payload::container(name, program, terms),
            jobs: BTreeMap::from([(name.to_owned(), job)]),
        }
    }

    /// The same with more in its body.
    pub fn with(mut self, field: &str, value: Value) -> Request {
        self.body[field] = value;
        self
    }

    /// The same with another life.
    pub fn living(mut self, life: Life) -> Request {
        self.jobs.values_mut().for_each(|job| job.life = life);
        self
    }

    /// Ends a container.
    pub fn stop(name: &str) -> Request {
        let path = format!("/api/v1/containers/{name}/stop");
        Request {
            what: format!("stop {name}"),
            verb: Verb::Stop(name.to_owned()),
            path,
            body: Value::Null,
            jobs: BTreeMap::new(),
        }
    }

    /// Shows a container as it is when it is asked for.
    pub fn read(name: &str) -> Request {
        Request {
            what: format!("read {name}"),
            verb: Verb::Read(name.to_owned()),
            path: format!("/api/v1/containers/{name}"),
            body: Value::Null,
            jobs: BTreeMap::new(),
        }
    }

    /// Ends a container, and forgets it.
    pub fn remove(name: &str) -> Request {
        let path = format!("/api/v1/containers/{name}?force=true");
        Request {
            what: format!("remove {name}"),
            verb: Verb::Remove(name.to_owned()),
            path,
            body: Value::Null,
            jobs: BTreeMap::new(),
        }
    }
}

/// A container as it was asked for.
pub fn job(program: Program, waits: Vec<Wait>) -> Job {
    Job { waits, code: program.code, recorded: true, fails: program.fails, ..Job::default() }
}

/// Who is waited for, and for what.
pub fn after(on: &str, kind: Kind) -> Wait {
    Wait { on: on.to_owned(), kind }
}

/// Several containers in one request.
pub struct Pipeline {
    name: String,
    containers: Vec<Value>,
    jobs: BTreeMap<String, Job>,
}

impl Pipeline {
    /// Without any.
    pub fn new(name: String) -> Pipeline {
        Pipeline { name, containers: Vec::new(), jobs: BTreeMap::new() }
    }

    /// Adds a container; its full name.
    pub fn add(&mut self, name: &str, program: Program, terms: &[&str], waits: &[(&str, Kind)]) -> String {
        let terms: Vec<String> = terms.iter().map(|term| (*term).to_owned()).collect();
        self.containers.push(payload::container(name, program, &terms));
        let full = format!("{}.{name}", self.name);
        let waits = waits.iter().map(|(on, kind)| after(on, *kind)).collect();
        self.jobs.insert(full.clone(), job(program, waits));
        full
    }

    /// All of them.
    pub fn request(self) -> Request {
        Request {
            what: format!("pipeline {} of {}", self.name, self.containers.len()),
            verb: Verb::Submit,
            path: "/api/v1/pipelines".to_owned(),
            body: json!({"name": self.name, "containers": self.containers}),
            jobs: self.jobs,
        }
    }
}
