//! Disks: slow as an SD card, failing, empty, and not the one that it was.

use std::time::Duration;

use tokio::time::sleep;

use super::Hand;
use crate::cluster::Cluster;

/// How long a failing disk is waited for to be written to.
const SYNC_WITHIN: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(50);
/// Before a process that has ended is started again.
const RESTART: Duration = Duration::from_secs(1);
/// When no more disks are lost in this run, because the cluster did not get over the last.
const VOTES_WITHIN: Duration = Duration::from_secs(300);
/// A node with an old copy of its disk must have said so by then.
const REFUSED_WITHIN: Duration = Duration::from_secs(60);
/// Somebody who puts a disk back has a network that works, and the others up, until the node has it all again; for so long
/// at most. If too few others can be asked, nobody can tell an old copy from a disk that was away.
const SPARED: Duration = Duration::from_secs(60);

/// Syncs take as long as an SD card's worst.
pub async fn slow(mut hand: Hand) {
    let number = hand.random.below(hand.cluster.count());
    let ms = (5, hand.random.between(10, 300));
    hand.cluster.machine(number).await.disk.slow_down(Some(ms));
    hand.done(format_args!("n{number}'s disk takes {ms:?} ms a sync"));
    hand.wait(2_000, 15_000).await;
    hand.cluster.machine(number).await.disk.slow_down(None);
    hand.cluster.trace.event(format_args!("n{number}'s disk is as it was"));
}

/// The next sync fails: the process must stop at once, and start again on what is there.
pub async fn failing(mut hand: Hand) {
    let Some(number) = hand.victim().await else { return };
    hand.cluster.machine(number).await.disk.fail_next_sync();
    hand.done(format_args!("n{number}'s next sync fails"));
    let until = hand.cluster.now() + SYNC_WITHIN;
    while hand.cluster.now() < until && !hand.cluster.end_if_disk_failed(number).await {
        sleep(LOOK).await;
    }
    hand.cluster.machine(number).await.disk.mend();
    hand.wait(500, 3_000).await;
    if !hand.cluster.machine(number).await.is_up() {
        drop(hand.cluster.start(number).await);
    }
    hand.cluster.give_back(number);
}

/// A machine comes back with an empty disk: another node of the same name.
pub async fn wiped(mut hand: Hand) {
    if !hand.cluster.may_lose_a_disk() {
        return;
    }
    let Some(number) = hand.victim().await else { return hand.cluster.disk_is_replaced() };
    hand.cluster.machine(number).await.lose_power(&hand.cluster.net).await;
    hand.cluster.unattended(number);
    hand.done(format_args!("n{number} loses its disk"));
    hand.wait(1_000, 10_000).await;
    let mut machine = hand.cluster.machine(number).await;
    machine.power(&hand.cluster.net);
    machine.wipe();
    drop(machine);
    drop(hand.cluster.start(number).await);
    hand.until_it_votes(number).await;
}

