//! The composition root: builds the parts, spawns the few tasks, and ends them in order.

mod blackout;
mod doors;
mod facts;
mod leave;
pub(crate) mod pace;
mod session;
mod shared;

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, bail};
use openraft::async_runtime::WatchReceiver;
use openraft::storage::RaftLogStorage;
use pinode_raft::config::raft_config;
use pinode_raft::host::here;
use pinode_raft::identity::{IdentityError, family};
use pinode_raft::{Identity, Log, Machine, OpenError, Opened, Raft, TypeConfig};
use pinode_scheduler::SessionId;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub use doors::Doors;
use doors::HttpDoors;

use crate::agent::docker::DockerEngine;
use crate::agent::runtime::ContainerRuntime;
use crate::agent::{Agent, AgentConfig, Intents, reset};
use crate::clock::Moment;
use crate::config::Config;
use crate::driver;
use crate::guard::{Found, Plan};
use crate::http::{self, Backend};
use crate::liveness::{Keeper, Lease, Record, Watchdog};
use crate::members::{self, Doubt, Founding};
use crate::propose::Proposer;
use crate::transport::wire::{Joiner, Seen};
use crate::transport::{self, Core, Greeting, Listens, Network, Peers, Services, Tcp, Wires};

/// A folder that a guard holds is looked at so often, so many times.
const GUARD_LOOK: Duration = Duration::from_millis(200);
const GUARD_LOOKS: u32 = 75;
/// Signals that wait to be heard; the second of them ends the process.
const SIGNALS_MAX: usize = 2;
/// An orderly stop takes no longer; then it ends anyhow.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(9);

/// What a node stands on. A simulation has its own in the place of log, wires, engine and boot.
pub struct Ground<L> {
    /// How it is to be.
    pub config: Config,
    /// Who its disk is.
    pub identity: Identity,
    /// Its log.
    pub log: L,
    /// Its state, as of the newest snapshot.
    pub machine: Machine,
    /// Its way to other nodes.
    pub wires: Arc<dyn Wires>,
    /// What runs its containers.
    pub engine: Arc<dyn ContainerRuntime>,
    /// The kernel's id of this boot.
    pub boot: String,
    /// The id that it sees in the folder that all nodes share, as it changes.
    pub shared_id: watch::Receiver<Option<String>>,
    /// Where the end of its authority is written down.
    pub record: Record,
    /// Until when what an earlier process of this boot left may go on; none if that one has not said.
    pub left_until: Option<Moment>,
}

/// Runs a node until it is told to stop.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let boot = facts::boot_id()?;
    let Opened { identity, log, machine } =
        open(&config.data_dir).await.with_context(|| format!("open {}", config.data_dir.display()))?;
    let guarded = Plan::dismiss(&config.data_dir, &boot).context("send the guard home")?;
    let (record, recorded) = Record::open(identity.node(), &boot);
    let left_until = guarded.until.or(recorded);
    let shared_id =
        shared::id_of(&config.shared_dir).with_context(|| format!("use {}", config.shared_dir.display()))?;
    let shared_id = shared::follow(config.shared_dir.clone(), shared_id);
    let peer_listener = bind(&config.peer_listen).await?;
    let http_listener = Arc::new(bind(&config.listen).await?);
    let engine = Arc::new(DockerEngine::new(&config.docker_host)?);
    let doors = HttpDoors { config: config.clone(), listener: http_listener, engine: engine.clone() };
    let (tell, told) = mpsc::channel(SIGNALS_MAX);
    let mut signals = JoinSet::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let (mut signal, tell) = (signal(kind)?, tell.clone());
        signals.spawn(async move { while signal.recv().await.is_some() && tell.send(()).await.is_ok() {} });
    }
    let wires = Arc::new(Tcp);
    let ground =
        Ground { config, identity, log, machine, wires, engine, boot, shared_id, record, left_until };
    live(ground, peer_listener, doors, told).await
}

