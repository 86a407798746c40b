//! A leader that is about to stop names another, so that nobody waits for an election.

use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use pinode_raft::Raft;
use pinode_scheduler::NodeId;
use tokio::time::{sleep, timeout};

/// Between two looks at who leads.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Hands the leadership over to the voter with the longest log, and waits until it has it; `within` at most. True if
/// this node does not lead any more, false if there is nobody to hand over to or nobody took it.
pub async fn hand_over(raft: &Raft, within: Duration) -> bool {
    if !raft.is_leader() {
        return true;
    }
    let Some(heir) = heir(raft) else { return false };
    if let Err(error) = raft.trigger().transfer_leader(heir).await {
        tracing::warn!(%error, "hand the leadership over");
        return false;
    }
    let handed = async {
        while raft.is_leader() {
            sleep(LOOK_EVERY).await;
        }
    };
    timeout(within, handed).await.is_ok()
}

fn heir(raft: &Raft) -> Option<NodeId> {
    let metrics = raft.metrics();
    let metrics = metrics.borrow_watched();
    let replication = metrics.replication.as_ref()?;
    let voters = metrics.membership_config.membership().voter_ids().filter(|id| *id != metrics.id);
    voters.max_by_key(|id| replication.get(id).copied().flatten().map(|log| log.index))
}
