//! One seed, from the first start to the verdict.

use std::sync::Arc;
use std::time::Duration;

use pinode::agent::runtime::Status;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::subscriber::NoSubscriber;

use crate::check;
use crate::cluster::{Cluster, FOREIGN};
use crate::nemesis::{self, Rates};
use crate::random::Random;
use crate::scene::Scene;
use crate::workload;
use crate::world::{Told, Trace};

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Plan {
    /// All choices follow from it.
    pub seed: u64,
    /// Machines.
    pub machines: usize,
    /// From the first start to the last look.
    pub length: Duration,
    /// How far boot clocks may be off.
    pub rates: Rates,
    /// What goes wrong.
    pub scene: Scene,
    /// How much of it is printed.
    pub told: Told,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which seed.
    pub seed: u64,
    /// Simulated time.
    pub length: Duration,
    /// Faults that took place.
    pub faults: u64,
    /// Containers that ended for good.
    pub ended: usize,
    /// Digest of the trace.
    pub digest: String,
    /// Sentences, each beginning with the property.
    pub violations: Vec<String>,
}

/// From the first start until nodes have found each other.
const FOUNDING: Duration = Duration::from_secs(5);
/// Before the end everything is mended; so long nodes and containers have to come to rest.
pub const REST: Duration = Duration::from_secs(90);
/// Work is submitted until so long before the mending.
const LAST_WORK: Duration = Duration::from_secs(40);

/// Runs a seed on this thread.
pub fn run(plan: &Plan) -> anyhow::Result<Outcome> {
    simulate(plan.seed, live(plan))
}

/// Lives on this thread, as fast as it can, in an order that is the seed's.
pub(crate) fn simulate<T>(seed: u64, life: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    // As long as nobody has said that nobody listens, tracing words each of openraft's spans for the `log` crate. It can
    // be said once in a process; later seeds find it said.
    drop(tracing::subscriber::set_global_default(NoSubscriber::default()));
    let mut builder = Builder::new_current_thread();
    builder.enable_time().start_paused(true);
    seeded(&mut builder, seed);
    builder.build()?.block_on(life)
}

/// In which order tokio looks at what is ready.
#[cfg(tokio_unstable)]
fn seeded(builder: &mut Builder, seed: u64) {
    builder.rng_seed(tokio::runtime::RngSeed::from_bytes(&seed.to_le_bytes()));
}

#[cfg(not(tokio_unstable))]
fn seeded(_: &mut Builder, _: u64) {}

async fn live(plan: &Plan) -> anyhow::Result<Outcome> {
    let mut random = Random::new(plan.seed);
    let trace = Trace::new(plan.told);
    let cluster = Cluster::new(plan.machines, plan.rates, &mut random, trace.clone())?;
    let mut tasks = JoinSet::new();
    tasks.spawn(cluster.net.clone().carry());
    if random.percent(plan.scene.cut_at_first) {
        tasks.spawn(nemesis::cut_at_first(cluster.clone(), random.fork()));
        // It is cut before anybody starts.
        tokio::task::yield_now().await;
    }
    if plan.scene.strained {
        nemesis::strain(&cluster, random.fork()).await;
    }
    for number in 0..cluster.count() {
        cluster.start(number).await.map_err(anyhow::Error::msg)?;
    }
    let supervised = cluster.clone();
    tasks.spawn(async move { supervised.supervise().await });
    tasks.spawn(cluster.clone().follow_entries());
    tasks.spawn(cluster.clone().watch());
    sleep(FOUNDING).await;
    let mend = plan.length.saturating_sub(REST);
    let mut work = JoinSet::new();
    work.spawn(workload::work(cluster.clone(), random.fork(), mend.saturating_sub(LAST_WORK)));
    nemesis::harm(&cluster, random.fork(), plan.scene.harm, mend).await;
    nemesis::mend(&cluster).await;
    // The last harm may have taken longer than was planned.
    sleep(REST.max(plan.length.saturating_sub(cluster.now()))).await;
    work.shutdown().await;
    finish(&cluster).await;
    let mut history = std::mem::take(&mut *cluster.history());
    let violations = check::judge(&mut history, plan.machines);
    for violation in &violations {
        trace.event(format_args!("VIOLATION {violation}"));
    }
    let ended =
        history.last.first().map_or(0, |view| view.containers.values().filter(|c| c.terminal).count());
    tasks.shutdown().await;
    Ok(Outcome {
        seed: plan.seed,
        length: cluster.now(),
        faults: history.faults,
        ended,
        digest: trace.digest(),
        violations,
    })
}

async fn finish(cluster: &Arc<Cluster>) {
    for number in 0..cluster.count() {
        let foreign = cluster.machine(number).await.engine.status_of(FOREIGN);
        if foreign != Some(Status::Created) {
            cluster.wrong(format!("foreign: n{number} shows somebody else's container as {foreign:?}"));
        }
    }
    let last = cluster.look(true).await;
    let deeds = cluster.deeds().await;
    let mut history = cluster.history();
    history.last = last;
    history.deeds = deeds;
}
