//! What a node does to its folder, and what must be there of it after a cut.

use std::collections::BTreeMap;
use std::ops::Range;
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

/// Bytes of an entry: of a node's report, of a pipeline, of a film of many encoders, of a large compose file.
const SIZES: [usize; 5] = [20, 400, 3_000, 20_000, 120_000];
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
        self.last_entry().max(self.purged)
    }

    fn last_entry(&self) -> Option<u64> {
        self.entries.keys().next_back().copied()
    }

    /// As far as it must still be there.
    fn entries_behind(&self, index: u64) -> u64 {
        self.entries.range(self.purged.map_or(0, |purged| purged + 1)..=index).count() as u64
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
    // A purge is no promise: what it says may be lost, and the snapshot knows better.
    let least = before.last_entry().min(after.last_entry());
    ensure!(least <= last, "it ends at {last:?}, answered was {least:?}");
    let most = before.last().max(after.last());
    ensure!(last <= most, "it ends at {last:?}, asked for was {most:?}");
    let mut log = opened.log;
    let entries = log.try_get_log_entries(..).now_or_never().context("the log is read at once")??;
    let first = purged.map_or(0, |purged| purged + 1);
    let expected = last.map_or(0, |last| last + 1).saturating_sub(first);
    ensure!(entries.len() as u64 == expected, "{} entries are read, {expected} are there", entries.len());
    for (index, found) in (first..).zip(&entries) {
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

/// After what there is a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// The start, at which sled also overwrites what is free.
    Start,
    /// An act.
    Act,
}

/// These acts in the folder, told one by one, with rests between them. In the end it is as if it had been killed.
pub async fn live(
    dir: &Path,
    acts: Range<u64>,
    answered: &Answered,
    mut rest: impl FnMut(Rest),
) -> anyhow::Result<()> {
    let opened = pinode_raft::open(dir, 1, Box::new(|error| eprintln!("a sync failed: {error}")))?;
    answered.begins(|known| known.node = Some(opened.identity.node()));
    answered.ended();
    rest(Rest::Start);
    let snapshots = Snapshots::open(&dir.join("snapshots"))?;
    let mut log = opened.log;
    for act in acts {
        let (known, _) = answered.get();
        let next = known.last().map_or(0, |last| last + 1);
        match act % 10 {
            1 if act % 40 == 21 => install(&mut log, &snapshots, answered, next + 5).await?,
            3 => vote(&mut log, answered, act).await?,
            6 if known.entries_behind(next) > KEPT => truncate(&mut log, answered, next - 3).await?,
            9 if known.entries_behind(next) > 2 * KEPT => {
                snapshot(&mut log, &snapshots, answered, next - 2).await?
            }
            _ => append(&mut log, answered, next, act).await?,
        }
        answered.ended();
        rest(Rest::Act);
    }
    Ok(())
}

async fn append(log: &mut LogStore, answered: &Answered, first: u64, act: u64) -> anyhow::Result<()> {
    let term = act / 10 + 1;
    let size = SIZES[act as usize % SIZES.len()];
    let count = if size > 50_000 { 1 } else { [1, 3, 17][act as usize % 3] };
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

/// A snapshot of what is there, and the entries behind it go.
async fn snapshot(
    log: &mut LogStore,
    snapshots: &Snapshots,
    answered: &Answered,
    covered: u64,
) -> anyhow::Result<()> {
    let (known, _) = answered.get();
    save(snapshots, id(covered, known.entries[&covered].0))?;
    let purged = covered - KEPT;
    answered.begins(|known| known.purged = Some(purged));
    log.purge(id(purged, known.entries[&purged].0).into()).await?;
    Ok(())
}

/// A snapshot that another node has sent, of more than is there.
async fn install(
    log: &mut LogStore,
    snapshots: &Snapshots,
    answered: &Answered,
    covered: u64,
) -> anyhow::Result<()> {
    let last = id(covered, covered);
    save(snapshots, last)?;
    answered.begins(|known| known.purged = Some(covered));
    log.purge(last.into()).await?;
    Ok(())
}

fn save(snapshots: &Snapshots, last: LogIdV1) -> anyhow::Result<()> {
    let membership = MembershipV1 { voters: vec![vec![1]], members: vec![] };
    let meta = SnapshotMetaV1 { last: Some(last), membership_at: None, membership };
    snapshots.save(&SnapshotV1 { meta, state: State::default() })?;
    Ok(())
}
