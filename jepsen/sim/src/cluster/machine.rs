//! One machine: disk, folder, engine and clocks, which outlive its processes; and the process that runs on it, if one
//! does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use pinode::agent::fake::FakeEngine;
use pinode::cli::{LogFormat, StrategyName};
use pinode::config::Config;
use pinode::docker_api::ANNOUNCED;
use pinode::http::Backend;
use pinode::liveness::{Record, Timing};
use pinode::node::{Ground, live};
use pinode_raft::host::{self, Host, Standing};
use pinode_raft::snapshot::Snapshots;
use pinode_raft::{Identity, Machine as State};
use pinode_scheduler::SessionId;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::doors::Slot;
use crate::random::Random;
use crate::world::{Clock, Disk, Kind, Net, Process, lock};

/// A container that is nobody's here, on each engine.
pub const FOREIGN: &str = "somebody-elses";

/// A machine.
pub struct Machine {
    /// Its place among the others.
    pub number: usize,
    /// Its node's name.
    pub name: String,
    /// Its clocks.
    pub clock: Arc<Mutex<Clock>>,
    /// What runs its containers.
    pub engine: FakeEngine,
    /// The log's disk.
    pub disk: Disk,
    /// It lost a disk, or got an old one back: the folder's number.
    generation: u32,
    /// How often the machine was switched on.
    boot: u32,
    folder: PathBuf,
    running: Option<Running>,
    random: Random,
}

/// A process that was started and not seen to end.
struct Running {
    process: Arc<Process>,
    slot: Slot,
    /// Signals to it.
    tell: mpsc::Sender<()>,
    main: JoinHandle<anyhow::Result<()>>,
}

/// A copy of a machine's disk, to be given back to it later.
pub struct Copy {
    disk: Disk,
    folder: PathBuf,
}

impl Machine {
    /// Switched on, with nothing on its disk.
    pub fn new(number: usize, base: &Path, kind: Kind, mut random: Random) -> Machine {
        let engine = FakeEngine::empty();
        engine.add_foreign(FOREIGN);
        Machine {
            number,
            name: format!("n{number}"),
            clock: Arc::new(Mutex::new(Clock::new())),
            engine,
            disk: Disk::new(kind, random.fork()),
            generation: 0,
            boot: 1,
            folder: base.join(format!("n{number}")),
            running: None,
            random,
        }
    }

    /// Where other nodes reach it.
    pub fn addr(number: usize) -> String {
        format!("n{number}:7374")
    }

    fn dir(&self) -> PathBuf {
        self.folder.join(self.generation.to_string())
    }

    fn config(&self, machines: usize) -> Config {
        let dir = self.dir();
        Config {
            name: self.name.clone(),
            listen: format!("{}:7373", self.name),
            peer_listen: Machine::addr(self.number),
            advertise: format!("{}:7373", self.name),
            peer_advertise: Machine::addr(self.number),
            peers: (0..machines).map(Machine::addr).collect::<BTreeSet<_>>(),
            shared_dir: self.folder.join("shared"),
            data_dir: dir,
            docker_host: "simulated".to_owned(),
            film_image: "film".to_owned(),
            labels: BTreeMap::new(),
            socket: None,
            // A guard is a process of its own; real machines have those.
            stop_containers: true,
            away: Duration::ZERO,
            fence_engine: None,
            watchdog: None,
            log_format: LogFormat::Text,
            log: String::new(),
            timing: Timing::DEFAULT,
            strategy: StrategyName::Spread,
            docker_api_version: ANNOUNCED,
        }
    }

    /// Starts a process. An error says why it ended at once, as a real one would print it.
    pub fn start(&mut self, machines: usize, net: &Net) -> anyhow::Result<()> {
        let process = Process::new(self.clock.clone(), self.random.fork());
        let host: Arc<dyn Host> = process.clone();
        let ground = host::enter(&host, || self.ground(machines, net, host.random()))?;
        let slot = Slot::default();
        let (tell, told) = mpsc::channel(2);
        let listener = net.listen(self.number, &Machine::addr(self.number));
        let life = live(ground, listener, slot.clone(), told);
        let main = tokio::spawn(host::on(Some(host), life));
        self.running = Some(Running { process, slot, tell, main });
        Ok(())
    }

