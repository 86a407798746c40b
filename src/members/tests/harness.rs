//! Whole nodes without Docker and HTTP, in one process: real sockets on loopback, real Raft, real disks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use pinode_raft::config::{Timeouts, raft_config};
use pinode_raft::types::Membership;
use pinode_raft::{LogStore, Machine, Raft};
use pinode_scheduler::node::{Capacity, NodeFacts, Start};
use pinode_scheduler::{Command, NodeId, Reply, SessionId};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::liveness::{Keeper, Timing};
use crate::members::{Found, Founding, found, initialise, join, rejoin, tend};
use crate::node::pace;
use crate::propose::Proposer;
use crate::transport::wire::{Joiner, Seen};
use crate::transport::{Core, Greeting, Network, Peers, Services, serve};

/// Nobody waits longer for anything; a loaded machine is slow.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
const TIMEOUTS: Timeouts = Timeouts { heartbeat_ms: 100, election_min_ms: 500, election_max_ms: 1_000 };

/// One running node.
pub(super) struct Node {
    pub(super) id: NodeId,
    pub(super) name: String,
    pub(super) addr: String,
    pub(super) machine: Machine,
    pub(super) greeting: Arc<Greeting>,
    log: LogStore,
    pub(super) peers: Arc<Peers>,
    pub(super) services: Arc<Services>,
    founded: watch::Receiver<Option<Found>>,
    tasks: JoinSet<()>,
    life: JoinHandle<()>,
}

/// A disk that outlives its nodes, and its port.
pub(super) struct Disk {
    dir: TempDir,
    pub(super) name: String,
    pub(super) listen: SocketAddr,
    /// Bound and never listening: who dials is refused, a node may listen there, and the system gives it to nobody.
    _port: TcpSocket,
    fresh_id: NodeId,
    /// What a sync takes longer than on the test machine's own disk.
    slower_by: Duration,
}

impl Disk {
    pub(super) fn new(fresh_id: NodeId) -> Disk {
        let port = TcpSocket::new_v4().unwrap();
        port.set_reuseaddr(true).unwrap();
        port.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let listen = port.local_addr().unwrap();
        let (dir, name) = (tempfile::tempdir().unwrap(), format!("n{fresh_id}"));
        Disk { dir, name, listen, _port: port, fresh_id, slower_by: Duration::ZERO }
    }

    /// One with a bad card in it.
    pub(super) fn slow(fresh_id: NodeId, slower_by: Duration) -> Disk {
        Disk { slower_by, ..Disk::new(fresh_id) }
    }

    /// The same machine and name with an empty disk.
    pub(super) fn wiped(self, fresh_id: NodeId) -> Disk {
        Disk { dir: tempfile::tempdir().unwrap(), fresh_id, ..self }
    }

