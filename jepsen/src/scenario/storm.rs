//! Harm after harm beside a workload. Then everything is healed, the clients come to their end, and all nodes and engines
//! are looked at.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::catalog::{Hold, Scenario};
use super::survivors::Survivors;
use super::{LEASE_SECONDS, Setting, begin};
use crate::background::{Background, Stop};
use crate::history::{AT_THE_END, Fault, FaultOutcome, History, OwnEnd};
use crate::nemesis::{Ground, Harm, disk};
use crate::node::Node;
use crate::progress::Progress;
use crate::random::Random;
use crate::wait::in_time;
use crate::witness::{Witness, strangers};
use crate::workload::client::Clients;
use crate::workload::{mix, payload};
use crate::{Testbed, interrupt, moment};

/// Shares of a lease for which short harm lasts.
const SHORT: (u64, u64) = (10, 70);
/// The same for long harm: a node is given up after 1.74 leases.
const LONG: (u64, u64) = (180, 230);
/// Calm between two pieces of harm, in milliseconds.
const CALM_MS: (u64, u64) = (1_000, 5_000);
/// A scenario with more kinds of harm than this does two at once.
const MANY: usize = 6;
/// Between two looks while everything comes to its end.
const LOOK: Duration = Duration::from_millis(300);
/// More stories than the clients can tell in a second.
const STORIES_A_SECOND: usize = 4;
/// Before the first harm: the first containers run.
const WARM_UP: Duration = Duration::from_secs(4);
/// Longest wait for calm; judges are stricter.
const CALM: Duration = Duration::from_secs(150);
/// Longest wait for agreement, which judges judge.
const AGREES: Duration = Duration::from_secs(90);
/// Between two looks of who starts what has ended by itself.
const INIT: Duration = Duration::from_secs(1);
/// How far wall and steady clock may drift apart in a run: more, and somebody has set this host's clock.
const CLOCK_STEP_NS: u64 = 200_000_000;

pub(super) fn run(scenario: &Scenario, setting: &Setting, pinode: &Path) -> anyhow::Result<History> {
    let mut storm = Storm::begin(scenario, setting, pinode)?;
    storm.rage(scenario, setting)?;
    storm.heal()?;
    storm.calm()?;
    storm.last_looks()
}

struct Storm {
    progress: Progress,
    began: Instant,
    history: History,
    random: Random,
    harms: Harms,
    own_ends: Arc<Mutex<Vec<OwnEnd>>>,
    clients: Clients,
    witness: Witness,
    init: Background,
    // Last, so that who looks at the machines has ended when they go.
    ground: Arc<Ground>,
}

/// What is not undone yet is undone when this goes, whatever makes it go.
struct Harms {
    active: Vec<Harm>,
    ground: Arc<Ground>,
}

impl Harms {
    fn heal_first(&mut self, history: &mut History) -> anyhow::Result<()> {
        if self.active.is_empty() {
            return Ok(());
        }
        let mut harm = self.active.remove(0);
        let healed = harm.heal(&self.ground);
        history.faults.push(harm.fault);
        healed
    }
}

impl Drop for Harms {
    fn drop(&mut self) {
        for harm in &mut self.active {
            if let Err(error) = harm.heal(&self.ground) {
                eprintln!("undo {}: {error:#}", harm.fault.what.words());
            }
        }
    }
}

impl Storm {
    fn begin(scenario: &Scenario, setting: &Setting, pinode: &Path) -> anyhow::Result<Storm> {
        let progress = Progress::begin();
        let began_ns = moment::now();
        let (began, name) = (Instant::now(), scenario.name);
        progress.step(&format!("{name}, seed {}: {}", setting.seed, scenario.what));
        let bed = Testbed::up(&setting.options, pinode)?;
        interrupt::check()?;
        let ground = Arc::new(Ground::new(bed));
        if scenario.needs.disks {
            ground.numbers().into_iter().try_for_each(|k| disk::mount(&ground, k))?;
        }
        ground.bed.start_nodes()?;
        let nodes = ground.nodes.clone();
        let mut history = begin(name, setting, began_ns, &nodes);
        history.strangers = strangers::begin(&ground.bed, &nodes)?;
        let random = Random::new(setting.seed);
        let count = usize::try_from(setting.seconds).unwrap_or(usize::MAX).saturating_mul(STORIES_A_SECOND);
        let witness = Witness::begin(&nodes);
        let clients =
            Clients::begin(&nodes, mix::all(&mut random.fork(1), count), witness.busy(), &random.fork(2));
        let own_ends: Arc<Mutex<Vec<OwnEnd>>> = Arc::default();
        let mut init = Background::default();
        let (machines, ends) = (Arc::clone(&ground), Arc::clone(&own_ends));
        init.run(move |stop| {
            while !stop.is_wanted() {
                let ended = machines.start_ended();
                ends.lock().unwrap_or_else(PoisonError::into_inner).extend(ended);
                stop.sleep(INIT);
            }
        });
        let harms = Harms { active: Vec::new(), ground: Arc::clone(&ground) };
        Ok(Storm { progress, began, history, random, harms, own_ends, clients, witness, init, ground })
    }

