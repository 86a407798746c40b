//! A snapshot before its time: who lags behind it gets the snapshot instead of the log.

use openraft::async_runtime::WatchReceiver;

use super::Hand;

/// A snapshot is made, and the log before it thrown away.
pub async fn made(mut hand: Hand) {
    let number = hand.random.below(hand.cluster.count());
    let Some((host, backend)) = hand.cluster.node(number).await else { return };
    let applied = backend.machine.last_applied().map_or(0, |id| id.index);
    let raft = backend.raft.clone();
    let asked = tokio::spawn(pinode_raft::host::on(Some(host.clone()), async move {
        drop(raft.trigger().snapshot().await);
    }));
    hand.done(format_args!("n{number} makes a snapshot up to entry {applied}"));
    hand.wait(500, 1_500).await;
    asked.abort();
    let snapshot = { backend.raft.metrics().borrow_watched().snapshot.map_or(0, |id| id.index) };
    let purged = tokio::spawn(pinode_raft::host::on(Some(host), async move {
        drop(backend.raft.trigger().purge_log(snapshot).await);
    }));
    hand.wait(100, 200).await;
    purged.abort();
}
