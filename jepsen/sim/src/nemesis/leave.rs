//! A process is told to leave, and comes back.

use super::Hand;

/// As for an upgrade.
pub async fn politely(mut hand: Hand) {
    let Some(number) = hand.victim().await else { return };
    hand.cluster.machine(number).await.tell();
    hand.done(format_args!("n{number} is told to leave"));
    hand.wait(9_500, 12_000).await;
    // One that could not leave in time is killed, as systemd does it.
    let lost = hand.cluster.machine(number).await.crash(&hand.cluster.net).await;
    hand.cluster.unattended(number);
    hand.cluster.trace.event(format_args!("n{number} is gone; {lost} writes are lost"));
    hand.wait(500, 8_000).await;
    drop(hand.cluster.start(number).await);
    hand.cluster.give_back(number);
}
