//! The leader tends the membership: a learner that has caught up takes the place of the disk whose name it bears, or
//! votes where there is room for a larger odd number of voters, five at most. Looked at from the membership alone, again
//! and again, so that a leader that dies between two steps leaves nothing undone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use openraft::{ChangeMembers, Instant};
use pinode_raft::types::Membership;
use pinode_raft::{Machine, Raft};
use pinode_scheduler::NodeId;
use tokio::time::{sleep, timeout};

use super::admission::Refused;
use super::agreement::odd_voters;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Entries that a learner may lag and still count as caught up.
const LAG_MAX: u64 = 100;
/// A node that has not answered a heartbeat for this long is out of reach.
const OUT_OF_REACH: Duration = Duration::from_secs(3);
/// Longest wait for the commit of one change; a lost leader must not wait for ever.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(10);

/// One change of the membership.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// A leader died in the middle of a joint change: these vote, as it had meant.
    Finish(BTreeSet<NodeId>),
    /// These vote from now on.
    Vote(BTreeSet<NodeId>),
    /// An empty disk took an old name: out with the old id, in with the new.
    Replace { old: NodeId, new: NodeId },
}

/// How a member looks from the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    in_reach: bool,
    caught_up: bool,
    /// Its session lives.
    open: bool,
}

/// Tends the membership while this node leads. Never returns.
pub async fn tend(raft: &Raft, machine: &Machine) {
    loop {
        sleep(LOOK_EVERY).await;
        if !raft.is_leader() {
            continue;
        }
        let Some((membership, looks)) = look(raft, machine) else { continue };
        let Some(step) = next_step(&membership, &looks) else { continue };
        tracing::info!(?step, "changes the membership");
        match timeout(CHANGE_TIMEOUT, take(raft, &membership, step)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "change the membership"),
            Err(_) => tracing::warn!("change the membership: no majority answers"),
        }
    }
}

/// None while the last change is not committed.
fn look(raft: &Raft, machine: &Machine) -> Option<(Membership, BTreeMap<NodeId, Look>)> {
    // A copy, because whoever looks at the state must not hold the metrics: Raft's core waits for them, `apply` for it.
    let metrics = raft.metrics().borrow_watched().clone();
    if metrics.membership_config != metrics.committed_membership_config {
        return None;
    }
    let membership = metrics.membership_config.membership().clone();
    let last = metrics.last_log_index.unwrap_or(0);
    let state = machine.state();
    let look = |id: NodeId| {
        let heard = metrics.heartbeat.as_ref().and_then(|all| all.get(&id).copied().flatten());
        let matched = metrics.replication.as_ref().and_then(|all| all.get(&id).copied().flatten());
        Look {
            in_reach: id == metrics.id || heard.is_some_and(|heard| heard.elapsed() < OUT_OF_REACH),
            caught_up: matched.is_some_and(|id| id.index.saturating_add(LAG_MAX) >= last),
            open: state.find_node(id).is_some_and(|node| node.is_open()),
        }
    };
    let looks = membership.nodes().map(|(id, _)| (*id, look(*id))).collect();
    Some((membership, looks))
}

fn next_step(membership: &Membership, looks: &BTreeMap<NodeId, Look>) -> Option<Step> {
    if let [_, .., meant] = membership.get_joint_config().as_slice() {
        return Some(Step::Finish(meant.clone()));
    }
    let ready = |id: &NodeId| looks.get(id).is_some_and(|look| look.in_reach && look.caught_up);
    let gone = |id: &NodeId| looks.get(id).is_none_or(|look| !look.in_reach && !look.open);
    let voters: BTreeSet<NodeId> = membership.voter_ids().collect();
    let namesakes = |id: NodeId| {
        let name = membership.get_node(&id).map(|member| &member.name);
        let same =
            membership.nodes().filter(move |(other, member)| **other != id && Some(&member.name) == name);
        same.map(|(other, _)| *other).collect::<Vec<_>>()
    };
    let mut room = Vec::new();
    for learner in membership.learner_ids().filter(ready) {
        match namesakes(learner).as_slice() {
            [] => room.push(learner),
            others => {
                if let Some(old) = others.iter().find(|other| gone(other)) {
                    return Some(Step::Replace { old: *old, new: learner });
                }
            }
        }
    }
    let wanted = odd_voters(voters.len() + room.len());
    let missing = wanted.checked_sub(voters.len()).filter(|missing| *missing > 0)?;
    Some(Step::Vote(voters.into_iter().chain(room.into_iter().take(missing)).collect()))
}