/// Somebody puts an old copy of the disk back. It must be refused, and set itself aside.
pub async fn restored(mut hand: Hand) {
    let Some(number) = hand.victim().await else { return };
    let copied = u32::try_from(hand.cluster.now().as_millis()).unwrap_or(u32::MAX);
    let copy = hand.cluster.machine(number).await.copy(copied);
    hand.cluster.give_back(number);
    let Ok(copy) = copy else {
        return hand.cluster.wrong(format!("harness: the disk of n{number} cannot be copied"));
    };
    hand.cluster.trace.event(format_args!("n{number}'s disk is copied"));
    hand.wait(15_000, 40_000).await;
    if !hand.cluster.may_lose_a_disk() {
        return;
    }
    if !hand.cluster.take(number) {
        return hand.cluster.disk_is_replaced();
    }
    let Some(witnesses) = hand.witnesses().await else {
        hand.cluster.give_back(number);
        return hand.cluster.disk_is_replaced();
    };
    hand.cluster.net.spare(number, true);
    let newest = hand.cluster.look(false).await.iter().map(|view| view.applied).max().unwrap_or(0);
    let mut machine = hand.cluster.machine(number).await;
    machine.lose_power(&hand.cluster.net).await;
    machine.power(&hand.cluster.net);
    let restored = machine.restore(&copy);
    drop(machine);
    hand.cluster.unattended(number);
    if let Err(error) = restored {
        hand.cluster.wrong(format!("harness: the disk of n{number} cannot be restored: {error:#}"));
    }
    hand.done(format_args!("n{number} gets an old copy of its disk"));
    drop(hand.cluster.start(number).await);
    tokio::join!(until_refused(&hand.cluster, number), async {
        until_it_knows(&hand.cluster, number, newest).await;
        hand.cluster.net.spare(number, false);
        witnesses.into_iter().for_each(|witness| hand.cluster.give_back(witness));
    });
    let mut machine = hand.cluster.machine(number).await;
    let refused = machine.is_quarantined();
    machine.crash(&hand.cluster.net).await;
    drop(machine);
    // What runs there is nobody's from now on: who comes next knows nothing of it.
    hand.cluster.unattended(number);
    if refused {
        // It may not come back, whatever is done with it.
        if hand.cluster.start(number).await.is_ok() {
            hand.cluster.wrong(format!("quarantine: n{number} starts on a disk that was set aside"));
            hand.cluster.machine(number).await.crash(&hand.cluster.net).await;
        }
    } else {
        hand.cluster.trace.event(format_args!("n{number} was told nothing: nobody could"));
    }
    hand.cluster.machine(number).await.wipe();
    hand.cluster.trace.event(format_args!("n{number} gets an empty disk"));
    drop(hand.cluster.start(number).await);
    hand.until_it_votes(number).await;
}

/// Waits until the node has all that anybody had, or has set its disk aside.
async fn until_it_knows(cluster: &Cluster, number: usize, newest: u64) {
    let until = cluster.now() + SPARED;
    while cluster.now() < until && !cluster.machine(number).await.is_quarantined() {
        let knows =
            cluster.look(false).await.iter().any(|view| view.machine == number && view.applied >= newest);
        if knows {
            return;
        }
        sleep(LOOK * 4).await;
    }
}

/// Waits until the node on an old disk has set it aside.
async fn until_refused(cluster: &Cluster, number: usize) {
    let until = cluster.now() + REFUSED_WITHIN;
    while cluster.now() < until {
        let ended = cluster.machine(number).await.ended(&cluster.net).await;
        if let Some(ended) = ended {
            cluster.trace.event(format_args!("n{number} has ended: {ended:?}"));
            if cluster.machine(number).await.is_quarantined() {
                return;
            }
            sleep(RESTART).await;
            if cluster.start(number).await.is_err() {
                return;
            }
        }
        sleep(LOOK * 4).await;
    }
}

impl Hand {
    /// All of the other machines, up and taken: who votes may have changed since the copy.
    async fn witnesses(&mut self) -> Option<Vec<usize>> {
        let mut taken = Vec::new();
        for number in 0..self.cluster.count() {
            if self.cluster.take(number) {
                taken.push(number);
            }
        }
        let mut up = 0;
        for number in &taken {
            up += usize::from(self.cluster.machine(*number).await.is_up());
        }
        if up + 1 == self.cluster.count() {
            return Some(taken);
        }
        taken.into_iter().for_each(|number| self.cluster.give_back(number));
        None
    }

    /// A cluster outlives the loss of a few disks, one after the other: the next may only go when the node on the new one
    /// votes. Until then other harm is done to that machine as to all of them.
    async fn until_it_votes(&mut self, number: usize) {
        self.cluster.give_back(number);
        let until = self.cluster.now() + VOTES_WITHIN;
        while self.cluster.now() < until {
            sleep(LOOK * 20).await;
            if self.cluster.votes(number).await {
                self.cluster.trace.event(format_args!("n{number} votes again"));
                return self.cluster.disk_is_replaced();
            }
        }
    }
}
