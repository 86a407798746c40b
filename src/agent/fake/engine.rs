//! The engine itself: what it does when it is told to, at once and in order. Nothing in here waits; who schedules a
//! program's end is [`super::Connection`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bollard::models::ContainerCreateBody;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::super::runtime::{EngineInfo, Hint, History, RuntimeError, Seen, Status, label};
use super::container::Container;
use super::deeds::{Deed, Happened};
use super::program::Program;

/// 2026-01-01: when every fake engine is made, in seconds since 1970.
const BEGAN_S: i64 = 1_767_225_600;
/// What it says of its machine.
const CPUS: u64 = 4;
const MEMORY: u64 = 8 << 30;
/// Hints that wait for a slow reader; the engine drops what is more.
const HINTS_MAX: usize = 256;

/// The code that an engine shows for what ended while it was away, and knows nothing of.
const POWER_CUT: i64 = 255;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Start,
    Kill,
    Other,
}

/// What a start set going: the program ends after so long, if nobody ends it before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub(super) run: u32,
    pub(super) length: Option<Duration>,
    pub(super) healthy_after: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct Engine {
    pub(super) reachable: bool,
    pub(super) live_restore: bool,
    pub(super) hints_lost: bool,
    pub(super) missing_images: BTreeSet<String>,
    pub(super) programs: BTreeMap<String, Program>,
    pub(super) runs: BTreeMap<(String, u32), u32>,
    /// Who hears hints, and of which cluster.
    pub(super) listeners: Vec<(String, mpsc::Sender<Hint>)>,
    began: Instant,
    made: u32,
    containers: BTreeMap<String, Container>,
    /// Of this run of the engine.
    events: Vec<(String, Action)>,
    /// Of all its runs.
    pub(super) deeds: Vec<Deed>,
}

impl Engine {
    pub(super) fn new() -> Engine {
        Engine {
            reachable: true,
            live_restore: false,
            hints_lost: false,
            missing_images: BTreeSet::new(),
            programs: BTreeMap::new(),
            runs: BTreeMap::new(),
            listeners: Vec::new(),
            began: Instant::now(),
            made: 0,
            containers: BTreeMap::new(),
            events: Vec::new(),
            deeds: Vec::new(),
        }
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(BEGAN_S).unwrap_or_default() + self.began.elapsed()
    }

    pub(super) fn info(&self) -> EngineInfo {
        EngineInfo {
            version: "fake".to_owned(),
            cpus: CPUS,
            memory: MEMORY,
            live_restore: self.live_restore,
            ..EngineInfo::default()
        }
    }

    pub(super) fn forget_the_past(&mut self) {
        self.deeds.clear();
        self.runs.clear();
        self.programs.clear();
        self.events.retain(|(id, _)| self.containers.contains_key(id));
    }

    pub(super) fn count(&self) -> usize {
        self.containers.len()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.containers.values().map(|found| found.docker_name.clone()).collect()
    }

    pub(super) fn list(&self, cluster: &str) -> Vec<Seen> {
        let ours = self.containers.values().filter(|found| found.label(label::CLUSTER) == cluster);
        ours.map(Container::listed).collect()
    }

    fn find(&self, id: &str) -> Option<&Container> {
        self.containers.get(id).or_else(|| self.containers.values().find(|found| found.docker_name == id))
    }

    fn id_of(&self, id: &str) -> Result<String, RuntimeError> {
        self.find(id).map(|found| found.id.clone()).ok_or(RuntimeError::NoSuch)
    }

    pub(super) fn inspect(&self, id: &str) -> Option<Seen> {
        self.find(id).map(Container::seen)
    }

    pub(super) fn create(&mut self, name: &str, body: &ContainerCreateBody) -> Result<String, RuntimeError> {
        if let Some(image) = body.image.as_ref().filter(|image| self.missing_images.contains(*image)) {
            return Err(RuntimeError::ImageMissing(format!("No such image: {image}")));
        }
        if self.find(name).is_some() {
            return Err(RuntimeError::NameTaken);
        }
        self.made += 1;
        let id = format!("docker-{}", self.made);
        let labels = body.labels.clone().unwrap_or_default();
        let program = labels.get(label::NAME).and_then(|name| self.programs.get(name)).cloned();
        let made = Container::new(id.clone(), name.to_owned(), labels, program.unwrap_or_default());
        self.containers.insert(id.clone(), made);
        self.happened(&id, Action::Other);
        Ok(id)
    }

    /// None: it runs already, and that is no error.
    pub(super) fn start(&mut self, id: &str) -> Result<Option<Life>, RuntimeError> {
        let (id, now) = (self.id_of(id)?, self.now());
        let found = self.containers.get_mut(&id).ok_or(RuntimeError::NoSuch)?;
        if found.status == Status::Running {
            return Ok(None);
        }
        if let Some(refusal) = found.program.refusal.clone() {
            found.refuse(refusal.to_string());
            return Err(refusal);
        }
        found.begin(now);
        let Program { length, healthy_after, .. } = found.program;
        let life = Life { run: found.runs, length, healthy_after };
        let attempt = (found.label(label::NAME).to_owned(), found.attempt());
        *self.runs.entry(attempt).or_default() += 1;
        self.happened(&id, Action::Start);
        self.did(&id, Happened::Started);
        if length == Some(Duration::ZERO) {
            self.is_through(&id, life.run);
        }
        Ok(Some(life))
    }

