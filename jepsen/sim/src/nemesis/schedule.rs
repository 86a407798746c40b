//! When harm is done, and which; and the end of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{Hand, clock, crash, disk, engine, leave, partition, pause, snapshot, weather};
use crate::cluster::Cluster;
use crate::random::Random;

/// Between the beginnings of two faults, in milliseconds: about 750 an hour.
const BETWEEN_MS: (u64, u64) = (2_500, 6_500);
/// What is begun last takes about so long until it is mended.
const LAST_BEGUN: Duration = Duration::from_secs(20);
/// Some begin with a network that is cut, so that they cannot be founded at once.
const CUT_AT_FIRST: Duration = Duration::from_secs(6);

/// A kind of harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// A process is killed.
    Process,
    /// A machine loses its power.
    Power,
    /// All machines do.
    Blackout,
    /// A process stands still.
    Pause,
    /// A process is told to leave.
    Leave,
    /// The network is cut.
    Partition,
    /// One machine is cut off until its lease is over.
    Lonely,
    /// The network is bad.
    Weather,
    /// A disk is slow.
    SlowDisk,
    /// A sync fails.
    FailingDisk,
    /// A disk is replaced by an empty one.
    Wipe,
    /// A disk is replaced by an old copy of it.
    Restore,
    /// An engine has a vice.
    Engine,
    /// An engine takes its time to kill.
    Sluggish,
    /// A clock is wrong.
    Clock,
    /// A snapshot is made before its time.
    Snapshot,
}

/// Everything that can go wrong, each so often of a hundred times.
pub const EVERYTHING: &[(u64, Harm)] = &[
    (12, Harm::Process),
    (8, Harm::Power),
    (1, Harm::Blackout),
    (8, Harm::Pause),
    (3, Harm::Leave),
    (17, Harm::Partition),
    (1, Harm::Lonely),
    (10, Harm::Weather),
    (6, Harm::SlowDisk),
    (4, Harm::FailingDisk),
    (2, Harm::Wipe),
    (2, Harm::Restore),
    (11, Harm::Engine),
    (4, Harm::Sluggish),
    (6, Harm::Clock),
    (5, Harm::Snapshot),
];

/// Does harm of these kinds until about that moment.
pub async fn harm(cluster: &Arc<Cluster>, mut random: Random, kinds: &[(u64, Harm)], until: Duration) {
    let mut hands = JoinSet::new();
    while cluster.now() < until.saturating_sub(LAST_BEGUN) {
        let hand = Hand { cluster: cluster.clone(), random: random.fork() };
        match choose(&mut random, kinds) {
            Harm::Process => drop(hands.spawn(crash::process(hand))),
            Harm::Power => drop(hands.spawn(crash::machine(hand))),
            Harm::Blackout => drop(hands.spawn(crash::blackout(hand))),
            Harm::Pause => drop(hands.spawn(pause::process(hand))),
            Harm::Leave => drop(hands.spawn(leave::politely(hand))),
            Harm::Partition => drop(hands.spawn(partition::some(hand))),
            Harm::Lonely => drop(hands.spawn(partition::lonely(hand))),
            Harm::Weather => drop(hands.spawn(weather::bad(hand))),
            Harm::SlowDisk => drop(hands.spawn(disk::slow(hand))),
            Harm::FailingDisk => drop(hands.spawn(disk::failing(hand))),
            Harm::Wipe => drop(hands.spawn(disk::wiped(hand))),
            Harm::Restore => drop(hands.spawn(disk::restored(hand))),
            Harm::Engine => drop(hands.spawn(engine::some(hand))),
            Harm::Sluggish => drop(hands.spawn(engine::sluggish(hand))),
            Harm::Clock => drop(hands.spawn(clock::some(hand))),
            Harm::Snapshot => drop(hands.spawn(snapshot::made(hand))),
        }
        sleep(Duration::from_millis(random.between(BETWEEN_MS.0, BETWEEN_MS.1))).await;
        while hands.try_join_next().is_some() {}
    }
    // Each mends what it broke itself: what is half mended when it is ended would stay so.
    while hands.join_next().await.is_some() {}
}

fn choose(random: &mut Random, kinds: &[(u64, Harm)]) -> Harm {
    let mut at = random.next() % kinds.iter().map(|(weight, _)| weight).sum::<u64>().max(1);
    for (weight, harm) in kinds {
        match at.checked_sub(*weight) {
            Some(rest) => at = rest,
            None => return *harm,
        }
    }
    Harm::Process
}

/// Cuts the network in two before any node has started, for a moment.
pub async fn cut_at_first(cluster: Arc<Cluster>, mut random: Random) {
    let mut all: Vec<usize> = (0..cluster.count()).collect();
    random.shuffle(&mut all);
    let (some, others) = all.split_at(random.below(cluster.count() - 1) + 1);
    let ways: BTreeSet<(usize, usize)> = partition::between(some, others);
    cluster.net.cut(&ways);
    cluster.history().faults += 1;
    cluster.trace.event(format_args!("FAULT cut before the founding: {some:?} and {others:?}"));
    sleep(CUT_AT_FIRST).await;
    cluster.net.mend(&ways);
    cluster.trace.event(format_args!("mended: the founding may go on"));
}

/// Everything works again: the network, the disks, the engines. Processes are started by who supervises them; rates of
/// clocks may stay wrong for ever.
pub async fn mend(cluster: &Cluster) {
    cluster.net.heal();
    for number in 0..cluster.count() {
        let mut machine = cluster.machine(number).await;
        machine.release();
        machine.disk.slow_down(None);
        machine.disk.mend();
        machine.engine.comes_back();
        machine.engine.lose_hints(false);
        let replace = !machine.is_up() && machine.is_quarantined();
        if replace {
            machine.wipe();
        }
        drop(machine);
        if replace {
            cluster
                .trace
                .event(format_args!("n{number} gets an empty disk in the place of the one set aside"));
        }
    }
    cluster.trace.event(format_args!("everything is mended"));
}
