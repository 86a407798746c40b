//! What a node does to its folder, and what must be there of it after a cut.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, ensure};
use futures_util::FutureExt;
use openraft::EntryPayload;
use openraft::storage::{RaftLogReader, RaftLogStorage, RaftLogStorageExt};
use pinode_raft::LogStore;
use pinode_raft::codec::{LogIdV1, MembershipV1, SnapshotMetaV1, SnapshotV1, VoteV1};
use pinode_raft::snapshot::Snapshots;
use pinode_raft::types::LogEntry;
use pinode_scheduler::node::Ailment;
use pinode_scheduler::{Command, Entry, SessionId, State};

/// Bytes of an entry: of a node's report, of a film of many encoders, of a compose file.
const SIZES: [usize; 4] = [20, 400, 3_000, 20_000];
/// Entries that stay behind a snapshot.
const KEPT: u64 = 40;

/// What the folder is known to hold.
#[derive(Clone, Debug, Default)]
pub struct Known {
    node: Option<u64>,
    vote: Option<VoteV1>,
    purged: Option<u64>,
    /// The entry's term and size, at each index.
    entries: BTreeMap<u64, (u64, usize)>,
}

/// What was answered last, and what that becomes if what is under way succeeds.
#[derive(Clone, Default)]
pub struct Answered {
    known: Arc<Mutex<(Known, Known)>>,
}

impl Answered {
    /// As it is now.
    pub fn get(&self) -> (Known, Known) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn begins(&self, change: impl FnOnce(&mut Known)) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut known.1);
    }

    fn ended(&self) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.0 = known.1.clone();
    }
}

impl Known {
    fn last(&self) -> Option<u64> {
        self.entries.keys().next_back().copied()
    }
}

/// Whether what is in `dir` is what was answered, or what was under way as well.
pub fn is_in(dir: &Path, (before, after): &(Known, Known)) -> anyhow::Result<()> {
    let opened = pinode_raft::open(dir, 2, Box::new(|_| ()))?;
    let node = opened.identity.node();
    ensure!(before.node.is_none_or(|known| known == node), "it is node {node}, and was another");
    let found = opened.log.recovered();
    let votes = [before.vote, after.vote];
    ensure!(votes.contains(&found.vote), "its vote is {:?}, answered was {votes:?}", found.vote);
    let purged = found.purged.map(|id| id.index);
    ensure!(purged <= after.purged, "entries up to {purged:?} are purged, asked for was {:?}", after.purged);
    let last = found.last.map(|id| id.index);
    let ends = [before.last(), after.last()];
    ensure!(ends.iter().min() <= Some(&last), "it ends at {last:?}, answered was {ends:?}");
    ensure!(Some(&last) <= ends.iter().max(), "it ends at {last:?}, asked for was {ends:?}");
    let mut log = opened.log;
    let entries = log.try_get_log_entries(..).now_or_never().context("the log is read at once")??;
    for (index, found) in (purged.map_or(0, |purged| purged + 1)..).zip(&entries) {
        let known = [before, after].map(|known| known.entries.get(&index).map(|said| entry(index, *said)));
        ensure!(known.contains(&Some(found.clone())), "entry {index} is not the one that was written");
    }
    Ok(())
}

fn id(index: u64, term: u64) -> LogIdV1 {
    LogIdV1 { term, node: 1, index }
}

fn entry(index: u64, (term, size): (u64, usize)) -> LogEntry {
    let session = SessionId { node: 1, number: index };
    let problem = Some("x".repeat(size));
    let command = Command::NodeCondition { session, ailment: Ailment::Disk, problem };
    LogEntry {
        log_id: id(index, term).into(),
        payload: EntryPayload::Normal(Arc::new(Entry { at_ms: index, command })),
    }
}

/// So many acts in the folder, told one by one; after each, `rest` is called.
pub async fn live(dir: &Path, acts: u64, answered: &Answered, mut rest: impl FnMut()) -> anyhow::Result<()> {
    let opened = pinode_raft::open(dir, 1, Box::new(|error| eprintln!("a sync failed: {error}")))?;
    answered.begins(|known| known.node = Some(opened.identity.node()));
    answered.ended();
    let snapshots = Snapshots::open(&dir.join("snapshots"))?;
    let mut log = opened.log;
    for act in 0..acts {
        let (known, _) = answered.get();
        let next = known.last().map_or(0, |last| last + 1);
        match act % 10 {
            3 => vote(&mut log, answered, act).await?,
            6 if next > KEPT => truncate(&mut log, answered, next - 3).await?,
            9 if next > 2 * KEPT => snapshot(&mut log, &snapshots, answered, next - 2).await?,
            _ => append(&mut log, answered, next, act).await?,
        }
        answered.ended();
        rest();
    }
    log.close().await?;
    rest();
    Ok(())
}

async fn append(log: &mut LogStore, answered: &Answered, first: u64, act: u64) -> anyhow::Result<()> {
    let term = act / 10 + 1;
    let count = [1, 3, 17][act as usize % 3];
    let size = SIZES[act as usize % SIZES.len()];
    let entries = (first..first + count).map(|index| (index, (term, size)));
    answered.begins(|known| known.entries.extend(entries.clone()));
    let entries: Vec<_> = entries.map(|(index, said)| entry(index, said)).collect();
    log.blocking_append(entries).await?;
    log.save_committed(Some(id(first, term).into())).await?;
    Ok(())
}

async fn vote(log: &mut LogStore, answered: &Answered, act: u64) -> anyhow::Result<()> {
    let vote = VoteV1 { term: act / 10 + 1, node: 1, committed: true };
    answered.begins(|known| known.vote = Some(vote));
    log.save_vote(&vote.into()).await?;
    Ok(())
}

async fn truncate(log: &mut LogStore, answered: &Answered, last: u64) -> anyhow::Result<()> {
    let (known, _) = answered.get();
    let (term, _) = known.entries[&last];
    answered.begins(|known| known.entries.retain(|index, _| *index <= last));
    log.truncate_after(Some(id(last, term).into())).await?;
    Ok(())
}

async fn snapshot(
    log: &mut LogStore,
    snapshots: &Snapshots,
    answered: &Answered,
    covered: u64,
) -> anyhow::Result<()> {
    let (known, _) = answered.get();
    let membership = MembershipV1 { voters: vec![vec![1]], members: vec![] };
    let last = Some(id(covered, known.entries[&covered].0));
    let meta = SnapshotMetaV1 { last, membership_at: None, membership };
    snapshots.save(&SnapshotV1 { meta, state: State::default() })?;
    let purged = covered - KEPT;
    answered.begins(|known| known.purged = Some(purged));
    log.purge(id(purged, known.entries[&purged].0).into()).await?;
    Ok(())
}
