//! The leader tends the membership: it looks at the members again and again, and takes the one step that `step` names. So a
//! leader that dies between two steps leaves nothing undone.

use std::collections::BTreeMap;
use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use openraft::{ChangeMembers, Instant};
use pinode_raft::types::Membership;
use pinode_raft::{Machine, Raft};
use pinode_scheduler::NodeId;
use tokio::time::{sleep, timeout};

use super::admission::Refused;
use super::handover::hand_over;
use super::step::{Look, Step, View, next_step};
use crate::clock::{self, Moment};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Entries that a learner may lag and still count as caught up.
const LAG_MAX: u64 = 100;
/// A node that has not answered a heartbeat for this long is out of reach.
const OUT_OF_REACH: Duration = Duration::from_secs(3);
/// Longest wait for the commit of one change, or for an heir; a lost leader must not wait for ever.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(10);

/// Tends the membership while this node leads. Never returns.
pub async fn tend(raft: &Raft, machine: &Machine) {
    // Since when this leader has seen whom gone. A new leader begins anew: late, never early.
    let mut gone_since = BTreeMap::new();
    loop {
        sleep(LOOK_EVERY).await;
        if !raft.is_leader() {
            gone_since.clear();
            continue;
        }
        let Some(seen) = look(raft, machine, &mut gone_since) else { continue };
        if seen.looks.get(&seen.me).is_some_and(|look| look.removed) {
            tracing::info!("this node was removed: another shall lead");
            hand_over(raft, CHANGE_TIMEOUT).await;
            continue;
        }
        let Seen { membership, looks, me, most } = &seen;
        let Some(step) = next_step(&View { membership, looks, me: *me, most: *most }) else { continue };
        tracing::info!(?step, "changes the membership");
        match timeout(CHANGE_TIMEOUT, take(raft, step)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "change the membership"),
            Err(_) => tracing::warn!("change the membership: no majority answers"),
        }
    }
}

struct Seen {
    membership: Membership,
    looks: BTreeMap<NodeId, Look>,
    me: NodeId,
    most: usize,
}

/// None while the last change is not committed.
fn look(raft: &Raft, machine: &Machine, gone_since: &mut BTreeMap<NodeId, Moment>) -> Option<Seen> {
    // A copy, because whoever looks at the state must not hold the metrics: Raft's core waits for them, `apply` for it.
    let metrics = raft.metrics().borrow_watched().clone();
    if metrics.membership_config != metrics.committed_membership_config {
        return None;
    }
    let membership = metrics.membership_config.membership().clone();
    let last = metrics.last_log_index.unwrap_or(0);
    let now = clock::now();
    let state = machine.state();
    let replace_after = Duration::from_millis(state.settings().replace_voter_after_ms);
    let mut looks = BTreeMap::new();
    for (id, _) in membership.nodes() {
        let heard = metrics.heartbeat.as_ref().and_then(|all| all.get(id).copied().flatten());
        let matched = metrics.replication.as_ref().and_then(|all| all.get(id).copied().flatten());
        let in_reach = *id == metrics.id || heard.is_some_and(|heard| heard.elapsed() < OUT_OF_REACH);
        let open = state.find_node(*id).is_some_and(|node| node.is_open());
        let dead = if in_reach || open {
            gone_since.remove(id);
            false
        } else {
            now.since(*gone_since.entry(*id).or_insert(now)) >= replace_after
        };
        let caught_up = matched.is_some_and(|id| id.index.saturating_add(LAG_MAX) >= last);
        looks.insert(*id, Look { in_reach, caught_up, open, dead, removed: state.is_removed(*id) });
    }
    gone_since.retain(|id, _| looks.contains_key(id));
    Some(Seen { membership, looks, me: metrics.id, most: usize::from(state.settings().voters) })
}

async fn take(raft: &Raft, step: Step) -> Result<(), Refused> {
    match step {
        // Who loses its vote stays a learner: a dead one that comes back goes on from there.
        Step::Vote(voters) | Step::Finish(voters) => raft.change_membership(voters, true).await?,
        Step::Forget(ids) => raft.change_membership(ChangeMembers::RemoveNodes(ids), true).await?,
    };
    Ok(())
}
