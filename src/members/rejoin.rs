//! What a node that starts asks the others before it votes. Raft believes a disk, and a disk may be an old copy that
//! somebody put back: what this node had acknowledged since would be forgotten as soon as a majority is made with it.
//! Any majority that it was part of has left a trace with the rest of it, so enough of the others are asked what they
//! have that one of those must be among them. Their newest vote is this node's too from then on, and until it has as much
//! log as they have, who has less gets no vote from it, and it asks for none.
//!
//! A shelf where too few are left goes on without: after a power cut, two of three must do. Then nobody can tell an old
//! copy from a disk that was away.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use openraft::StorageHelper;
use openraft::storage::RaftLogStorage;
use pinode_raft::codec::{LogIdV1, VoteV1};
use pinode_raft::{Log, Machine, Raft, TypeConfig};
use pinode_scheduler::NodeId;
use tokio::time::{sleep, timeout};

use crate::transport::Peers;
use crate::transport::wire::{Answer, Ask, VoteAnswerV1, VoteRequestV1};

/// Longest wait for enough answers.
const ASK_MAX: Duration = Duration::from_secs(3);
/// Longest wait for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// Before a node that did not answer is asked again.
const AGAIN: Duration = Duration::from_millis(100);
/// Votes are withheld for so many failovers at most, and so long on top. Who has that log may never come back, and it may
/// never have been committed.
const CATCH_UP_FAILOVERS: u32 = 3;
const CATCH_UP_SPARE: Duration = Duration::from_secs(5);
/// Between two looks at the log.
const LOOK: Duration = Duration::from_millis(50);

/// What this node may have had: until it has it again, nobody with less gets its vote.
#[derive(Debug, Default)]
pub struct Doubt(Mutex<Option<LogIdV1>>);

/// Asks the members that this disk knows of. Returns when enough have answered, or have not for long.
pub async fn rejoin<L>(log: &mut L, machine: &mut Machine, peers: &Peers) -> anyhow::Result<Doubt>
where
    L: RaftLogStorage<TypeConfig> + Log,
{
    let known = StorageHelper::new(log, machine).get_membership().await.context("read who votes")?;
    let known = known.effective().membership();
    let others: BTreeMap<NodeId, String> = (known.nodes().filter(|(id, _)| **id != peers.me()))
        .map(|(id, member)| (*id, member.peer.clone()))
        .collect();
    let voters = known.get_joint_config().iter().map(BTreeSet::len).min().unwrap_or(0);
    let heard = ask(peers, log, &others, enough(others.len(), voters)).await;
    take_in(log, &heard).await
}

/// What the others say they have.
async fn ask(
    peers: &Peers,
    log: &impl Log,
    others: &BTreeMap<NodeId, String>,
    enough: usize,
) -> BTreeMap<NodeId, VoteAnswerV1> {
    let vote = log.vote().unwrap_or(VoteV1 { term: 0, node: peers.me(), committed: false });
    let candidate = VoteRequestV1 { vote, last: log.last(), transfer: false };
    let mut asked: FuturesUnordered<_> =
        others.iter().map(|(node, addr)| answer_of(peers, *node, addr, &candidate)).collect();
    let mut heard = BTreeMap::new();
    let hear = async {
        while heard.len() < enough
            && let Some((node, answer)) = asked.next().await
        {
            heard.insert(node, answer);
        }
    };
    let heard_enough = tokio::select! {
        in_time = timeout(ASK_MAX, hear) => in_time.is_ok(),
        () = peers.until_stale() => true,
    };
    if !heard_enough {
        tracing::warn!(
            "only {} of {} other members could be asked what they have: should this disk be an old copy, nobody has said so",
            heard.len(),
            others.len()
        );
    }
    heard
}

async fn answer_of(
    peers: &Peers,
    node: NodeId,
    addr: &str,
    candidate: &VoteRequestV1,
) -> (NodeId, VoteAnswerV1) {
    loop {
        match peers.pre_vote(node, addr, candidate.clone(), ANSWER_TIMEOUT).await {
            Ok(Answer::Vote(answer)) => return (node, answer),
            Ok(other) => tracing::debug!(addr, answer = other.word(), "asked what it has"),
            Err(error) => tracing::debug!(%error, "asked what it has"),
        }
        sleep(AGAIN).await;
    }
}