/// Lives on that ground until it is told to stop; told once more, it ends at once.
pub async fn live<L>(
    mut ground: Ground<L>,
    listener: impl Listens + 'static,
    mut doors: impl Doors,
    mut told: mpsc::Receiver<()>,
) -> anyhow::Result<()>
where
    L: RaftLogStorage<TypeConfig> + Log + Clone + 'static,
{
    let (config, identity) = (&ground.config, &mut ground.identity);
    tracing::info!(name = %config.name, node = format!("{:016x}", identity.node()), start = identity.start().count, "starts");
    let me = Joiner { node: identity.node(), name: config.name.clone(), addr: config.peer_advertise.clone() };
    let (log, machine) = (ground.log.clone(), ground.machine.clone());
    let greeting = Arc::new(Greeting::new(me.node, identity.start(), log, machine, identity.cluster()));
    let peers = Arc::new(Peers::over(ground.wires.clone(), greeting.clone()));
    let founding = Arc::new(Founding::new(me.clone(), &config.peers));
    let services = Arc::new(Services::new(greeting.clone(), founding.clone()));
    let mut tasks = JoinSet::new();
    tasks.spawn(here(transport::serve(listener, services.clone())));

    let found = tokio::select! {
        () = doors.wait(founding.clone()) => bail!("the listener on {} ended", config.listen),
        found = members::found(identity, &founding, &greeting, &peers) => found?,
        _ = told.recv() => return Ok(()),
    };
    let (mut log, mut machine) = (ground.log.clone(), ground.machine.clone());
    let doubt = tokio::select! {
        doubt = members::rejoin(&mut log, &mut machine, &peers) => doubt?,
        _ = told.recv() => return Ok(()),
    };
    let node = Node::build(ground, greeting, peers, Arc::new(doubt)).await?;
    services.core.get_or_init(|| node.core());
    members::initialise(&node.raft, me.node, &found).await?;
    node.spawn_membership(&mut tasks, me, founding.peers());
    let agent = node.spawn(&mut tasks)?;
    doors.open(node.backend(agent.clone()), &services, &mut tasks)?;
    let broken = tokio::select! {
        _ = told.recv() => None,
        stale = node.until_stale() => {
            // Before anything that takes time: it must not vote.
            node.raft.shutdown().await.context("stop raft")?;
            Some(stale)
        }
        why = until_raft_ends(&node.raft) => Some(format!("raft ended, and without it this node is no use: {why}")),
        ended = tasks.join_next() => Some(format!("a task of the node ended: {ended:?}")),
    };
    if let Some(why) = broken {
        node.fall_silent(&agent).await;
        bail!(why);
    }
    tracing::info!("leaves; once more stops it at once");
    tokio::select! {
        left = timeout(LEAVE_TIMEOUT, node.leave(&agent)) => left.context("leave in time")?,
        _ = told.recv() => Ok(()),
    }
}

/// Returns when Raft has ended by itself: after a failed read of its log, or a panic. The sender of these metrics goes with
/// it; of all that there are they change least, and wake nobody at each heartbeat.
pub(crate) async fn until_raft_ends(raft: &Raft) -> String {
    let mut metrics = raft.server_metrics();
    while metrics.changed().await.is_ok() {}
    let last = raft.metrics();
    let last = last.borrow_watched();
    last.running_state.as_ref().map_or_else(ToString::to_string, |()| "its task is gone".to_owned())
}

/// Waits for a guard that has just begun to end what an earlier process left, and for that process where it still leaves.
async fn open(dir: &Path) -> anyhow::Result<Opened> {
    let random = crate::random::number()?;
    let mut looks = GUARD_LOOKS;
    loop {
        match pinode_raft::open(dir, random, Box::new(stop_at_once)) {
            Err(OpenError::Identity(IdentityError::InUse(_)))
                if looks > 0 && Plan::find(dir) != Found::Nothing =>
            {
                looks -= 1;
                sleep(GUARD_LOOK).await;
            }
            opened => return Ok(opened?),
        }
    }
}

/// What was acknowledged may not be on disk, and a second sync would not say so: the process must not go on.
fn stop_at_once(error: &std::io::Error) {
    tracing::error!(%error, "the raft log could not be synced; stopping at once");
    std::process::abort();
}

async fn bind(addr: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr).await.with_context(|| format!("listen on {addr}"))
}

