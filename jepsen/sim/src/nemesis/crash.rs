//! The end of a process, and of everything on a machine.

use super::Hand;

/// kill -9; its containers run on, and it is started again soon.
pub async fn process(mut hand: Hand) {
    let Some(number) = hand.victim().await else { return };
    let lost = hand.cluster.machine(number).await.crash(&hand.cluster.net).await;
    hand.cluster.unattended(number);
    hand.done(format_args!("n{number} is killed; {lost} writes are lost"));
    hand.wait(200, 4_000).await;
    drop(hand.cluster.start(number).await);
    hand.cluster.give_back(number);
}

/// The power goes, and with it the engine and what it runs.
pub async fn machine(mut hand: Hand) {
    let Some(number) = hand.victim().await else { return };
    let lost = hand.cluster.machine(number).await.lose_power(&hand.cluster.net).await;
    hand.cluster.unattended(number);
    hand.done(format_args!("n{number} loses its power; {lost} writes are lost"));
    hand.wait(1_000, 40_000).await;
    hand.cluster.machine(number).await.power(&hand.cluster.net);
    drop(hand.cluster.start(number).await);
    hand.cluster.give_back(number);
}

/// The power goes everywhere at once, and comes back machine by machine.
pub async fn blackout(mut hand: Hand) {
    let mut dark = Vec::new();
    for number in 0..hand.cluster.count() {
        if hand.cluster.take(number) {
            dark.push(number);
        }
    }
    for number in &dark {
        hand.cluster.machine(*number).await.lose_power(&hand.cluster.net).await;
        hand.cluster.unattended(*number);
    }
    hand.done(format_args!("all power is gone: {dark:?}"));
    hand.random.shuffle(&mut dark);
    for number in dark {
        hand.wait(500, 4_000).await;
        hand.cluster.machine(number).await.power(&hand.cluster.net);
        drop(hand.cluster.start(number).await);
        hand.cluster.give_back(number);
    }
}