/// So many answers have somebody in common with every majority of so many voters that this node was in. Who votes may have
/// changed since: it can be any of the others.
fn enough(others: usize, voters: usize) -> usize {
    let with_this_one = voters / 2;
    if with_this_one == 0 { others } else { (others + 1).saturating_sub(with_this_one) }
}

/// Their newest vote, durably, and what of their log is missing here.
async fn take_in<L>(log: &mut L, heard: &BTreeMap<NodeId, VoteAnswerV1>) -> anyhow::Result<Doubt>
where
    L: RaftLogStorage<TypeConfig> + Log,
{
    if let Some(newest) = heard.values().map(|answer| answer.vote).max()
        && Some(newest) > log.vote()
    {
        log.save_vote(&newest.into()).await.context("write the others' vote down")?;
    }
    let most = heard.values().filter_map(|answer| answer.last).max();
    let missing = most.filter(|most| Some(*most) > log.last());
    if let Some(missing) = missing {
        tracing::info!(index = missing.index, "others have a longer log; votes for nobody who has less");
    }
    Ok(Doubt(Mutex::new(missing)))
}

impl Doubt {
    fn missing(&self) -> Option<LogIdV1> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether Raft must not hear this.
    pub fn withholds(&self, ask: &Ask) -> bool {
        let (Ask::Vote(candidate) | Ask::PreVote(candidate)) = ask else { return false };
        self.missing().is_some_and(|missing| candidate.last < Some(missing))
    }

    /// This node is no candidate as long as something is missing.
    pub fn hold_back(&self, raft: &Raft) {
        if self.missing().is_some() {
            raft.runtime_config().elect(false);
        }
    }

    /// Waits until nothing is missing any more, or nobody is expected to have it.
    /// `failover` is the longest that the cluster may be without a leader.
    pub async fn settle(&self, raft: &Raft, log: &dyn Log, failover: Duration) {
        let Some(missing) = self.missing() else { return };
        let caught_up = async {
            while log.last() < Some(missing) {
                sleep(LOOK).await;
            }
        };
        if timeout(failover * CATCH_UP_FAILOVERS + CATCH_UP_SPARE, caught_up).await.is_err() {
            tracing::warn!(index = missing.index, "the longer log of others did not come; votes without it");
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        raft.runtime_config().elect(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(term: u64, index: u64) -> LogIdV1 {
        LogIdV1 { term, node: 1, index }
    }

    fn candidate(last: Option<LogIdV1>) -> VoteRequestV1 {
        VoteRequestV1 { vote: VoteV1 { term: 9, node: 1, committed: false }, last, transfer: false }
    }

    #[test]
    fn those_who_answered_share_a_node_with_every_majority_that_this_one_was_in() {
        for (others, voters, needed) in
            [(0, 1, 0), (1, 1, 1), (2, 3, 2), (4, 5, 3), (4, 3, 4), (6, 7, 4), (49, 5, 48), (0, 0, 0)]
        {
            assert_eq!(enough(others, voters), needed, "{voters} voters, {others} others");
        }
    }

    #[test]
    fn who_has_less_than_is_missing_gets_no_vote_and_who_has_it_does() {
        let doubt = Doubt(Mutex::new(Some(id(3, 10))));
        for less in [None, Some(id(3, 9)), Some(id(2, 99))] {
            assert!(doubt.withholds(&Ask::Vote(candidate(less))), "{less:?}");
            assert!(doubt.withholds(&Ask::PreVote(candidate(less))), "{less:?}");
        }
        for enough in [id(3, 10), id(4, 2)] {
            assert!(!doubt.withholds(&Ask::Vote(candidate(Some(enough)))), "{enough:?}");
        }
        assert!(!doubt.withholds(&Ask::ReadIndex));
        assert!(!Doubt::default().withholds(&Ask::Vote(candidate(None))));
    }
}