/// The parts of a running node.
struct Node {
    config: Config,
    identity: Identity,
    log: Arc<dyn Log>,
    raft: Raft,
    machine: Machine,
    peers: Arc<Peers>,
    greeting: Arc<Greeting>,
    doubt: Arc<Doubt>,
    proposer: Proposer,
    keeper: Arc<Keeper>,
    lease: Arc<Lease>,
    session: watch::Sender<Option<SessionId>>,
    /// From then on nothing is said of the session any more.
    leaving: watch::Sender<bool>,
    engine: Arc<dyn ContainerRuntime>,
    shared_id: watch::Receiver<Option<String>>,
    boot: String,
    /// The pace that Raft was started with, in milliseconds a sync.
    sync_ms: u32,
    /// The machine's, once it is armed.
    watchdog: OnceLock<Arc<Watchdog>>,
}

impl Node {
    async fn build<L>(
        ground: Ground<L>,
        greeting: Arc<Greeting>,
        peers: Arc<Peers>,
        doubt: Arc<Doubt>,
    ) -> anyhow::Result<Node>
    where
        L: RaftLogStorage<TypeConfig> + Log + Clone + 'static,
    {
        let Ground { config, identity, log, machine, engine, boot, shared_id, record, left_until, .. } =
            ground;
        let me = identity.node();
        let cluster = identity.cluster().context("no cluster id after the first contact")?;
        let sync_ms = pace::at_start(&config.data_dir, &log).await.context("measure the disk")?;
        let raft_config = Arc::new(raft_config(&http::hex(&cluster), pace::timeouts(sync_ms))?);
        let network = Network::new(peers.clone());
        let raft =
            Raft::new(me, raft_config, network, log.clone(), machine.clone()).await.context("start raft")?;
        greeting.lead_with(raft.clone());
        doubt.hold_back(&raft);
        let proposer = Proposer::new(raft.clone(), machine.clone(), peers.clone(), me);
        let keeper = Keeper::new(me, config.timing, raft.clone(), machine.clone(), proposer.clone());
        Ok(Node {
            engine,
            lease: Lease::new(config.timing, record, left_until),
            boot,
            keeper: Arc::new(keeper),
            session: watch::Sender::new(None),
            leaving: watch::Sender::new(false),
            config,
            identity,
            log: Arc::new(log),
            raft,
            machine,
            peers,
            greeting,
            doubt,
            proposer,
            shared_id,
            sync_ms,
            watchdog: OnceLock::new(),
        })
    }

    /// What other nodes may ask for.
    fn core(&self) -> Core {
        Core {
            raft: self.raft.clone(),
            machine: self.machine.clone(),
            proposer: self.proposer.clone(),
            keeper: self.keeper.clone(),
            doubt: self.doubt.clone(),
        }
    }

    /// Knocks until it is a member, and tends the others while it leads.
    fn spawn_membership(&self, tasks: &mut JoinSet<()>, me: Joiner, doors: Vec<String>) {
        let (raft, machine, peers) = (self.raft.clone(), self.machine.clone(), self.peers.clone());
        let (log, doubt, failover) = (self.log.clone(), self.doubt.clone(), pace::failover(self.sync_ms));
        tasks.spawn(here(async move {
            let belong = async {
                members::join(&raft, &machine, &peers, &me, &doors).await;
                members::tend(&raft, &machine).await;
            };
            tokio::join!(belong, doubt.settle(&raft, &*log, failover));
        }));
    }

