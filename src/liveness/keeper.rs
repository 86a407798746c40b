//! The leader's side: it grants renewals after asking a quorum, suspects who is silent, and condemns before it declares
//! lost. Everything here is in memory; a new leader begins with a full wait for everybody.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pinode_raft::config::{FAST_SYNC_MS, pace_of};
use pinode_raft::{Machine, Raft};
use pinode_scheduler::later::{LEVEL, LEVEL_PACE};
use pinode_scheduler::mutant::{self, Mutant};
use pinode_scheduler::{Command, NodeId, SessionId, State, Timer};
use tokio::time::{sleep, timeout};

use super::Timing;
use crate::clock::{self, Moment};
use crate::propose::Proposer;
use crate::transport::wire::{Answer, Granted, Renewal};

/// Between two looks at the sessions and timers.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Longest wait for a quorum's word on a renewal.
const READ_TIMEOUT: Duration = Duration::from_secs(2);
/// A voter is slower than the cluster's pace for so long before all are made slower: their leases, and their elections from the next start on.
const SLOW: Duration = Duration::from_secs(30);
/// All voters are faster than the cluster's pace for so long before it is made faster.
const CALM: Duration = Duration::from_secs(600);
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
    /// The term in which this node leads, since when, and the end of the log that it began with.
    reign: Option<(u64, Moment, Option<u64>)>,
    sessions: BTreeMap<SessionId, Session>,
    condemned: BTreeSet<SessionId>,
    timers: BTreeMap<Timer, Moment>,
    /// Since when the voters are slower than the cluster's pace, or faster.
    slow_since: Option<Moment>,
    calm_since: Option<Moment>,
}

impl Heard {
    fn term(&self) -> Option<u64> {
        self.reign.map(|(term, ..)| term)
    }
}

#[derive(Clone, Copy, Debug)]
struct Session {
    last: Moment,
    /// Since when renewals have come without a gap.
    good_since: Moment,
    /// Since when its applied index is behind.
    lagging_since: Option<Moment>,
    /// It has said that it leaves.
    away: bool,
    /// How long a sync takes on its disk, in milliseconds, as far as it said so.
    sync_ms: Option<u32>,
}

impl Session {
    fn heard(at: Moment) -> Session {
        Session { last: at, good_since: at, lagging_since: None, away: false, sync_ms: None }
    }

    /// That it leaves, and that it is back, it has said itself, through the log: it was heard of. Its grace began before it
    /// said so; here it counts from now. And who is back has sent no renewal since it left.
    fn note_away(&mut self, away: bool, now: Moment) {
        if self.away != away {
            self.away = away;
            self.last = now;
        }
    }
}

impl Heard {
    /// The cluster is as fast as its slowest voter: slower when one has been slow for a moment, faster when all have been
    /// fast for a while.
    fn pace(&mut self, state: &State, voters: &[NodeId], now: Moment) -> Option<Command> {
        if state.level() < LEVEL_PACE {
            return None;
        }
        let open = voters.iter().filter_map(|id| state.find_node(*id)).filter(|node| node.is_open());
        let said = open.filter_map(|node| self.sessions.get(&node.session_id())?.sync_ms);
        let wanted = pace_of(said.max()?);
        let present = state.pace().sync_ms.max(FAST_SYNC_MS);
        let for_long = |since: &mut Option<Moment>, holds: bool, long: Duration| {
            *since = since.or(Some(now)).filter(|_| holds);
            since.is_some_and(|since| now.since(since) >= long)
        };
        let slow = for_long(&mut self.slow_since, wanted.sync_ms > present, SLOW);
        let calm = for_long(&mut self.calm_since, wanted.sync_ms < present, CALM);
        (slow || calm).then_some(Command::Paced { pace: wanted })
    }
}

