//! Docker Engines with their real vices.

use std::time::Duration;

use pinode::agent::fake::{Call, FakeEngine};
use pinode::agent::runtime::Status;
use tokio::time::sleep;

use super::Hand;
use crate::random::Random;

/// How long a kill may take and be in time, in milliseconds: less than K, for it is asked what runs before.
const SLOW_KILL_MS: (u64, u64) = (2_000, 4_000);

/// Some vice of some engine, for a while.
pub async fn some(mut hand: Hand) {
    let Some(number) = hand.victim().await else { return };
    let engine = hand.cluster.machine(number).await.engine.clone();
    match hand.random.between(0, 9) {
        0..=1 => restart(&mut hand, number, &engine, true).await,
        2 => restart(&mut hand, number, &engine, false).await,
        3 => hang(&mut hand, number, &engine).await,
        4..=5 => deaf(&mut hand, number, &engine).await,
        6..=8 => lost(&mut hand, number, &engine).await,
        _ => by_hand(&mut hand, number, &engine).await,
    }
    hand.cluster.give_back(number);
}

/// It ends, in order or not, and another run of it begins.
async fn restart(hand: &mut Hand, number: usize, engine: &FakeEngine, in_order: bool) {
    let live_restore = hand.random.percent(40);
    engine.set_live_restore(live_restore);
    if in_order {
        engine.shuts_down()
    } else {
        engine.goes_away()
    }
    hand.cluster.unattended(number);
    let word = if in_order { "is restarted" } else { "is killed" };
    hand.done(format_args!("n{number}'s engine {word}; live-restore {live_restore}"));
    hand.wait(300, 6_000).await;
    if !in_order && !live_restore {
        // What its predecessor left running, the next run ends.
        engine.shuts_down();
    }
    engine.boots();
    hand.cluster.attended(number);
    hand.cluster.trace.event(format_args!("n{number}'s engine runs"));
}

/// Calls take long, and are done all the same.
async fn hang(hand: &mut Hand, number: usize, engine: &FakeEngine) {
    let by = Duration::from_millis(hand.random.between(500, 3_000));
    for call in [Call::Create, Call::Start, Call::Inspect, Call::List] {
        engine.slow_down(call, by);
    }
    hand.done(format_args!("n{number}'s engine takes {by:?} for everything"));
    hand.wait(2_000, 10_000).await;
    for call in [Call::Create, Call::Start, Call::Inspect, Call::List] {
        engine.slow_down(call, Duration::ZERO);
    }
    hand.cluster.trace.event(format_args!("n{number}'s engine is quick again"));
}

/// It kills as slowly as it may: K is its time.
pub async fn sluggish(mut hand: Hand) {
    let number = hand.random.below(hand.cluster.count());
    let by = slow_kills(&mut hand.random);
    hand.cluster.machine(number).await.engine.slow_down(Call::Kill, by);
    hand.done(format_args!("n{number}'s engine takes {by:?} to kill"));
    hand.wait(20_000, 60_000).await;
    hand.cluster.machine(number).await.engine.slow_down(Call::Kill, Duration::ZERO);
    hand.cluster.trace.event(format_args!("n{number}'s engine kills at once again"));
}

/// How long such an engine takes for a kill.
pub(super) fn slow_kills(random: &mut Random) -> Duration {
    Duration::from_millis(random.between(SLOW_KILL_MS.0, SLOW_KILL_MS.1))
}

/// It tells nobody of its events.
async fn deaf(hand: &mut Hand, number: usize, engine: &FakeEngine) {
    engine.lose_hints(true);
    hand.done(format_args!("n{number}'s engine loses its events"));
    hand.wait(3_000, 20_000).await;
    engine.lose_hints(false);
    engine.break_hints();
    hand.cluster.trace.event(format_args!("n{number}'s engine tells its events again"));
}

/// Single calls go wrong: lost before, lost after, or done much later.
async fn lost(hand: &mut Hand, number: usize, engine: &FakeEngine) {
    const CALLS: [Call; 5] = [Call::Create, Call::Start, Call::Start, Call::Kill, Call::Remove];
    let Some(call) = hand.random.pick(&CALLS).copied() else { return };
    match hand.random.between(0, 3) {
        0 => engine.lose_request_of(call),
        1 => engine.lose_reply_of(call),
        2 => engine.answer_late(call, Duration::from_millis(hand.random.between(500, 4_000))),
        _ => engine.delay_effect_of(call, Duration::from_millis(hand.random.between(100, 3_000))),
    }
    hand.done(format_args!("n{number}'s engine: the next {call:?} goes wrong"));
    sleep(Duration::from_millis(500)).await;
}

/// Somebody with a shell kills one of our containers.
async fn by_hand(hand: &mut Hand, number: usize, engine: &FakeEngine) {
    let running: Vec<String> = engine
        .names()
        .into_iter()
        .filter(|name| name.starts_with("pinode-") && engine.status_of(name) == Some(Status::Running))
        .collect();
    let Some(name) = hand.random.pick(&running) else { return };
    if engine.kill_from_outside(name) {
        hand.done(format_args!("somebody kills {name} on n{number} by hand"));
    }
}
