//! Everybody who comes after the founding: the leader takes a joiner in as a learner, lets it catch up, and lets it
//! vote when an odd number of voters, at most five, has room for it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use openraft::ChangeMembers;
use openraft::async_runtime::WatchReceiver;
use openraft::errors::{ClientWriteError, RaftError};
use pinode_raft::types::Membership;
use pinode_raft::{Machine, Member, Raft};
use pinode_scheduler::NodeId;
use tokio::time::sleep;

use super::founding::odd_voters;
use crate::transport::Peers;
use crate::transport::wire::{Admission, Answer, Ask, Joiner};

/// Between two knocks.
const KNOCK: Duration = Duration::from_millis(500);
/// Longest wait for one answer; the leader answers when the joiner has caught up.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Knocks between two lines in the log.
const KNOCKS_BETWEEN_WORDS: u32 = 20;

/// Knocks at members until one takes us in. Harmless for who is a member already.
pub async fn join(peers: &Peers, joiner: &Joiner, doors: &[String]) {
    let mut next: Vec<String> = Vec::new();
    for knock in 0_u32.. {
        let addr = next.pop().or_else(|| doors.get(knock as usize % doors.len().max(1)).cloned());
        let Some(addr) = addr else { return };
        let said = match peers.call(&addr, &Ask::Join(joiner.clone()), ANSWER_TIMEOUT).await {
            Ok(Answer::Joined(Admission::Member)) => return,
            Ok(Answer::Joined(Admission::AskLeader(Some(leader)))) if leader != addr => {
                next.push(leader);
                continue;
            }
            Ok(Answer::Joined(Admission::Wait(why))) => why,
            Ok(other) => format!("{other:?}"),
            Err(error) => error.to_string(),
        };
        if knock % KNOCKS_BETWEEN_WORDS == 0 {
            tracing::info!(%addr, %said, "waiting to be taken in as a member");
        }
        sleep(KNOCK).await;
    }
}

/// The leader's side of a knock.
pub async fn admit(raft: &Raft, machine: &Machine, joiner: &Joiner) -> Admission {
    match take_in(raft, machine, joiner).await {
        Ok(admission) => admission,
        Err(RaftError::APIError(ClientWriteError::ForwardToLeader(to))) => {
            Admission::AskLeader(to.leader_node.map(|leader| leader.peer))
        }
        Err(error) => Admission::Wait(error.to_string()),
    }
}

type Refused = RaftError<pinode_raft::TypeConfig, ClientWriteError<pinode_raft::TypeConfig>>;

async fn take_in(raft: &Raft, machine: &Machine, joiner: &Joiner) -> Result<Admission, Refused> {
    let member = Member { name: joiner.name.clone(), peer: joiner.addr.clone() };
    let membership = current(raft);
    if membership.get_node(&joiner.node) == Some(&member) {
        return Ok(Admission::Member);
    }
    if !raft.is_leader() {
        let leader = raft.current_leader().await.and_then(|id| Some(membership.get_node(&id)?.peer.clone()));
        return Ok(Admission::AskLeader(leader));
    }
    if membership.get_node(&joiner.node).is_some() {
        let moved = ChangeMembers::SetNodes(BTreeMap::from([(joiner.node, member)]));
        raft.change_membership(moved, true).await?;
        return Ok(Admission::Member);
    }
    let old = membership.nodes().find(|(_, known)| known.name == joiner.name).map(|(id, _)| *id);
    if let Some(old) = old
        && machine.state().find_node(old).is_some_and(|node| node.is_open())
    {
        return Ok(Admission::Wait(format!(
            "the session of {} on its old disk is not lost yet; if that machine lives, choose another --name",
            joiner.name
        )));
    }
    tracing::info!(name = %joiner.name, node = joiner.node, replaces = old, "takes in a member");
    raft.add_learner(joiner.node, member, true).await?;
    match old {
        Some(old) => replace(raft, old, joiner.node).await?,
        None => promote(raft).await?,
    }
    Ok(Admission::Member)
}

fn current(raft: &Raft) -> Membership {
    raft.metrics().borrow_watched().membership_config.membership().clone()
}

/// An empty disk took an old name: out with the old id and in with the new, in one joint change.
async fn replace(raft: &Raft, old: NodeId, new: NodeId) -> Result<(), Refused> {
    let mut voters: BTreeSet<NodeId> = current(raft).voter_ids().collect();
    if voters.remove(&old) {
        voters.insert(new);
        raft.change_membership(voters, false).await?;
    } else {
        raft.change_membership(ChangeMembers::RemoveNodes(BTreeSet::from([old])), false).await?;
    }
    Ok(())
}

/// Lets learners vote while the number of voters can grow to a larger odd one.
async fn promote(raft: &Raft) -> Result<(), Refused> {
    let membership = current(raft);
    let mut voters: BTreeSet<NodeId> = membership.voter_ids().collect();
    let wanted = odd_voters(membership.nodes().count());
    if wanted > voters.len() {
        let missing = wanted - voters.len();
        voters.extend(membership.learner_ids().take(missing).collect::<Vec<_>>());
        raft.change_membership(voters, true).await?;
    }
    Ok(())
}