async fn take(raft: &Raft, membership: &Membership, step: Step) -> Result<(), Refused> {
    match step {
        Step::Vote(voters) => raft.change_membership(voters, true).await?,
        // A joint change that takes a voter out is a replacement: the old one is forgotten.
        Step::Finish(voters) => raft.change_membership(voters, false).await?,
        Step::Replace { old, new } => {
            let mut voters: BTreeSet<NodeId> = membership.voter_ids().collect();
            if voters.remove(&old) {
                voters.insert(new);
                // Without `retain` the old one is forgotten in the entry that ends the joint change.
                raft.change_membership(voters, false).await?
            } else {
                raft.change_membership(ChangeMembers::RemoveNodes(BTreeSet::from([old])), false).await?
            }
        }
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use pinode_raft::Member;

    use super::*;

    const FINE: Look = Look { in_reach: true, caught_up: true, open: true };
    const GONE: Look = Look { in_reach: false, caught_up: false, open: false };

    fn membership(voters: &[NodeId], nodes: &[(NodeId, &str)]) -> Membership {
        let member = |name: &str| Member { name: name.to_owned(), peer: format!("{name}:1") };
        let nodes: BTreeMap<NodeId, Member> = nodes.iter().map(|(id, name)| (*id, member(name))).collect();
        Membership::new(vec![voters.iter().copied().collect()], nodes).unwrap()
    }

    fn all(look: Look, nodes: &[NodeId]) -> BTreeMap<NodeId, Look> {
        nodes.iter().map(|id| (*id, look)).collect()
    }

    #[test]
    fn a_fourth_node_stays_a_learner() {
        let membership = membership(&[1, 2, 3], &[(1, "a"), (2, "b"), (3, "c"), (4, "d")]);
        assert_eq!(next_step(&membership, &all(FINE, &[1, 2, 3, 4])), None);
    }

    #[test]
    fn a_fifth_node_makes_five_voters() {
        let membership = membership(&[1, 2, 3], &[(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")]);
        let step = next_step(&membership, &all(FINE, &[1, 2, 3, 4, 5]));
        assert_eq!(step, Some(Step::Vote([1, 2, 3, 4, 5].into())));
    }

    #[test]
    fn who_has_not_caught_up_does_not_vote_yet() {
        let membership = membership(&[1], &[(1, "a"), (2, "b"), (3, "c")]);
        let mut looks = all(FINE, &[1, 2, 3]);
        looks.insert(3, Look { caught_up: false, ..FINE });
        assert_eq!(next_step(&membership, &looks), None);
        looks.insert(3, FINE);
        assert_eq!(next_step(&membership, &looks), Some(Step::Vote([1, 2, 3].into())));
    }

    #[test]
    fn there_are_never_more_than_five_voters() {
        let names: Vec<(NodeId, String)> = (1..=9).map(|id| (id, format!("n{id}"))).collect();
        let nodes: Vec<(NodeId, &str)> = names.iter().map(|(id, name)| (*id, name.as_str())).collect();
        let membership = membership(&[1, 2, 3, 4, 5], &nodes);
        assert_eq!(next_step(&membership, &all(FINE, &(1..=9).collect::<Vec<_>>())), None);
    }

    #[test]
    fn a_joint_change_that_a_leader_left_behind_is_finished_first() {
        let config = vec![[1, 2, 3].into(), [1, 2, 9].into()];
        let nodes = membership(&[1, 2, 3], &[(1, "a"), (2, "b"), (3, "c"), (9, "c")]);
        let nodes: BTreeMap<NodeId, Member> =
            nodes.nodes().map(|(id, member)| (*id, member.clone())).collect();
        let joint = Membership::new(config, nodes).unwrap();
        assert_eq!(next_step(&joint, &all(FINE, &[1, 2, 3, 9])), Some(Step::Finish([1, 2, 9].into())));
    }

    #[test]
    fn a_wiped_disk_replaces_the_id_that_had_its_name() {
        let membership = membership(&[1, 2, 3], &[(1, "a"), (2, "b"), (3, "c"), (9, "c")]);
        let mut looks = all(FINE, &[1, 2, 3, 9]);
        looks.insert(3, GONE);
        assert_eq!(next_step(&membership, &looks), Some(Step::Replace { old: 3, new: 9 }));
    }

    #[test]
    fn a_namesake_that_is_in_reach_is_not_replaced_and_the_newcomer_does_not_vote() {
        let membership = membership(&[1, 2, 3], &[(1, "a"), (2, "b"), (3, "c"), (9, "c"), (10, "d")]);
        let mut looks = all(FINE, &[1, 2, 3, 9, 10]);
        looks.insert(3, Look { open: false, ..FINE });
        assert_eq!(next_step(&membership, &looks), None);
    }
}