    pub(super) fn addr(&self) -> String {
        self.listen.to_string()
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// What is on it, before a node runs.
    pub(super) async fn open(&self) -> pinode_raft::Opened {
        // The node before may still be letting go of its files.
        let begun = crate::clock::now();
        let slower_by = self.slower_by;
        loop {
            let sync = move |file: &std::fs::File| {
                std::thread::sleep(slower_by);
                file.sync_data()
            };
            let fatal = Box::new(|error: &std::io::Error| panic!("a sync failed: {error}"));
            match pinode_raft::open_with(self.path(), self.fresh_id, Box::new(sync), fatal) {
                Ok(opened) => return opened,
                Err(error) if crate::clock::now().since(begun) > PATIENCE => panic!("open: {error:?}"),
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
    }

    pub(super) async fn start(&self, peers: &[&Disk]) -> Node {
        let peers: BTreeSet<String> = peers.iter().map(|peer| peer.addr()).collect();
        self.start_as(&self.addr(), &peers).await
    }

    /// The same, reached at another address than it listens on.
    pub(super) async fn start_as(&self, advertise: &str, peers: &BTreeSet<String>) -> Node {
        let opened = self.open().await;
        // A disk as it is has the harness's own timeouts: tests have no time for elections.
        let timeouts = if self.slower_by.is_zero() {
            TIMEOUTS
        } else {
            pace::timeouts(pace::at_start(self.path(), &opened.log).await.unwrap())
        };
        let (mut identity, log, machine) = (opened.identity, opened.log, opened.machine);
        let id = identity.node();
        let me = Joiner { node: id, name: self.name.clone(), addr: advertise.to_owned() };
        let greeting = Greeting::new(id, identity.start(), log.clone(), machine.clone(), identity.cluster());
        let greeting = Arc::new(greeting);
        let founding = Arc::new(Founding::new(me.clone(), peers));
        let services = Arc::new(Services::new(greeting.clone(), founding.clone()));
        let listener = listen(self.listen).await;
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, services.clone()));
        let peers = Arc::new(Peers::new(greeting.clone()));
        let (tell, founded) = watch::channel(None);
        let life = tokio::spawn({
            let (log, machine, peers, services) =
                (log.clone(), machine.clone(), peers.clone(), services.clone());
            let greeting = greeting.clone();
            async move {
                let found = found(&mut identity, &founding, &greeting, &peers).await.unwrap();
                let doubt = Arc::new(rejoin(&mut log.clone(), &mut machine.clone(), &peers).await.unwrap());
                let config = Arc::new(raft_config("test", timeouts).unwrap());
                let network = Network::new(peers.clone());
                let raft = Raft::new(id, config, network, log.clone(), machine.clone()).await.unwrap();
                greeting.lead_with(raft.clone());
                doubt.hold_back(&raft);
                let proposer = Proposer::new(raft.clone(), machine.clone(), peers.clone(), id);
                let keeper =
                    Keeper::new(id, Timing::DEFAULT, raft.clone(), machine.clone(), proposer.clone());
                let core = Core {
                    raft: raft.clone(),
                    machine: machine.clone(),
                    proposer,
                    keeper: Arc::new(keeper),
                    doubt: doubt.clone(),
                };
                services.core.set(core).unwrap();
                initialise(&raft, id, &found).await.unwrap();
                tell.send_replace(Some(found));
                let doors = founding.peers();
                tokio::join!(
                    join(&raft, &machine, &peers, &me, &doors),
                    tend(&raft, &machine),
                    doubt.settle(&raft, &log, PATIENCE)
                );
            }
        });
        let (name, addr) = (self.name.clone(), advertise.to_owned());
        Node { id, name, addr, machine, greeting, log, peers, services, founded, tasks, life }
    }
}

async fn listen(addr: SocketAddr) -> TcpListener {
    eventually("the port is free", async || TcpListener::bind(addr).await.ok()).await
}

impl Node {
    /// Waits until the node knows its cluster and runs Raft.
    pub(super) async fn up(&self) -> &Core {
        let mut founded = self.founded.clone();
        let known = timeout(PATIENCE, founded.wait_for(Option::is_some)).await;
        drop(known.unwrap_or_else(|_| panic!("{} has no cluster", self.name)).unwrap());
        self.services.core.get().unwrap()
    }

    pub(super) fn is_up(&self) -> bool {
        self.founded.borrow().is_some()
    }

    pub(super) async fn raft(&self) -> Raft {
        self.up().await.raft.clone()
    }

    pub(super) async fn propose(&self, command: Command) -> Reply {
        let proposer = self.up().await.proposer.clone();
        proposer.propose(command, PATIENCE).await.unwrap()
    }

    /// Opens session `number` of `node`, under `name` with `starts`: a command whose effect everybody can see.
    pub(super) async fn open_session(&self, node: NodeId, name: &str, starts: u64) -> Reply {
        self.propose(session_opened(node, name, starts)).await
    }

    /// Waits until this node's own state has the session of a node of this name.
    pub(super) async fn sees(&self, name: &str) {
        let seen = async || self.machine.state().find_node_named(name).map(drop);
        eventually(&format!("{} sees {name}", self.name), seen).await;
    }

