//! A machine with an engine and a disk, and the processes that come and go on it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use pinode_scheduler::container::{Claim, Stop};
use pinode_scheduler::{ContainerId, Duty, Outcome, SessionId, Work};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};

use crate::agent::fake::{Connection, FakeEngine};
use crate::agent::intents::Key;
use crate::agent::{Agent, AgentConfig, Authority, Intents, Report, What, reset};

pub(super) const CLUSTER: &str = "c0ffee00c0ffee00";
/// No story waits longer for a report.
const PATIENCE: Duration = Duration::from_secs(300);

/// A lease under the test's hand.
#[derive(Debug)]
pub(super) struct Lease {
    /// How many more times it says yes.
    grants: AtomicUsize,
    /// Whose it is.
    session: AtomicU64,
    fenced: watch::Sender<bool>,
}

impl Lease {
    /// It has run out, and whoever must be dead then is to be killed.
    pub(super) fn lapses(&self) {
        self.lapses_after(0);
        self.fenced.send_replace(true);
    }

    /// It says yes so many times more; nobody is fenced yet.
    pub(super) fn lapses_after(&self, grants: usize) {
        self.grants.store(grants, Ordering::Relaxed);
    }

    /// From now on it is the lease of that session.
    pub(super) fn is_of_session(&self, number: u64) {
        self.session.store(number, Ordering::Relaxed);
    }

    pub(super) fn is_renewed(&self) {
        self.lapses_after(usize::MAX);
        self.fenced.send_replace(false);
    }
}

impl Authority for Lease {
    fn may_start(&self, session: SessionId) -> bool {
        if session.number != self.session.load(Ordering::Relaxed) {
            return false;
        }
        let one_less = |left: usize| if left == usize::MAX { Some(left) } else { left.checked_sub(1) };
        self.grants.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }

    fn fenced(&self) -> watch::Receiver<bool> {
        self.fenced.subscribe()
    }
}

/// The machine.
pub(super) struct Node {
    pub(super) fake: FakeEngine,
    pub(super) lease: Arc<Lease>,
    pub(super) boot: String,
    disk: TempDir,
    owed: BTreeMap<Key, Duty>,
    process: Option<Process>,
}

struct Process {
    agent: Agent,
    reports: mpsc::Receiver<Report>,
}

impl Node {
    /// A process runs on it, and nothing is owed.
    pub(super) fn new() -> Node {
        let mut node = Node::without_process();
        let connection = node.fake.connect();
        node.begin(connection);
        node
    }

    pub(super) fn without_process() -> Node {
        let lease = Lease {
            grants: AtomicUsize::new(usize::MAX),
            session: AtomicU64::new(1),
            fenced: watch::Sender::new(false),
        };
        Node {
            fake: FakeEngine::empty(),
            lease: Arc::new(lease),
            boot: "boot-1".to_owned(),
            disk: tempfile::tempdir().unwrap(),
            owed: BTreeMap::new(),
            process: None,
        }
    }

    /// A process begins over what is on disk and in the engine, and learns what is owed.
    pub(super) fn begin(&mut self, connection: Arc<Connection>) {
        let config = AgentConfig {
            cluster: CLUSTER.to_owned(),
            node: "pi1".to_owned(),
            boot: self.boot.clone(),
            intents: self.intents(),
            shared_dir: self.disk.path().join("shared"),
            live_restore: true,
        };
        let (agent, reports) = Agent::start(connection, self.lease.clone(), config);
        agent.set_owed(self.owed.clone());
        self.process = Some(Process { agent, reports });
    }

    /// The process is gone at once; what it had said and nobody heard is gone with it.
    pub(super) fn crash(&mut self) {
        self.process = None;
    }

    /// What a process that began now would read.
    pub(super) fn intents(&self) -> Intents {
        Intents::open(&self.disk.path().join("intents")).unwrap()
    }

    fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("a process runs")
    }

    /// Makes the engine silent, as before a new session.
    pub(super) async fn falls_silent(&mut self) {
        self.process().agent.silence(&|_| false).await.expect("the engine answers");
    }

    /// Whether something may run there that is not spared.
    pub(super) async fn may_run(&mut self, spared: &(impl Fn(ContainerId) -> bool + Send + Sync)) -> bool {
        reset::may_run(&self.process().agent, spared).await
    }

    pub(super) fn problem(&mut self) -> Option<String> {
        self.process().agent.engine().borrow().clone()
    }

    /// In the place of what was owed for that attempt.
    pub(super) fn owes(&mut self, duty: Duty) {
        self.owed.insert(key_of(&duty), duty);
        self.tell();
    }

    pub(super) fn owes_nothing(&mut self) {
        self.owed.clear();
        self.tell();
    }

    fn tell(&mut self) {
        let owed = self.owed.clone();
        if let Some(process) = &self.process {
            process.agent.set_owed(owed);
        }
    }

    /// The next thing that the agent says.
    pub(super) async fn report(&mut self) -> Report {
        let reports = &mut self.process().reports;
        let report = timeout(PATIENCE, reports.recv()).await.expect("a report within patience");
        report.expect("the agent lives")
    }

    /// Waits until it has started.
    pub(super) async fn started(&mut self) {
        let report = self.report().await;
        assert!(matches!(report.what, What::Started(_)), "not started, but {report:?}");
    }

    /// How the next attempt to end ends.
    pub(super) async fn end(&mut self) -> Outcome {
        loop {
            match self.report().await.what {
                What::Exited { outcome, .. } => return outcome,
                What::Preparing(_) | What::Started(_) | What::Healthy => {}
                what @ (What::Declined(_) | What::Removed) => panic!("no end, but {what:?}"),
            }
        }
    }

    /// Everything that is said within that time.
    pub(super) async fn said_within(&mut self, time: Duration) -> Vec<What> {
        let until = Instant::now() + time;
        let mut said = Vec::new();
        let reports = &mut self.process().reports;
        while let Ok(report) = tokio::time::timeout_at(until, reports.recv()).await {
            said.push(report.expect("the agent lives").what);
        }
        said
    }
}

pub(super) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The first attempt of a container that is fenced.
pub(super) fn work(name: &str) -> Work {
    let mut id = [0; 32];
    id.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
    Work {
        container: ContainerId(id),
        name: name.to_owned(),
        engine_name: name.to_owned(),
        claim: Claim { session: SessionId { node: 1, number: 1 }, attempt: 1 },
        create: r#"{"Image":"busybox"}"#.to_owned(),
        stop_timeout_s: 10,
        fenced: true,
        started: false,
        healthy: false,
        attached: false,
        beside: Default::default(),
    }
}

pub(super) fn run(name: &str) -> Duty {
    Duty::Run(work(name))
}

pub(super) fn resolve(name: &str) -> Duty {
    Duty::Resolve(work(name))
}

pub(super) fn stop(name: &str) -> Duty {
    Duty::Stop(work(name), Stop::default())
}

pub(super) fn kill(name: &str) -> Duty {
    Duty::Stop(work(name), Stop { kill: true, ..Stop::default() })
}

pub(super) fn remove(name: &str) -> Duty {
    Duty::Remove { container: work(name).container, attempt: 1 }
}

pub(super) fn key(name: &str) -> Key {
    (work(name).container, 1)
}

fn key_of(duty: &Duty) -> Key {
    match duty {
        Duty::Run(work) | Duty::Stop(work, _) | Duty::Resolve(work) => (work.container, work.claim.attempt),
        Duty::Remove { container, attempt } | Duty::Keep { container, attempt } => (*container, *attempt),
    }
}

pub(super) fn docker_name(name: &str) -> String {
    format!("pinode-c0ffee00-{name}-1")
}

/// The ends among what was said.
pub(super) fn ends(said: &[What]) -> Vec<&Outcome> {
    said.iter()
        .filter_map(|what| match what {
            What::Exited { outcome, .. } => Some(outcome),
            What::Preparing(_) | What::Started(_) | What::Healthy | What::Declined(_) | What::Removed => None,
        })
        .collect()
}

/// An end under a live watch.
pub(super) fn witnessed(code: i64) -> Outcome {
    Outcome::Exited { code, witnessed: true, oom: false }
}

/// An end that was pieced together afterwards, and is believed.
pub(super) fn recovered(code: i64) -> Outcome {
    Outcome::Exited { code, witnessed: false, oom: false }
}

pub(super) fn is_interrupted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Interrupted { .. })
}

pub(super) fn never_started(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::NeverStarted { .. })
}
