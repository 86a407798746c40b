//! A process that stands still and does not know it: SIGSTOP, a hypervisor, a disk that hangs.

use super::Hand;

/// It goes on after a while, as if nothing had been.
pub async fn process(mut hand: Hand) {
    let Some(number) = hand.victim().await else { return };
    hand.cluster.machine(number).await.hold();
    hand.cluster.unattended(number);
    hand.done(format_args!("n{number} stands still"));
    if hand.random.percent(80) {
        hand.wait(300, 6_000).await
    } else {
        hand.wait(6_000, 25_000).await
    }
    hand.cluster.machine(number).await.release();
    hand.cluster.attended(number);
    hand.cluster.trace.event(format_args!("n{number} goes on"));
    hand.cluster.give_back(number);
}