    /// Harm after harm, each kind in turn, in another order each round.
    fn rage(&mut self, scenario: &Scenario, setting: &Setting) -> anyhow::Result<()> {
        let until = Instant::now() + WARM_UP + Duration::from_secs(setting.seconds);
        sleep(WARM_UP)?;
        let mut random = self.random.fork(3);
        let (mut round, mut skipped) = (Vec::new(), 0);
        while Instant::now() < until {
            if round.is_empty() {
                round = scenario.strikes.to_vec();
                random.shuffle(&mut round);
            }
            let Some((strike, hold)) = round.pop().filter(|_| skipped <= scenario.strikes.len()) else {
                break;
            };
            let pause = held(&mut random, hold, setting);
            let harm = strike(&self.ground, &mut random);
            let outcome = harm.fault.outcome;
            self.progress.step(&told(&harm));
            // Where nothing can be done, nothing is waited for.
            skipped = if outcome == FaultOutcome::Skipped { skipped + 1 } else { 0 };
            self.harms.active.push(harm);
            if outcome != FaultOutcome::Skipped {
                sleep(pause.min(until.saturating_duration_since(Instant::now())))?;
            }
            // Sometimes two kinds at once, where a scenario has many.
            let is_many = scenario.strikes.len() > MANY;
            if !is_many || random.between(0, 2) > 0 || self.harms.active.len() > 1 {
                while !self.harms.active.is_empty() {
                    self.harms.heal_first(&mut self.history)?;
                }
            }
            let calm = Duration::from_millis(random.between(CALM_MS.0, CALM_MS.1));
            sleep(calm.min(until.saturating_duration_since(Instant::now())))?;
        }
        Ok(())
    }

    fn heal(&mut self) -> anyhow::Result<()> {
        while !self.harms.active.is_empty() {
            self.harms.heal_first(&mut self.history)?;
        }
        self.clients.close();
        self.history.healed_ns = Some(moment::now());
        self.progress.step(&format!("all {} pieces of harm are undone", self.history.faults.len()));
        Ok(())
    }

    /// What does not come to its end is no error here: judges find it.
    fn calm(&mut self) -> anyhow::Result<()> {
        let all = Survivors::new(self.ground.nodes.clone());
        // Whoever has applied what anybody had applied by now has caught up.
        let newest = all.newest();
        let forgets = |fault: &&Fault| fault.what.forgets();
        let forgetful: Vec<String> =
            self.history.faults.iter().filter(forgets).flat_map(|fault| fault.nodes.clone()).collect();
        let (mut agreed, mut ended) = (None, None);
        in_time(CALM, LOOK, || {
            let now = moment::now;
            agreed = agreed.or_else(|| all.have_applied(newest).then(now));
            ended = ended.or_else(|| all.are_quiet(&self.clients, &forgetful).then(now));
            agreed.is_some() && ended.is_some()
        })?;
        (self.history.agreed_ns, self.history.ended_all_ns) = (agreed, ended);
        self.progress.step(if ended.is_some() { "everything has ended" } else { "not everything has ended" });
        self.progress.step(&all.await_agreement(AGREES)?);
        Ok(())
    }

    fn last_looks(mut self) -> anyhow::Result<History> {
        let nodes: Vec<Node> = self.ground.nodes.clone();
        let all = Survivors::new(nodes.clone());
        all.look(AT_THE_END, &mut self.history)?;
        all.digests(AT_THE_END, &mut self.history)?;
        for node in &nodes {
            self.witness.look(node)?;
        }
        strangers::look(&nodes, &mut self.history.strangers)?;
        for (operation, jobs) in self.clients.asked()? {
            self.history.ask(operation, jobs);
        }
        self.history.records = payload::records(&self.ground.bed.shared_dir())?;
        self.witness.tell(&mut self.history);
        self.history.own_ends = self.own_ends.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.history.ended_ns = moment::now();
        let (wall, steady) =
            (self.history.ended_ns.saturating_sub(self.history.began_ns), self.began.elapsed());
        let step = wall.abs_diff(moment::nanoseconds(steady));
        ensure!(
            step < CLOCK_STEP_NS,
            "this host's clock was set during the run: no moment of it can be trusted"
        );
        drop(self.init);
        Ok(self.history)
    }
}

/// For how long this harm lasts.
fn held(random: &mut Random, hold: Hold, setting: &Setting) -> Duration {
    let (low, high) = match hold {
        Hold::Short => SHORT,
        Hold::Long => LONG,
        Hold::Any => *random.pick(&[SHORT, SHORT, LONG]).unwrap_or(&SHORT),
    };
    let lease = Duration::from_secs_f64(setting.options.lease_seconds.unwrap_or(LEASE_SECONDS));
    lease.mul_f64(random.between(low, high) as f64 / 100.0)
}

fn told(harm: &Harm) -> String {
    let fault = &harm.fault;
    let (what, nodes, note) = (fault.what.words(), fault.nodes.join(", "), &fault.note);
    match fault.outcome {
        FaultOutcome::Installed => format!("{what} of {nodes}: {note}"),
        FaultOutcome::Skipped => format!("{what}: skipped: {note}"),
        FaultOutcome::Indeterminate => format!("{what} of {nodes}: perhaps: {note}"),
    }
}

fn sleep(pause: Duration) -> anyhow::Result<()> {
    Stop::default().sleep(pause);
    interrupt::check()
}
