//! The leader's side: it grants renewals after asking a quorum, suspects who is silent, and condemns before it declares
//! lost. Everything here is in memory; a new leader begins with a full wait for everybody.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pinode_raft::{Machine, Raft};
use pinode_scheduler::{Command, NodeId, SessionId, Timer};
use tokio::time::{sleep, timeout};

use super::Timing;
use crate::clock::{self, Moment};
use crate::propose::Proposer;
use crate::transport::wire::{Answer, Granted, Renewal};

/// Between two looks at the sessions and timers.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Longest wait for a quorum's word on a renewal.
const READ_TIMEOUT: Duration = Duration::from_secs(2);
/// Requests remembered at least, and how many more before some are forgotten.
const REQUESTS_KEPT: usize = 100_000;
const REQUESTS_SPARE: usize = 10_000;

/// Grants leases while this node leads.
#[derive(Debug)]
pub struct Keeper {
    me: NodeId,
    timing: Timing,
    raft: Raft,
    machine: Machine,
    proposer: Proposer,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    /// The term in which this node leads, and since when.
    reign: Option<(u64, Moment)>,
    sessions: BTreeMap<SessionId, Session>,
    condemned: BTreeSet<SessionId>,
    timers: BTreeMap<Timer, Moment>,
}

impl Heard {
    fn term(&self) -> Option<u64> {
        self.reign.map(|(term, _)| term)
    }
}

#[derive(Clone, Copy, Debug)]
struct Session {
    last: Moment,
    /// Since when renewals have come without a gap.
    good_since: Moment,
    /// Since when its applied index is behind.
    lagging_since: Option<Moment>,
}

impl Keeper {
    /// For this node, should it lead.
    pub fn new(me: NodeId, timing: Timing, raft: Raft, machine: Machine, proposer: Proposer) -> Keeper {
        Keeper { me, timing, raft, machine, proposer, heard: Mutex::default() }
    }

    /// This node.
    pub fn me(&self) -> NodeId {
        self.me
    }

    /// Answers a renewal: only after a quorum has confirmed that this node leads, with everything applied that was
    /// committed then, and only if the session is not condemned when the quorum has answered.
    pub async fn renew(&self, renewal: Renewal) -> Granted {
        // What this reign has condemned is forgotten with it; what it was asked, it answers, or nobody does.
        let Some(reign) = self.reign() else { return Granted::NotLeader };
        let read = timeout(READ_TIMEOUT, self.proposer.read_index_here()).await;
        let Ok(Answer::ReadIndex(index)) = read else { return Granted::NotLeader };
        let mut applied = self.machine.applied();
        let caught_up = timeout(READ_TIMEOUT, applied.wait_for(|at| *at >= index)).await;
        if !matches!(caught_up, Ok(Ok(_))) {
            return Granted::NotLeader;
        }
        let open = {
            let state = self.machine.state();
            let node = state.find_node(renewal.session.node);
            node.is_some_and(|node| node.is_open() && node.session == renewal.session.number)
        };
        let now = clock::now();
        let mut heard = self.heard();
        if heard.term() != Some(reign) {
            return Granted::NotLeader;
        }
        if !open || heard.condemned.contains(&renewal.session) {
            return Granted::No;
        }
        let fresh = Session { last: now, good_since: now, lagging_since: None };
        let suspect = self.timing.suspect;
        let session = heard.sessions.entry(renewal.session).or_insert(fresh);
        if now.since(session.last) >= suspect {
            session.good_since = now;
        }
        session.last = now;
        let behind = renewal.applied < index;
        session.lagging_since = if behind { session.lagging_since.or(Some(now)) } else { None };
        Granted::Yes
    }

    /// Watches sessions and runs timers while this node leads. Never returns.
    pub async fn watch(&self) {
        loop {
            sleep(LOOK_EVERY).await;
            let Some(reign) = self.reign() else { continue };
            for command in self.due() {
                // Nor under a later reign of this node: between the two another may have renewed the session.
                if self.reign() != Some(reign) {
                    break;
                }
                let condemned =
                    if let Command::NodeLost { session } = &command { Some(*session) } else { None };
                // Never passed on: another leader has not condemned the session, and may be renewing it.
                let answer = self.proposer.propose_here(command).await;
                if let (Answer::NotLeader(_) | Answer::Unable(_), Some(session)) = (&answer, condemned) {
                    // It stays condemned: whether the entry will be committed is not known.
                    tracing::warn!(%session, answer = answer.word(), "declare a session lost");
                }
            }
        }
    }

    /// The term in which this node leads; a new reign forgets what an old one had heard.
    fn reign(&self) -> Option<u64> {
        use openraft::async_runtime::WatchReceiver;
        let term = self.raft.metrics().borrow_watched().current_term;
        let leads = self.raft.is_leader();
        let mut heard = self.heard();
        match heard.reign {
            Some((reign, _)) if leads && reign == term => Some(term),
            Some(_) | None if leads => {
                *heard = Heard { reign: Some((term, clock::now())), ..Heard::default() };
                Some(term)
            }
            Some(_) => {
                *heard = Heard::default();
                None
            }
            None => None,
        }
    }

    /// What is to be proposed now.
    fn due(&self) -> Vec<Command> {
        let now = clock::now();
        let state = self.machine.state();
        let mut heard = self.heard();
        let Some((_, since)) = heard.reign else { return Vec::new() };
        let mut due = Vec::new();
        for node in state.nodes().filter(|node| node.is_open()) {
            let session = node.session_id();
            // Who was never heard of has the full wait from when it is first seen: from the beginning of the reign, which
            // is looked at at once, or, for a session that was opened since, from now.
            let fresh = Session { last: now, good_since: now, lagging_since: None };
            let known = *heard.sessions.entry(session).or_insert(fresh);
            let silent = now.since(known.last);
            let lags = known.lagging_since.is_some_and(|from| now.since(from) >= self.timing.suspect);
            if silent >= self.timing.lost_after() && now.since(since) >= self.timing.lost_after() {
                heard.condemned.insert(session);
                due.push(Command::NodeLost { session });
            } else if (silent >= self.timing.suspect || lags) && !node.is_suspected() {
                due.push(Command::Suspected { session });
            } else if node.is_suspected()
                && silent < self.timing.suspect
                && !lags
                && now.since(known.good_since) >= self.timing.trust
            {
                due.push(Command::Trusted { session });
            }
        }
        heard.timers.retain(|timer, _| state.timers().contains_key(timer));
        for (timer, ms) in state.timers() {
            let at = *heard.timers.entry(*timer).or_insert(now + Duration::from_millis(*ms));
            if now >= at {
                due.push(Command::TimerFired { timer: *timer });
            }
        }
        let forget = state.forgettable_requests(clock::wall_ms(), REQUESTS_KEPT + REQUESTS_SPARE);
        if forget.is_some()
            && let Some(up_to) = state.forgettable_requests(clock::wall_ms(), REQUESTS_KEPT)
        {
            due.push(Command::ForgetRequests { up_to });
        }
        due
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