/// To the newest level that all nodes and members speak. A member that has never had a session has not said what it
/// speaks, and is waited for.
fn raise_level(state: &State, members: &[NodeId]) -> Option<Command> {
    let spoken = members.iter().map(|id| state.find_node(*id).map_or(0, |node| node.facts.feature));
    let level = state.nodes().map(|node| node.facts.feature).chain(spoken).chain([LEVEL]).min()?;
    (level > state.level()).then_some(Command::LevelRaised { level })
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
    pub async fn renew(&self, renewal: Renewal, sync_ms: Option<u32>) -> Granted {
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
        let condemned = heard.condemned.contains(&renewal.session);
        if !open || condemned && !mutant::is(Mutant::RenewsCondemned) {
            return Granted::No;
        }
        let fresh = Session::heard(now);
        let suspect = self.timing.suspect;
        let session = heard.sessions.entry(renewal.session).or_insert(fresh);
        if now.since(session.last) >= suspect {
            session.good_since = now;
        }
        session.last = now;
        session.sync_ms = sync_ms.or(session.sync_ms);
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
        let (term, log) = {
            let metrics = self.raft.metrics();
            let metrics = metrics.borrow_watched();
            (metrics.current_term, metrics.last_log_index)
        };
        let leads = self.raft.is_leader();
        let mut heard = self.heard();
        match heard.reign {
            Some((reign, ..)) if leads && reign == term => Some(term),
            Some(_) | None if leads => {
                *heard = Heard { reign: Some((term, clock::now(), log)), ..Heard::default() };
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
        let (members, voters) = self.members();
        let state = self.machine.state();
        let mut heard = self.heard();
        let Some((_, since, log)) = heard.reign else { return Vec::new() };
        if Some(*self.machine.applied().borrow()) < log {
            // What was agreed on before this reign (a longer lease, who is away) is not known yet.
            return Vec::new();
        }
        let timing = self.timing.paced(state.pace());
        let mut due = Vec::new();
        for node in state.nodes().filter(|node| node.is_open()) {
            let session = node.session_id();
            // Who was never heard of has the full wait from when it is first seen: from the beginning of the reign, which
            // is looked at at once, or, for a session that was opened since, from now.
            let known = heard.sessions.entry(session).or_insert(Session::heard(now));
            let away = state.away_ms(session);
            known.note_away(away.is_some(), now);
            let known = *known;
            let silent = now.since(known.last);
            let lost_after = away.map_or(timing.lost_after(), |grace_ms| {
                timing.lost_after_acting_for(Duration::from_millis(grace_ms)).max(timing.lost_after())
            });
            let lags = known.lagging_since.is_some_and(|from| now.since(from) >= self.timing.suspect);
            let early = mutant::is(Mutant::DeclaresLostEarly) && silent >= self.timing.suspect;
            if early || silent >= lost_after && now.since(since) >= lost_after {
                heard.condemned.insert(session);
                due.push(Command::NodeLost { session });
            } else if away.is_some() {
                // It said so: nothing is claimed for it, and nothing moves.
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
        due.extend(raise_level(&state, &members));
        due.extend(heard.pace(&state, &voters, now));
        let forget = state.forgettable_requests(clock::wall_ms(), REQUESTS_KEPT + REQUESTS_SPARE);
        if forget.is_some()
            && let Some(up_to) = state.forgettable_requests(clock::wall_ms(), REQUESTS_KEPT)
        {
            due.push(Command::ForgetRequests { up_to });
        }
        due
    }

    /// All members, and those of them that vote.
    fn members(&self) -> (Vec<NodeId>, Vec<NodeId>) {
        use openraft::async_runtime::WatchReceiver;
        let metrics = self.raft.metrics();
        let membership = metrics.borrow_watched().membership_config.clone();
        let membership = membership.membership();
        (membership.nodes().map(|(id, _)| *id).collect(), membership.voter_ids().collect())
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use pinode_scheduler::Entry;
    use pinode_scheduler::node::{Capacity, NodeFacts, Start};

    use super::*;

    fn open(node: NodeId, feature: u16) -> Command {
        let facts = NodeFacts {
            name: format!("n{node}"),
            api: String::new(),
            peer: String::new(),
            boot_id: String::new(),
            start: Start { count: 1, mark: 1 },
            capacity: Capacity::default(),
            labels: BTreeMap::new(),
            shared_id: None,
            feature,
            engine: String::new(),
        };
        Command::SessionOpened { session: SessionId { node, number: 1 }, facts }
    }

    fn state(commands: Vec<Command>) -> State {
        let mut state = State::default();
        for (index, command) in (1..).zip(commands) {
            drop(state.apply(index, &Entry { at_ms: 0, command }));
        }
        state
    }

    /// Renewals that say how long a sync takes.
    fn heard(sync_ms: &[(NodeId, u32)], now: Moment) -> Heard {
        let said = |(node, sync_ms): &(NodeId, u32)| {
            let session = Session { sync_ms: Some(*sync_ms), ..Session::heard(now) };
            (SessionId { node: *node, number: 1 }, session)
        };
        Heard { sessions: sync_ms.iter().map(said).collect(), ..Heard::default() }
    }

    #[test]
    fn the_level_is_raised_when_every_member_has_said_that_it_speaks_it() {
        let two = state(vec![open(1, LEVEL), open(2, LEVEL)]);
        assert_eq!(raise_level(&two, &[1, 2]), Some(Command::LevelRaised { level: LEVEL }));
        assert_eq!(raise_level(&two, &[1, 2, 3]), None, "a member that never had a session");
        assert_eq!(raise_level(&state(vec![open(1, LEVEL), open(2, 1)]), &[1, 2]), None);
        let raised = state(vec![open(1, LEVEL), Command::LevelRaised { level: LEVEL }]);
        assert_eq!(raise_level(&raised, &[1]), None);
    }

    #[test]
    fn a_cluster_is_as_slow_as_its_slowest_voter_and_fast_again_after_a_while() {
        let now = crate::clock::now();
        let all = vec![open(1, LEVEL), open(2, LEVEL), Command::LevelRaised { level: LEVEL }];
        let fast = state(all.clone());
        assert_eq!(heard(&[(1, 3), (2, 2)], now).pace(&fast, &[1, 2], now), None);
        let mut worse = heard(&[(1, 3), (2, 290)], now);
        assert_eq!(worse.pace(&fast, &[1, 2], now), None, "it may be a hiccup");
        assert_eq!(worse.pace(&fast, &[1], now + SLOW), None, "a learner elects nobody");
        assert_eq!(worse.pace(&fast, &[1, 2], now + SLOW), None, "it begins anew");
        let slower = worse.pace(&fast, &[1, 2], now + SLOW + SLOW);
        assert_eq!(slower, Some(Command::Paced { pace: pace_of(290) }));
        let slow = state(all.into_iter().chain(slower).collect());
        let mut better = heard(&[(1, 3), (2, 4)], now);
        assert_eq!(better.pace(&slow, &[1, 2], now), None);
        assert_eq!(better.pace(&slow, &[1, 2], now + CALM), Some(Command::Paced { pace: pace_of(4) }));
    }

    #[test]
    fn who_is_back_from_a_long_time_away_was_heard_of_when_it_said_so() {
        let left = crate::clock::now();
        let mut session = Session::heard(left);
        session.note_away(true, left + SLOW);
        assert_eq!(session.last, left + SLOW);
        session.note_away(true, left + CALM);
        assert_eq!(session.last, left + SLOW, "away it says nothing");
        session.note_away(false, left + CALM);
        assert_eq!(session.last, left + CALM);
    }

    #[test]
    fn a_cluster_that_does_not_know_paces_has_none() {
        let now = crate::clock::now();
        let old = state(vec![open(1, LEVEL)]);
        assert_eq!(heard(&[(1, 290)], now).pace(&old, &[1], now), None);
    }
}
