//! Everybody who comes after the founding knocks until the leader has taken it in as a learner; who has moved says so in
//! the same way. What becomes of learners is `tend`'s.

use std::collections::BTreeMap;
use std::time::Duration;

use openraft::ChangeMembers;
use openraft::async_runtime::WatchReceiver;
use openraft::errors::{ClientWriteError, RaftError};
use pinode_raft::types::Membership;
use pinode_raft::{Machine, Member, Raft, TypeConfig};
use tokio::time::{sleep, timeout};

use crate::transport::Peers;
use crate::transport::wire::{Admission, Answer, Ask, Joiner, Seen};

/// Between two knocks.
const KNOCK: Duration = Duration::from_millis(500);
/// Longest wait for one answer; the leader answers when the entry that takes the joiner in is committed.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Knocks between two lines in the log about the same obstacle.
const KNOCKS_BETWEEN_WORDS: u32 = 20;

/// Knocks until this node is a member under its name and address. Harmless, and one question, for who is one already.
pub async fn join(raft: &Raft, machine: &Machine, peers: &Peers, me: &Joiner, doors: &[String]) {
    let mut said = String::new();
    let mut next = None;
    for knock in 0_u32.. {
        let door = next.take().or_else(|| door(raft, me, doors, knock));
        let answer = match &door {
            Some(addr) => match peers.call(addr, &Ask::Join(me.clone()), ANSWER_TIMEOUT).await {
                Ok(Answer::Joined(admission)) => Ok(admission),
                Ok(other) => Err(format!("{addr} answered {}", other.word())),
                Err(error) => Err(error.to_string()),
            },
            None => Ok(admit(raft, machine, me).await),
        };
        let obstacle = match answer {
            Ok(Admission::Member) => return,
            Ok(Admission::AskLeader(Some(leader))) if Some(&leader) != door.as_ref() && leader != me.addr => {
                next = Some(leader);
                continue;
            }
            Ok(Admission::AskLeader(_)) => "no leader is known".to_owned(),
            Ok(Admission::Wait(why)) | Err(why) => why,
        };
        if obstacle != said || knock.is_multiple_of(KNOCKS_BETWEEN_WORDS) {
            tracing::info!("waiting to be taken in as a member: {obstacle}");
            said = obstacle;
        }
        sleep(KNOCK).await;
    }
}

/// Where to knock: at the leader if one is known, else at each peer and member in turn; none means here.
fn door(raft: &Raft, me: &Joiner, doors: &[String], knock: u32) -> Option<String> {
    if raft.is_leader() {
        return None;
    }
    let metrics = raft.metrics();
    let metrics = metrics.borrow_watched();
    let membership = metrics.membership_config.membership();
    if let Some(leader) = metrics.current_leader
        && knock.is_multiple_of(2)
    {
        return membership.get_node(&leader).map(|member| member.peer.clone());
    }
    let members = membership.nodes().map(|(_, member)| &member.peer);
    let all: Vec<&String> = doors.iter().chain(members).filter(|addr| **addr != me.addr).collect();
    let turn = usize::try_from(knock).unwrap_or(0).checked_rem(all.len())?;
    all.get(turn).map(|addr| (*addr).clone())
}

/// The leader's side of a knock.
pub async fn admit(raft: &Raft, machine: &Machine, joiner: &Joiner) -> Admission {
    match timeout(ANSWER_TIMEOUT, take_in(raft, machine, joiner)).await {
        Ok(Ok(admission)) => admission,
        Ok(Err(RaftError::APIError(ClientWriteError::ForwardToLeader(to)))) => {
            Admission::AskLeader(to.leader_node.map(|leader| leader.peer))
        }
        Ok(Err(error)) => Admission::Wait(error.to_string()),
        Err(_) => Admission::Wait("no majority answers".to_owned()),
    }
}

pub(super) type Refused = RaftError<TypeConfig, ClientWriteError<TypeConfig>>;

pub(super) fn current(raft: &Raft) -> Membership {
    raft.metrics().borrow_watched().membership_config.membership().clone()
}

async fn take_in(raft: &Raft, machine: &Machine, joiner: &Joiner) -> Result<Admission, Refused> {
    let member = Member { name: joiner.name.clone(), peer: joiner.addr.clone() };
    let membership = current(raft);
    if !raft.is_leader() {
        let leader = raft.current_leader().await.and_then(|id| membership.get_node(&id));
        return Ok(Admission::AskLeader(leader.map(|leader| leader.peer.clone())));
    }
    if machine.state().is_removed(joiner.node) {
        return Ok(Admission::Wait(Seen::Removed.to_string()));
    }
    match membership.get_node(&joiner.node) {
        Some(known) if *known == member => return Ok(Admission::Member),
        Some(_) => {
            tracing::info!(name = joiner.name, addr = joiner.addr, "a member has moved");
            let moved = ChangeMembers::SetNodes(BTreeMap::from([(joiner.node, member)]));
            raft.change_membership(moved, true).await?;
            return Ok(Admission::Member);
        }
        None => {}
    }
    let namesake_lives = {
        let state = machine.state();
        state.find_node_named(&joiner.name).is_some_and(|node| node.is_open() && node.id != joiner.node)
    };
    if namesake_lives {
        return Ok(Admission::Wait(format!(
            "the session of {0} on another disk is not lost yet; if that machine lives, choose another --name than {0}",
            joiner.name
        )));
    }
    tracing::info!(name = joiner.name, node = %format_args!("{:x}", joiner.node), "takes in a member");
    raft.add_learner(joiner.node, member, false).await?;
    Ok(Admission::Member)
}
