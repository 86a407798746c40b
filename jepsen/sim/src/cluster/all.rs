//! All machines of a run, and what can be done to them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as PlainMutex, MutexGuard as PlainGuard};
use std::time::Duration;

use anyhow::Context;
use openraft::async_runtime::WatchReceiver;
use pinode::agent::fake::Happened;
use pinode::http::Backend;
use pinode_raft::host::Host;
use pinode_raft::machine::Changes;
use pinode_scheduler::State;
use pinode_scheduler::container::{Container, Phase};
use pinode_scheduler::reply::What;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::Machine;
use crate::history::{Deed, History, Shown, Unattended, View};
use crate::nemesis::Rates;
use crate::random::Random;
use crate::world::{Kind, Net, Trace, lock};

/// Between two looks at processes that may have ended by themselves.
const LOOK: Duration = Duration::from_millis(250);
/// Between the end of a process and its next start, as systemd has it.
const RESTART: Duration = Duration::from_secs(1);

/// Of a hundred clusters so many have SD cards, as most shelves of Pis.
const SD_CARDS: u64 = 67;

/// The machines. Everything about a run is reached from here.
pub struct Cluster {
    /// Between the machines.
    pub net: Net,
    /// What happened.
    pub trace: Trace,
    history: PlainMutex<History>,
    machines: Vec<Mutex<Machine>>,
    /// Machines that a fault has in its hands, and that no other one touches.
    taken: PlainMutex<Vec<bool>>,
    /// A node on a new disk does not vote yet.
    disk_lost: AtomicBool,
    rates: Rates,
    began: Instant,
    folder: TempDir,
}

impl Cluster {
    /// So many machines, switched on, without a process.
    pub fn new(
        machines: usize,
        rates: Rates,
        random: &mut Random,
        trace: Trace,
    ) -> anyhow::Result<Arc<Cluster>> {
        let folder = in_memory().context("make a folder for the simulated disks")?;
        let net = Net::new(random.fork(), trace.clone());
        let kind = if random.percent(SD_CARDS) { Kind::SdCard } else { Kind::Ssd };
        trace.event(format_args!("{machines} machines, each with an {kind:?}"));
        let all = (0..machines).map(|number| Machine::new(number, folder.path(), kind, random.fork()));
        let machines: Vec<Mutex<Machine>> = all.map(Mutex::new).collect();
        let taken = PlainMutex::new(vec![false; machines.len()]);
        Ok(Arc::new(Cluster {
            net,
            trace,
            history: PlainMutex::default(),
            machines,
            taken,
            disk_lost: AtomicBool::new(false),
            rates,
            began: Instant::now(),
            folder,
        }))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.machines.len()
    }

    /// Where everything that is on disks is, but for the logs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How far boot clocks may be off.
    pub fn rates(&self) -> Rates {
        self.rates
    }

