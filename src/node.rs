//! The composition root: builds the parts, spawns the few tasks, and ends them in order.

mod facts;
mod session;
mod shared;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, bail};
use openraft::async_runtime::WatchReceiver;
use pinode_raft::config::{Timeouts, raft_config};
use pinode_raft::{Identity, LogStore, Machine, Opened, Raft};
use pinode_scheduler::SessionId;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::agent::docker::DockerEngine;
use crate::agent::{Agent, AgentConfig, Intents};
use crate::config::Config;
use crate::http::{self, Backend};
use crate::liveness::{Keeper, Lease};
use crate::members::{self, Found, Founding};
use crate::propose::Proposer;
use crate::transport::wire::Joiner;
use crate::transport::{self, Core, Greeting, Network, Peers, Services};
use crate::{driver, film};

/// An orderly stop takes no longer; then it ends anyhow.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(9);
/// Of that, so long for another node to take over the lead.
const HAND_OVER: Duration = Duration::from_secs(2);
/// How often it is asked whether a peer called this disk an old copy.
const STALE_LOOK: Duration = Duration::from_millis(500);

/// Runs a node until it is told to stop.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let fresh_id = u64::from_le_bytes(random()?);
    let opened = pinode_raft::open(&config.data_dir, fresh_id, Box::new(stop_at_once));
    let Opened { mut identity, log, machine } = opened.with_context(|| format!("open {}", config.data_dir.display()))?;
    let shared_id = shared::id_of(&config.shared_dir).with_context(|| format!("use {}", config.shared_dir.display()))?;
    let peer_listener = bind(&config.peer_listen).await?;
    let http_listener = bind(&config.listen).await?;
    tracing::info!(name = %config.name, node = format!("{:016x}", identity.node()), start = identity.starts(), "starts");

    let greeting = Arc::new(Greeting::new(identity.node(), identity.starts(), log.clone(), identity.cluster()));
    let peers = Arc::new(Peers::new(greeting.clone()));
    let founding = Founding::new(identity.node(), &config.name, &config.peer_advertise, &config.peers);
    let services = Arc::new(Services { greeting: greeting.clone(), founding, core: OnceLock::new() });
    let mut tasks = JoinSet::new();
    tasks.spawn(transport::serve(peer_listener, services.clone()));

    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let found = tokio::select! {
        found = first_contact(&mut identity, &services, &greeting, &peers) => found?,
        _ = term.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    let node = Node::build(config, identity, log, machine, greeting, peers, shared_id).await?;
    let core = Core {
        raft: node.raft.clone(),
        machine: node.machine.clone(),
        proposer: node.proposer.clone(),
        keeper: node.keeper.clone(),
    };
    services.core.get_or_init(|| core);
    node.begin(found).await?;
    node.spawn(&mut tasks, http_listener).await?;
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
        stale = node.until_stale() => bail!(stale),
        ended = tasks.join_next() => bail!("a task of the node ended: {ended:?}"),
    }
    tracing::info!("leaves; once more stops it at once");
    tokio::select! {
        left = timeout(LEAVE_TIMEOUT, node.leave()) => left.context("leave in time")?,
        _ = term.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
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

async fn first_contact(
    identity: &mut Identity,
    services: &Services,
    greeting: &Arc<Greeting>,
    peers: &Peers,
) -> anyhow::Result<Option<Found>> {
    if identity.cluster().is_some() && !members::was_founder(identity.dir()) {
        return Ok(None);
    }
    Ok(Some(members::found(identity, &services.founding, greeting, peers).await?))
}

/// The parts of a running node.
struct Node {
    config: Config,
    identity: Identity,
    log: LogStore,
    raft: Raft,
    machine: Machine,
    peers: Arc<Peers>,
    greeting: Arc<Greeting>,
    proposer: Proposer,
    keeper: Arc<Keeper>,
    lease: Arc<Lease>,
    session: watch::Sender<Option<SessionId>>,
    engine: Arc<DockerEngine>,
    shared_id: Option<String>,
    boot: String,
}

impl Node {
    async fn build(
        config: Config,
        identity: Identity,
        log: LogStore,
        machine: Machine,
        greeting: Arc<Greeting>,
        peers: Arc<Peers>,
        shared_id: Option<String>,
    ) -> anyhow::Result<Node> {
        let me = identity.node();
        let cluster = identity.cluster().context("no cluster id after the first contact")?;
        let raft_config = Arc::new(raft_config(&http::hex(&cluster), Timeouts::FAST)?);
        let network = Network::new(greeting.clone());
        let raft = Raft::new(me, raft_config, network, log.clone(), machine.clone()).await.context("start raft")?;
        let proposer = Proposer::new(raft.clone(), machine.clone(), peers.clone(), me);
        let keeper = Keeper::new(me, config.timing, raft.clone(), machine.clone(), proposer.clone());
        Ok(Node {
            engine: Arc::new(DockerEngine::new(&config.docker_host)?),
            lease: Lease::new(config.timing),
            boot: facts::boot_id()?,
            keeper: Arc::new(keeper),
            session: watch::Sender::new(None),
            config,
            identity,
            log,
            raft,
            machine,
            peers,
            greeting,
            proposer,
            shared_id,
        })
    }

    /// Initialises a fresh founder, and knocks where it is no member yet.
    async fn begin(&self, found: Option<Found>) -> anyhow::Result<()> {
        let mut doors: BTreeSet<String> = self.config.peers.clone();
        match found {
            Some(Found::Founded(founders)) => {
                let voters = members::first_voters(&founders);
                let fresh = self.log.is_empty() && self.machine.last_applied().is_none();
                if fresh && voters.contains_key(&self.identity.node()) {
                    // Fails when another founder was faster and has sent us its log already; that is the same cluster.
                    if let Err(error) = self.raft.initialize(voters).await {
                        tracing::debug!(%error, "initialise");
                    }
                }
                doors.extend(founders.into_values().map(|member| member.peer));
            }
            Some(Found::Exists { member, .. }) => {
                doors.insert(member);
            }
            None => {}
        }
        let membership = self.raft.metrics().borrow_watched().membership_config.clone();
        let own = membership.membership().get_node(&self.identity.node()).cloned();
        doors.extend(membership.membership().nodes().map(|(_, member)| member.peer.clone()));
        doors.remove(&self.config.peer_advertise);
        let moved = own.is_none_or(|own| own.peer != self.config.peer_advertise);
        if moved && !doors.is_empty() {
            let (node, name, addr) =
                (self.identity.node(), self.config.name.clone(), self.config.peer_advertise.clone());
            let (peers, doors) = (self.peers.clone(), doors.into_iter().collect::<Vec<_>>());
            tokio::spawn(async move { members::join(&peers, &Joiner { node, name, addr }, &doors).await });
        }
        Ok(())
    }

    async fn spawn(&self, tasks: &mut JoinSet<()>, http_listener: TcpListener) -> anyhow::Result<()> {
        let me = self.identity.node();
        let cluster = self.identity.cluster().map(|id| http::hex(&id)).unwrap_or_default();
        let agent_config = AgentConfig {
            cluster: cluster.clone(),
            node: self.config.name.clone(),
            boot: self.boot.clone(),
            intents: Intents::open(&self.config.data_dir.join("intents")).context("read the intents")?,
            shared_dir: self.config.shared_dir.clone(),
            live_restore: facts::recorded_live_restore(&self.config.data_dir, &self.boot),
        };
        let (agent, reports) = Agent::start(self.engine.clone(), self.lease.clone(), agent_config);
        let agent = Arc::new(agent);
        let keeper = self.keeper.clone();
        tasks.spawn(async move { keeper.watch().await });
        tasks.spawn(driver::report(reports, self.proposer.clone(), me));
        let session = self.session.subscribe();
        tasks.spawn(driver::report_engine(agent.engine(), session, self.proposer.clone()));
        tasks.spawn(session::keep(self.sessions(agent.clone()), self.session.clone()));
        let backend = Backend {
            node: self.config.name.clone(),
            me,
            cluster: self.identity.cluster().unwrap_or_default(),
            raft: self.raft.clone(),
            machine: self.machine.clone(),
            proposer: self.proposer.clone(),
            agent: agent.clone(),
            shared_dir: self.config.shared_dir.clone(),
            shared_id: self.shared_id.clone(),
        };
        let films = film::routes(film::Films::new(backend.clone(), self.engine.clone(), &self.config));
        let router = http::router(backend).merge(films);
        if let Some(path) = &self.config.socket {
            tasks.spawn(http::serve_socket(http::bind_socket(path)?, router.clone()));
        }
        tasks.spawn(http::serve(http_listener, router));
        tracing::info!(listen = %self.config.listen, cluster = %cluster, "ready for people");
        Ok(())
    }

    fn sessions(&self, agent: Arc<Agent>) -> session::Sessions {
        session::Sessions {
            me: self.identity.node(),
            starts: self.identity.starts(),
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
        loop {
            if let Some(seen) = self.greeting.is_stale() {
                let starts = self.identity.starts();
                let reason = format!("the cluster has seen start {seen} of this disk, which knows of {starts}: an old copy");
                if let Err(error) = self.identity.quarantine(&reason) {
                    tracing::error!(%error, "set the folder aside");
                }
                return reason;
            }
            sleep(STALE_LOOK).await;
        }
    }

    /// Hands the lead over, ends what must not outlive this process, and closes the log.
    ///
    /// There is no guard yet that would fence containers after this process: those that may run again elsewhere are
    /// stopped here, or two attempts of one could overlap.
    async fn leave(&self) -> anyhow::Result<()> {
        let me = self.identity.node();
        if self.raft.is_leader() {
            let membership = self.raft.metrics().borrow_watched().membership_config.clone();
            if let Some(heir) = membership.membership().voter_ids().find(|id| *id != me) {
                self.raft.trigger().transfer_leader(heir).await?;
                let mut metrics = self.raft.metrics();
                let handed = async {
                    while metrics.borrow_watched().current_leader == Some(me) {
                        if metrics.changed().await.is_err() {
                            return;
                        }
                    }
                };
                if timeout(HAND_OVER, handed).await.is_err() {
                    tracing::warn!("nobody took the lead over in time");
                }
            }
        }
        session::silence(&self.engine, &self.config.data_dir, &self.identity, self.config.stop_containers, &self.machine)
            .await?;
        self.raft.shutdown().await.context("stop raft")?;
        self.log.close().await.context("close the log")?;
        Ok(())
    }
}