    /// Everything between the log and the engine.
    fn spawn(&self, tasks: &mut JoinSet<()>) -> anyhow::Result<Arc<Agent>> {
        let me = self.identity.node();
        let agent_config = AgentConfig {
            cluster: self.identity.cluster().map(|id| http::hex(family(&id))).unwrap_or_default(),
            node: self.config.name.clone(),
            boot: self.boot.clone(),
            intents: Intents::open(&self.config.data_dir.join("intents")).context("read the intents")?,
            shared_dir: self.config.shared_dir.clone(),
            live_restore: facts::recorded_live_restore(&self.config.data_dir, &self.boot),
        };
        let (agent, reports) = Agent::start(self.engine.clone(), self.lease.clone(), agent_config);
        let agent = Arc::new(agent);
        let (keeper, lease) = (self.keeper.clone(), self.lease.clone());
        tasks.spawn(here(async move { keeper.watch().await }));
        tasks.spawn(here(async move { lease.watch().await }));
        tasks.spawn(here(blackout::tell(self.machine.clone())));
        tasks.spawn(here(pace::keep_noted(self.machine.clone(), self.config.data_dir.clone(), self.sync_ms)));
        self.spawn_last_resorts(tasks, &agent)?;
        tasks.spawn(here(driver::report(reports, self.proposer.clone(), me)));
        let session = self.session.subscribe();
        tasks.spawn(here(driver::report_engine(agent.engine(), session, self.proposer.clone())));
        let (engine, session) = (self.engine.clone(), self.session.subscribe());
        tasks.spawn(here(driver::report_images(engine, session, self.proposer.clone())));
        tasks.spawn(here(session::keep(self.sessions(agent.clone()), self.session.clone())));
        Ok(agent)
    }

    /// What people can reach of it.
    fn backend(&self, agent: Arc<Agent>) -> Backend {
        Backend {
            node: self.config.name.clone(),
            me: self.identity.node(),
            cluster: self.identity.cluster().unwrap_or_default(),
            raft: self.raft.clone(),
            machine: self.machine.clone(),
            proposer: self.proposer.clone(),
            peers: self.peers.clone(),
            agent,
            shared_dir: self.config.shared_dir.clone(),
            strategy: self.config.strategy.into(),
        }
    }

    /// For engines that do not end what must be dead.
    fn spawn_last_resorts(&self, tasks: &mut JoinSet<()>, agent: &Arc<Agent>) -> anyhow::Result<()> {
        let (kill, machine) = (self.config.timing.kill, self.machine.clone());
        if let Some(engine) = self.config.fence_engine.clone() {
            let spared = move |id| leave::never_reruns(&machine, id);
            tasks.spawn(reset::enforce(agent.clone(), kill, engine, spared));
        }
        if let Some(path) = &self.config.watchdog {
            let watchdog = Watchdog::open(path).with_context(|| format!("open {}", path.display()))?;
            let watchdog = self.watchdog.get_or_init(|| Arc::new(watchdog)).clone();
            let (lease, timing) = (self.lease.clone(), self.config.timing);
            let (agent, machine) = (agent.clone(), self.machine.clone());
            let may_run = move || {
                let (agent, machine) = (agent.clone(), machine.clone());
                async move { reset::may_run(&agent, &|id| leave::never_reruns(&machine, id)).await }
            };
            tasks.spawn(async move { watchdog.keep(&lease, timing, may_run).await });
        }
        Ok(())
    }

    fn sessions(&self, agent: Arc<Agent>) -> session::Sessions {
        session::Sessions {
            me: self.identity.node(),
            start: self.identity.start(),
            boot: self.boot.clone(),
            config: self.config.clone(),
            shared_id: self.shared_id.clone(),
            leaving: self.leaving.subscribe(),
            engine: self.engine.clone(),
            agent,
            log: self.log.clone(),
            sync_ms: self.sync_ms,
            machine: self.machine.clone(),
            proposer: self.proposer.clone(),
            keeper: self.keeper.clone(),
            lease: self.lease.clone(),
        }
    }

    /// Returns when a peer says that this disk is an old copy, or that its node was removed, or when it has applied that
    /// itself; the folder is set aside.
    async fn until_stale(&self) -> String {
        let (mut stale, mut applied) = (self.greeting.stale(), self.machine.applied());
        let told = async { stale.wait_for(Option::is_some).await.ok().and_then(|seen| *seen) };
        let me = self.identity.node();
        let removed = async { applied.wait_for(|_| self.machine.state().is_removed(me)).await.is_ok() };
        let seen = tokio::select! {
            Some(seen) = told => seen,
            true = removed => Seen::Removed,
            else => return std::future::pending().await,
        };
        let reason = seen.to_string();
        if let Err(error) = self.identity.quarantine(&reason) {
            tracing::error!(%error, "set the folder aside");
        }
        reason
    }
}