    /// Virtual time since the run began.
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// What is noted.
    pub fn history(&self) -> PlainGuard<'_, History> {
        lock(&self.history)
    }

    /// Something is wrong in the sight of the harness itself.
    pub fn wrong(&self, what: String) {
        self.trace.event(format_args!("WRONG {what}"));
        self.history().seen_wrong.insert(what);
    }

    /// A machine.
    pub async fn machine(&self, number: usize) -> MutexGuard<'_, Machine> {
        self.machines[number].lock().await
    }

    /// The node on a machine, if it is up and has a cluster.
    pub async fn node(&self, number: usize) -> Option<(Arc<dyn Host>, Backend)> {
        self.machine(number).await.backend()
    }

    /// Takes a machine for a fault, unless another has it.
    pub fn take(&self, number: usize) -> bool {
        !std::mem::replace(&mut lock(&self.taken)[number], true)
    }

    /// Gives it back.
    pub fn give_back(&self, number: usize) {
        lock(&self.taken)[number] = false;
    }

    /// Whether the cluster can bear the loss of a disk; the answer yes is given once.
    pub fn may_lose_a_disk(&self) -> bool {
        !self.disk_lost.swap(true, Ordering::Relaxed)
    }

    /// It has got over the last loss of a disk.
    pub fn disk_is_replaced(&self) {
        self.disk_lost.store(false, Ordering::Relaxed);
    }

    /// Whether the node on a machine votes, in the eyes of who leads.
    pub async fn votes(&self, number: usize) -> bool {
        let Some((_, backend)) = self.node(number).await else { return false };
        let Some(leader) = self.leader().await else { return false };
        let Some((_, leader)) = self.node(leader).await else { return false };
        let metrics = leader.raft.metrics().borrow_watched().clone();
        metrics.membership_config.membership().voter_ids().any(|id| id == backend.me)
    }

    fn is_taken(&self, number: usize) -> bool {
        lock(&self.taken)[number]
    }

    /// Starts a process on a machine.
    pub async fn start(&self, number: usize) -> Result<(), String> {
        let started = self.machine(number).await.start(self.count(), &self.net);
        match started {
            Ok(()) => {
                self.trace.event(format_args!("n{number} starts"));
                self.attended(number);
                Ok(())
            }
            Err(error) => {
                // The folder has another name in each run.
                let why = format!("{error:#}").replace(&self.folder.path().display().to_string(), "");
                self.trace.event(format_args!("n{number} does not start: {why}"));
                Err(why)
            }
        }
    }

    /// From now on nobody on that machine can keep a promise.
    pub fn unattended(&self, number: usize) {
        let from = self.now();
        self.history().unattended.push(Unattended { machine: number, from, to: None });
    }

    /// From now on somebody can again.
    pub fn attended(&self, number: usize) {
        let now = self.now();
        for span in &mut self.history().unattended {
            if span.machine == number && span.to.is_none() {
                span.to = Some(now);
            }
        }
    }

    /// Starts again what has ended by itself, as systemd would; what was set aside stays down. Never returns.
    pub async fn supervise(&self) {
        loop {
            sleep(LOOK).await;
            for number in 0..self.count() {
                if self.is_taken(number) {
                    continue;
                }
                self.end_if_disk_failed(number).await;
                let ended = self.machine(number).await.ended(&self.net).await;
                if let Some(ended) = &ended {
                    self.trace.event(format_args!("n{number} has ended: {ended:?}"));
                    self.unattended(number);
                }
                let down = { !self.machine(number).await.is_up() };
                if down && !self.machine(number).await.is_quarantined() && self.take(number) {
                    sleep(RESTART).await;
                    drop(self.start(number).await);
                    self.give_back(number);
                }
            }
        }
    }

    /// A process whose sync failed aborts.
    pub async fn end_if_disk_failed(&self, number: usize) -> bool {
        let mut machine = self.machine(number).await;
        if !machine.is_up() || !machine.disk.has_failed() {
            return false;
        }
        machine.disk.mend();
        let lost = machine.crash(&self.net).await;
        drop(machine);
        self.unattended(number);
        self.trace.event(format_args!("n{number} aborts after a failed sync; {lost} writes are lost"));
        true
    }

    /// Who leads, as far as those see who are up.
    pub async fn leader(&self) -> Option<usize> {
        for number in 0..self.count() {
            if let Some((_, backend)) = self.node(number).await
                && backend.raft.is_leader()
            {
                return Some(number);
            }
        }
        None
    }

    /// Looks at each node; with digests where that is wanted.
    pub async fn look(&self, digests: bool) -> Vec<View> {
        let mut views = Vec::new();
        for machine in 0..self.count() {
            let Some((_, backend)) = self.node(machine).await else { continue };
            let state = backend.machine.state();
            let digest = digests.then(|| state.hash().unwrap_or_else(|error| error.to_string()));
            views.push(View { machine, applied: state.applied(), digest, containers: containers(&state) });
        }
        views
    }

    /// What the engines did, in order of time.
    pub async fn deeds(&self) -> Vec<Deed> {
        let mut all = Vec::new();
        for machine in 0..self.count() {
            let deeds = self.machine(machine).await.engine.deeds();
            all.extend(deeds.into_iter().map(|deed| Deed {
                machine,
                at: deed.at - self.began,
                docker_id: deed.docker_id,
                name: deed.name,
                attempt: deed.attempt,
                ended: match deed.what {
                    Happened::Started => None,
                    Happened::Ended { code, by_itself } => Some((code, by_itself)),
                },
            }));
        }
        all.sort_by_key(|deed| (deed.at, deed.machine));
        all
    }

    /// Follows what entries do on every node, and holds the nodes against each other. Never returns.
    pub async fn follow_entries(self: Arc<Self>) {
        let mut followed: BTreeMap<usize, Arc<dyn Host>> = BTreeMap::new();
        let mut tasks = JoinSet::new();
        loop {
            for number in 0..self.count() {
                let Some((host, backend)) = self.node(number).await else { continue };
                let known = followed.get(&number).is_some_and(|before| Arc::ptr_eq(before, &host));
                if !known {
                    followed.insert(number, host);
                    let cluster = self.clone();
                    let mut changes = backend.machine.changes();
                    tasks.spawn(async move {
                        while let Ok(changes) = changes.recv().await {
                            let known = cluster.history().entries.contains_key(&changes.index);
                            for change in changes.changes.iter().filter(|_| !known) {
                                if let (What::NodeLost(session), Some(lost)) = (&change.what, &change.node) {
                                    cluster.must_not_act(lost, *session).await;
                                }
                            }
                            cluster.compare(number, changes);
                        }
                    });
                }
            }
            while tasks.try_join_next().is_some() {}
            sleep(LOOK).await;
        }
    }

    /// A session was lost a moment ago: its node's authority must have run out before.
    async fn must_not_act(&self, name: &str, session: u64) {
        for number in 0..self.count() {
            let machine = self.machine(number).await;
            let acts = machine.name == name && machine.may_act(session);
            drop(machine);
            if acts {
                self.wrong(format!("authority: n{number} may act, and its session is lost"));
            }
        }
    }

    fn compare(&self, number: usize, told: Arc<Changes>) {
        let before = self.history().entries.get(&told.index).cloned();
        let words = |changes: &Changes| format!("{} {:?}", changes.at_ms, changes.changes);
        match before {
            None => {
                self.trace.event(format_args!("entry {}: {}", told.index, words(&told)));
                self.history().entries.insert(told.index, (told, number));
            }
            Some((other, first)) if other != told => {
                let (index, other, told) = (told.index, words(&other), words(&told));
                self.wrong(format!("agree: entry {index} did {other} on n{first} and {told} on n{number}"));
            }
            Some(_) => {}
        }
    }
}

/// Where files cost no disk, if there is such a place.
fn in_memory() -> std::io::Result<TempDir> {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())
}

fn containers(state: &State) -> BTreeMap<String, Shown> {
    state.containers().map(|container| (container.name.clone(), shown(container))).collect()
}

fn shown(container: &Container) -> Shown {
    let (code, cause) = match &container.phase {
        Phase::Succeeded => (Some(0), None),
        Phase::Failed(failure) => (failure.code, failure.reason.clone()),
        Phase::Cancelled { code } => (*code, None),
        Phase::Skipped { cause } => (None, Some(cause.join(", because "))),
        Phase::Created
        | Phase::Blocked { .. }
        | Phase::Ready
        | Phase::Claimed(_)
        | Phase::Running(_)
        | Phase::Backoff
        | Phase::Unknown(_) => (None, None),
    };
    Shown {
        id: container.id.to_string(),
        state: container.phase.word(),
        terminal: container.phase.is_terminal(),
        attempt: container.attempt,
        run: container.run,
        code,
        cause,
    }
}