    /// The program of that run comes to its own end, unless it was ended before.
    pub(super) fn is_through(&mut self, id: &str, run: u32) {
        let Some(found) = self.running(id, run) else { return };
        let (code, oom) = (found.program.code, found.program.oom);
        self.end(id, code, oom);
        self.did(id, Happened::Ended { code, by_itself: true });
    }

    pub(super) fn is_healthy(&mut self, id: &str, run: u32) {
        let Some(found) = self.running(id, run) else { return };
        found.becomes_healthy();
        self.happened(id, Action::Other);
    }

    fn running(&mut self, id: &str, run: u32) -> Option<&mut Container> {
        self.containers.get_mut(id).filter(|found| found.status == Status::Running && found.runs == run)
    }

    fn end(&mut self, id: &str, code: i64, oom: bool) {
        let now = self.now();
        if let Some(found) = self.containers.get_mut(id) {
            found.finish(now, code, oom);
        }
        self.happened(id, Action::Other);
    }

    pub(super) fn kill(&mut self, id: &str) -> Result<(), RuntimeError> {
        self.signal(id, |program| Some(program.on_kill))
    }

    pub(super) fn terminate(&mut self, id: &str) -> Result<(), RuntimeError> {
        self.signal(id, |program| program.on_term)
    }

    fn signal(&mut self, id: &str, code: impl Fn(&Program) -> Option<i64>) -> Result<(), RuntimeError> {
        let id = self.id_of(id)?;
        let found = self.containers.get(&id).filter(|found| found.status == Status::Running);
        let Some(found) = found else {
            return Err(refused(409, format!("Container {id} is not running")));
        };
        let code = code(&found.program);
        self.happened(&id, Action::Kill);
        if let Some(code) = code {
            self.end(&id, code, false);
            self.did(&id, Happened::Ended { code, by_itself: false });
        }
        Ok(())
    }

    /// The machine's power goes: everything ends in one instant, and the engine will know no better than 255.
    pub(super) fn lose_power(&mut self) {
        let running = self.containers.values().filter(|found| found.status == Status::Running);
        for id in running.map(|found| found.id.clone()).collect::<Vec<_>>() {
            self.end(&id, POWER_CUT, false);
            self.did(&id, Happened::Ended { code: POWER_CUT, by_itself: false });
        }
        self.goes_away();
    }

    fn did(&mut self, id: &str, what: Happened) {
        let Some(found) = self.containers.get(id) else { return };
        let (name, attempt) = (found.label(label::NAME).to_owned(), found.attempt());
        self.deeds.push(Deed { at: Instant::now(), docker_id: id.to_owned(), name, attempt, what });
    }

    pub(super) fn remove(&mut self, id: &str, force: bool) -> Result<(), RuntimeError> {
        let id = self.id_of(id)?;
        let runs = self.find(&id).is_some_and(|found| found.status == Status::Running);
        if runs && !force {
            let message = format!("You cannot remove a running container {id}");
            return Err(refused(409, message));
        }
        if runs {
            self.kill(&id)?;
        }
        self.happened(&id, Action::Other);
        self.containers.remove(&id);
        Ok(())
    }

    /// By id: what has been removed is remembered as well.
    pub(super) fn history(&self, id: &str) -> History {
        let did = |action| self.events.contains(&(id.to_owned(), action));
        History { start: did(Action::Start), kill: did(Action::Kill) }
    }

    pub(super) fn listen(&mut self, cluster: &str) -> mpsc::Receiver<Hint> {
        let (sender, receiver) = mpsc::channel(HINTS_MAX);
        self.listeners.push((cluster.to_owned(), sender));
        receiver
    }

    pub(super) fn goes_away(&mut self) {
        self.reachable = false;
        self.listeners.clear();
    }

    pub(super) fn shut_down(&mut self) {
        if !self.live_restore {
            self.end_all();
        }
        self.goes_away();
    }

    fn end_all(&mut self) {
        let running = self.containers.values().filter(|found| found.status == Status::Running);
        let running: Vec<String> = running.map(|found| found.id.clone()).collect();
        for id in running {
            // Who does not listen is killed; what has ended meanwhile needs neither.
            drop(self.terminate(&id));
            drop(self.kill(&id));
        }
    }

    pub(super) fn forget_history(&mut self) {
        self.events.clear();
    }

    fn happened(&mut self, id: &str, action: Action) {
        self.events.push((id.to_owned(), action));
        let Some(found) = self.containers.get(id) else { return };
        let (cluster, attempt) = (found.label(label::CLUSTER), found.attempt());
        let hint = Hint { container: found.label(label::CONTAINER).to_owned(), attempt };
        // A reader that is gone or too slow misses it, as with Docker.
        self.listeners.retain(|(wanted, listener)| {
            let tell = !self.hints_lost && self.reachable && wanted == cluster;
            !tell || !matches!(listener.try_send(hint.clone()), Err(mpsc::error::TrySendError::Closed(_)))
        });
    }
}

fn refused(status: u16, message: String) -> RuntimeError {
    RuntimeError::Refused { status, message }
}
