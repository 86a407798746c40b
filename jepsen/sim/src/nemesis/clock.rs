//! Clocks that are wrong: the wall clock jumps, the boot clock runs too fast or too slow.

use pinode::agent::fake::Call;

use super::Hand;
use super::engine::slow_kills;
use crate::cluster::Cluster;
use crate::random::Random;
use crate::world::lock;

/// How far a boot clock's rate may be off, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates(pub u64);

/// What the leases are made for: less than one per cent.
pub const TRUE_RATES: Rates = Rates(9);

/// Some clock of some machine, from now on.
pub async fn some(mut hand: Hand) {
    let number = hand.random.below(hand.cluster.count());
    let machine = hand.cluster.machine(number).await;
    if hand.random.percent(50) {
        let hours = i64::try_from(hand.random.between(0, 96)).unwrap_or(0) - 48;
        lock(&machine.clock).set_wall_off(hours * 3_600_000);
        drop(machine);
        hand.done(format_args!("n{number}'s wall clock is {hours} h off"));
    } else {
        // As far off as it may be, one way or the other: in between nothing is found that is not found there.
        let off = i64::try_from(hand.cluster.rates().0).unwrap_or(0);
        let thousandths = off * (i64::try_from(hand.random.below(3)).unwrap_or(1) - 1);
        machine.run_clock_at(1.0 + thousandths as f64 / 1_000.0);
        drop(machine);
        hand.done(format_args!("n{number}'s boot clock is {thousandths} of a thousand too fast"));
    }
}

/// From the first moment all boot clocks are as far off as they may be, half of them too slow, and engines take as long
/// to kill as they may: what leases leave room for, all at once.
pub async fn strain(cluster: &Cluster, mut random: Random) {
    for number in 0..cluster.count() {
        let off = cluster.rates().0 as f64 / 1_000.0;
        let rate = if random.percent(50) { 1.0 + off } else { 1.0 - off };
        let kill = slow_kills(&mut random);
        let machine = cluster.machine(number).await;
        machine.run_clock_at(rate);
        machine.engine.slow_down(Call::Kill, kill);
        cluster
            .trace
            .event(format_args!("n{number}'s boot clock runs at {rate:.3}, its engine kills in {kill:?}"));
    }
}