    fn ground(
        &self,
        machines: usize,
        net: &Net,
        random: u64,
    ) -> anyhow::Result<Ground<crate::world::DiskLog>> {
        let config = self.config(machines);
        let identity = Identity::open(&config.data_dir, random)?;
        if identity.cluster().is_some() && !self.disk.has_log() {
            identity.quarantine("its log is missing")?;
            anyhow::bail!("its log is missing");
        }
        let machine = State::open(Snapshots::open(&config.data_dir.join("snapshots"))?)?;
        let covered = machine.last_applied().map(|id| id.index);
        if self.disk.purged() > covered {
            identity.quarantine("entries are in no valid snapshot")?;
            anyhow::bail!("entries up to {:?} are in no valid snapshot", self.disk.purged());
        }
        let boot = format!("boot-{}-{}", self.number, self.boot);
        let (record, left_until) = Record::open_in(&self.folder, identity.node(), &boot);
        Ok(Ground {
            identity,
            log: self.disk.open(),
            machine,
            wires: net.wires(self.number),
            engine: self.engine.connect(),
            boot,
            shared_id: watch::channel(Some("shared".to_owned())).1,
            record,
            left_until,
            config,
        })
    }

    /// Whether a process runs, held or not.
    pub fn is_up(&self) -> bool {
        self.running.as_ref().is_some_and(|running| !running.main.is_finished())
    }

    /// The node, if it is up and has a cluster.
    pub fn backend(&self) -> Option<(Arc<dyn Host>, Backend)> {
        let running = self.running.as_ref().filter(|running| !running.main.is_finished())?;
        if running.process.is() != Standing::Runs {
            return None;
        }
        Some((running.process.clone(), running.slot.backend()?))
    }

    /// Whether its node would start a container now under its session of this number; a process that stands still would, as soon as it goes on.
    pub fn may_act(&self, number: u64) -> bool {
        let Some(running) = self.running.as_ref().filter(|_| self.is_up()) else { return false };
        let host: Arc<dyn Host> = running.process.clone();
        let backend = running.slot.backend();
        backend.is_some_and(|backend| {
            let session = SessionId { node: backend.me, number };
            host::enter(&host, || backend.agent.may_start(session))
        })
    }

    /// The process is gone at once, with what was not synced.
    pub async fn crash(&mut self, net: &Net) -> usize {
        let Some(running) = self.running.take() else { return 0 };
        running.process.end();
        running.slot.clear();
        running.main.abort();
        net.reset(self.number);
        let lost = self.disk.lose_unsynced();
        // Whatever it was, it is over: the lock on its folder is free when this returns.
        drop(running.main.await);
        lost
    }

    /// The process is told to leave; once more, to end at once.
    pub fn tell(&self) {
        if let Some(running) = &self.running {
            // A full queue holds as many signals as a process heeds.
            running.tell.try_send(()).ok();
        }
    }

    /// What the process said when it ended by itself; none while it runs, or when there is none.
    pub async fn ended(&mut self, net: &Net) -> Option<Result<(), String>> {
        if !self.running.as_ref()?.main.is_finished() {
            return None;
        }
        let running = self.running.take()?;
        running.process.end();
        running.slot.clear();
        net.reset(self.number);
        self.disk.lose_unsynced();
        Some(match running.main.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(format!("{error:#}")),
            Err(error) => Err(error.to_string()),
        })
    }

    /// The process stands still.
    pub fn hold(&self) {
        if let Some(running) = &self.running {
            running.process.hold();
        }
    }

    /// It goes on.
    pub fn release(&self) {
        if let Some(running) = &self.running {
            running.process.release();
        }
    }

    /// Power off: nothing of what runs on it lives on.
    pub async fn lose_power(&mut self, net: &Net) -> usize {
        net.set_dark(self.number, true);
        let lost = self.crash(net).await;
        self.engine.loses_power();
        lost
    }

    /// Power on: another boot, and another run of the engine.
    pub fn power(&mut self, net: &Net) {
        self.boot += 1;
        net.set_dark(self.number, false);
        self.engine.boots();
    }

    /// Somebody puts an empty disk in. Nothing may run.
    pub fn wipe(&mut self) {
        self.generation += 1;
        self.disk = Disk::new(self.disk.kind(), self.random.fork());
    }

    /// A copy of the disk as it is.
    pub fn copy(&mut self, number: u32) -> anyhow::Result<Copy> {
        let folder = self.folder.join(format!("copy-{number}"));
        copy_folder(&self.dir(), &folder)?;
        Ok(Copy { disk: self.disk.copy(self.random.fork()), folder })
    }

    /// Somebody puts that copy back in the place of the disk. Nothing may run.
    pub fn restore(&mut self, copy: &Copy) -> anyhow::Result<()> {
        self.generation += 1;
        copy_folder(&copy.folder, &self.dir())?;
        self.disk = copy.disk.copy(self.random.fork());
        Ok(())
    }

    /// Whether the folder was set aside.
    pub fn is_quarantined(&self) -> bool {
        self.dir().join("QUARANTINE").exists()
    }

    /// The clock's rate, from now on.
    pub fn run_clock_at(&self, rate: f64) {
        lock(&self.clock).run_at(rate);
    }
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| format!("make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
