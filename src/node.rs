//! The composition root: builds the parts, spawns the few tasks, and ends them in order.

mod doors;
mod facts;
mod leave;
mod session;
mod shared;
mod silence;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use openraft::async_runtime::WatchReceiver;
use openraft::storage::RaftLogStorage;
use pinode_raft::config::{Timeouts, raft_config};
use pinode_raft::host::here;
use pinode_raft::{Identity, Log, Machine, Opened, Raft, TypeConfig};
use pinode_scheduler::SessionId;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use doors::Doors;
use doors::HttpDoors;

use crate::agent::docker::DockerEngine;
use crate::agent::runtime::ContainerRuntime;
use crate::agent::{Agent, AgentConfig, Intents};
use crate::config::Config;
use crate::driver;
use crate::http::{self, Backend};
use crate::liveness::{Keeper, Lease};
use crate::members::{self, Founding};
use crate::propose::Proposer;
use crate::transport::wire::Joiner;
use crate::transport::{self, Core, Greeting, Listens, Network, Peers, Services, Tcp, Wires};

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
    /// The id that it sees in the folder that all nodes share.
    pub shared_id: Option<String>,
}

/// Runs a node until it is told to stop.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let random = u64::from_le_bytes(random()?);
    let opened = pinode_raft::open(&config.data_dir, random, Box::new(stop_at_once));
    let Opened { identity, log, machine } =
        opened.with_context(|| format!("open {}", config.data_dir.display()))?;
    let shared_id =
        shared::id_of(&config.shared_dir).with_context(|| format!("use {}", config.shared_dir.display()))?;
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
    let (boot, wires) = (facts::boot_id()?, Arc::new(Tcp));
    let ground = Ground { config, identity, log, machine, wires, engine, boot, shared_id };
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
    let node = Node::build(ground, greeting, peers).await?;
    services.core.get_or_init(|| node.core());
    members::initialise(&node.raft, me.node, &found).await?;
    node.spawn_membership(&mut tasks, me, founding.peers());
    let agent = node.spawn(&mut tasks)?;
    doors.open(node.backend(agent.clone()), &services, &mut tasks)?;
    let broken = tokio::select! {
        _ = told.recv() => None,
        stale = node.until_stale() => Some(stale),
        why = node.until_raft_ends() => Some(format!("raft ended, and without it this node is no use: {why}")),
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

/// What was acknowledged may not be on disk, and a second sync would not say so: the process must not go on.
fn stop_at_once(error: &std::io::Error) {
    tracing::error!(%error, "the raft log could not be synced; stopping at once");
    std::process::abort();
}

async fn bind(addr: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr).await.with_context(|| format!("listen on {addr}"))
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("read random bytes: {error}"))?;
    Ok(bytes)
}

/// The parts of a running node.
struct Node {
    config: Config,
    identity: Identity,
    log: Box<dyn Log>,
    raft: Raft,
    machine: Machine,
    peers: Arc<Peers>,
    greeting: Arc<Greeting>,
    proposer: Proposer,
    keeper: Arc<Keeper>,
    lease: Arc<Lease>,
    session: watch::Sender<Option<SessionId>>,
    engine: Arc<dyn ContainerRuntime>,
    shared_id: Option<String>,
    boot: String,
}

impl Node {
    async fn build<L>(ground: Ground<L>, greeting: Arc<Greeting>, peers: Arc<Peers>) -> anyhow::Result<Node>
    where
        L: RaftLogStorage<TypeConfig> + Log + Clone + 'static,
    {
        let Ground { config, identity, log, machine, engine, boot, shared_id, .. } = ground;
        let me = identity.node();
        let cluster = identity.cluster().context("no cluster id after the first contact")?;
        let raft_config = Arc::new(raft_config(&http::hex(&cluster), Timeouts::FAST)?);
        let network = Network::new(peers.clone());
        let raft =
            Raft::new(me, raft_config, network, log.clone(), machine.clone()).await.context("start raft")?;
        greeting.lead_with(raft.clone());
        let proposer = Proposer::new(raft.clone(), machine.clone(), peers.clone(), me);
        let keeper = Keeper::new(me, config.timing, raft.clone(), machine.clone(), proposer.clone());
        Ok(Node {
            engine,
            lease: Lease::new(config.timing),
            boot,
            keeper: Arc::new(keeper),
            session: watch::Sender::new(None),
            config,
            identity,
            log: Box::new(log),
            raft,
            machine,
            peers,
            greeting,
            proposer,
            shared_id,
        })
    }

    /// What other nodes may ask for.
    fn core(&self) -> Core {
        Core {
            raft: self.raft.clone(),
            machine: self.machine.clone(),
            proposer: self.proposer.clone(),
            keeper: self.keeper.clone(),
        }
    }

    /// Knocks until it is a member, and tends the others while it leads.
    fn spawn_membership(&self, tasks: &mut JoinSet<()>, me: Joiner, doors: Vec<String>) {
        let (raft, machine, peers) = (self.raft.clone(), self.machine.clone(), self.peers.clone());
        tasks.spawn(here(async move {
            members::join(&raft, &machine, &peers, &me, &doors).await;
            members::tend(&raft, &machine).await;
        }));
    }

    /// Everything between the log and the engine.
    fn spawn(&self, tasks: &mut JoinSet<()>) -> anyhow::Result<Arc<Agent>> {
        let me = self.identity.node();
        let cluster = self.identity.cluster().map(|id| http::hex(&id)).unwrap_or_default();
        let agent_config = AgentConfig {
            cluster,
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
            shared_id: self.shared_id.clone(),
        }
    }

    fn sessions(&self, agent: Arc<Agent>) -> session::Sessions {
        session::Sessions {
            me: self.identity.node(),
            start: self.identity.start(),
            boot: self.boot.clone(),
            config: self.config.clone(),
            shared_id: self.shared_id.clone(),
            engine: self.engine.clone(),
            agent,
            machine: self.machine.clone(),
            proposer: self.proposer.clone(),
            keeper: self.keeper.clone(),
            lease: self.lease.clone(),
        }
    }

    /// Returns when a peer says that this disk is an old copy; the folder is set aside.
    async fn until_stale(&self) -> String {
        let mut stale = self.greeting.stale();
        let seen = match stale.wait_for(Option::is_some).await {
            Ok(seen) => *seen,
            Err(_) => None,
        };
        let Some(seen) = seen else { return std::future::pending().await };
        let reason = format!("this disk is an old copy: {seen}");
        if let Err(error) = self.identity.quarantine(&reason) {
            tracing::error!(%error, "set the folder aside");
        }
        reason
    }

    /// Returns when Raft has ended by itself: after a failed read of its log, or a panic.
    async fn until_raft_ends(&self) -> String {
        let mut metrics = self.raft.metrics();
        loop {
            if let Err(why) = &metrics.borrow_watched().running_state {
                return why.to_string();
            }
            if metrics.changed().await.is_err() {
                return "its task is gone".to_owned();
            }
        }
    }
}
