//! One container, and what the engine says of it.

use std::collections::HashMap;
use std::time::Duration;

use super::super::runtime::{Seen, Status, label};
use super::program::Program;

/// An instant job has ended "before" it started by about so much.
const SKEW: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct Container {
    pub(super) id: String,
    pub(super) docker_name: String,
    pub(super) labels: HashMap<String, String>,
    pub(super) program: Program,
    pub(super) status: Status,
    /// How often it was started: which run a scheduled end belongs to.
    pub(super) runs: u32,
    code: i64,
    oom: bool,
    healthy: bool,
    started_at: Option<jiff::Timestamp>,
    finished_at: Option<jiff::Timestamp>,
    error: String,
}

impl Container {
    pub(super) fn new(
        id: String,
        docker_name: String,
        labels: HashMap<String, String>,
        program: Program,
    ) -> Container {
        Container {
            id,
            docker_name,
            labels,
            program,
            status: Status::Created,
            runs: 0,
            code: 0,
            oom: false,
            healthy: false,
            started_at: None,
            finished_at: None,
            error: String::new(),
        }
    }

    pub(super) fn label(&self, key: &str) -> &str {
        self.labels.get(key).map_or("", String::as_str)
    }

    pub(super) fn attempt(&self) -> u32 {
        self.label(label::ATTEMPT).parse().unwrap_or(0)
    }

    /// Runs, whatever it did before: an engine runs an ended one again.
    pub(super) fn begin(&mut self, now: jiff::Timestamp) {
        self.status = Status::Running;
        self.runs += 1;
        self.started_at = Some(now);
        self.finished_at = None;
        self.healthy = false;
    }

    pub(super) fn finish(&mut self, now: jiff::Timestamp, code: i64, oom: bool) {
        let instant = self.started_at == Some(now);
        self.status = Status::Exited;
        self.code = code;
        self.oom = oom;
        self.finished_at = Some(if instant { now - SKEW } else { now });
    }

    /// The engine could not start it.
    pub(super) fn refuse(&mut self, message: String) {
        self.error = message;
    }

    pub(super) fn becomes_healthy(&mut self) {
        self.healthy = true;
    }

    pub(super) fn seen(&self) -> Seen {
        Seen {
            code: self.code,
            oom: self.oom,
            started_at: self.started_at.map(|at| at.to_string()),
            finished_at: self.finished_at.map(|at| at.to_string()),
            healthy: self.healthy,
            error: self.error.clone(),
            ..self.listed()
        }
    }

    /// As the engine's list shows it: where it is, and little else.
    pub(super) fn listed(&self) -> Seen {
        let ours = self.labels.get(label::CONTAINER).map(|container| (container.clone(), self.attempt()));
        Seen {
            id: self.id.clone(),
            status: self.status,
            code: 0,
            oom: false,
            started_at: None,
            finished_at: None,
            healthy: false,
            ours,
            error: String::new(),
        }
    }
}