    pub(super) async fn membership(&self) -> Membership {
        let raft = self.raft().await;
        let metrics = raft.metrics();
        metrics.borrow_watched().membership_config.membership().clone()
    }

    pub(super) async fn voters(&self) -> BTreeSet<NodeId> {
        self.membership().await.voter_ids().collect()
    }

    pub(super) async fn term(&self) -> u64 {
        let raft = self.raft().await;
        let metrics = raft.metrics();
        metrics.borrow_watched().current_term
    }

    /// As a kill: nothing is said to anybody. The files are let go of.
    pub(super) async fn kill(mut self) {
        self.life.abort();
        drop(self.life.await);
        self.tasks.shutdown().await;
        self.peers.stop().await;
        if let Some(core) = self.services.core.get() {
            core.raft.shutdown().await.unwrap();
        }
        drop(self.log);
    }
}

pub(super) fn session_opened(node: NodeId, name: &str, starts: u64) -> Command {
    let facts = NodeFacts {
        name: name.to_owned(),
        api: String::new(),
        peer: String::new(),
        boot_id: "boot".to_owned(),
        start: Start { count: starts, mark: node },
        capacity: Capacity::default(),
        labels: BTreeMap::new(),
        shared_id: None,
        feature: 1,
        engine: String::new(),
    };
    Command::SessionOpened { session: SessionId { node, number: 1 }, facts }
}

/// Three nodes that name each other.
pub(super) async fn three() -> ([Disk; 3], [Node; 3]) {
    let disks = [Disk::new(1), Disk::new(2), Disk::new(3)];
    let nodes = start_all(&disks).await;
    (disks, nodes)
}

pub(super) async fn start_all(disks: &[Disk; 3]) -> [Node; 3] {
    let [a, b, c] = disks;
    let all = [a, b, c];
    [a.start(&all).await, b.start(&all).await, c.start(&all).await]
}

/// The one that leads, as all of `nodes` see it.
pub(super) async fn leader(nodes: &[Node]) -> &Node {
    for node in nodes {
        node.up().await;
    }
    eventually("there is one leader", async || {
        let mut said = BTreeSet::new();
        for node in nodes {
            said.insert(node.raft().await.current_leader().await);
        }
        let leader = said.pop_first().flatten().filter(|_| said.is_empty())?;
        nodes.iter().find(|node| node.id == leader)
    })
    .await
}

pub(super) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("never: {what}"))
}

/// A way in that can be cut: others dial it instead of the node.
pub(super) struct Gate {
    pub(super) addr: String,
    open: watch::Sender<bool>,
    _task: JoinSet<()>,
}

impl Gate {
    pub(super) async fn to(node: SocketAddr) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap().to_string();
        let (open, is_open) = watch::channel(true);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut ways = JoinSet::new();
            loop {
                let (mut outside, _) = listener.accept().await.unwrap();
                let mut is_open = is_open.clone();
                if !*is_open.borrow() {
                    continue;
                }
                ways.spawn(async move {
                    let Ok(mut inside) = TcpStream::connect(node).await else { return };
                    tokio::select! {
                        copied = tokio::io::copy_bidirectional(&mut outside, &mut inside) => drop(copied),
                        shut = is_open.wait_for(|open| !*open) => drop(shut),
                    }
                });
            }
        });
        Gate { addr, open, _task: task }
    }

    pub(super) fn shut(&self) {
        self.open.send_replace(false);
    }

    pub(super) fn open(&self) {
        self.open.send_replace(true);
    }
}

/// What a stranger learnt.
pub(super) fn is_stale(node: &Node) -> Option<Seen> {
    *node.greeting.stale().borrow()
}

/// Tests run beside each other, and each asks the system for ports: a draw of 14,000, so that one that is free while
/// no node listens is soon another's.
#[test]
fn the_port_of_a_disk_without_a_node_is_given_to_nobody_else() {
    let disk = Disk::new(1);
    let drawn = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let again = (0..200_000).find(|_| drawn() == disk.listen);
    assert_eq!(again, None, "the draw that gave {}", disk.listen);
}
