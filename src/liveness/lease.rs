//! The node's side: authority is counted from before the renewal was sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pinode_raft::Machine;
use pinode_scheduler::SessionId;
use pinode_scheduler::later::LEVEL_PACE;
use tokio::sync::watch;
use tokio::time::sleep;

use super::{Keeper, Record, Timing};
use crate::agent::Authority;
use crate::clock::{self, Moment};
use crate::propose::Proposer;
use crate::transport::wire::{Answer, Ask, Granted, Renewal};

/// A container is started only with so much of the lease left.
const START_NEEDS: Duration = Duration::from_secs(3);
/// Shortest pause between two looks at the clock.
const LOOK: Duration = Duration::from_millis(20);

/// How long this node may act.
#[derive(Debug)]
pub struct Lease {
    timing: Timing,
    until: Mutex<Until>,
    lapsed: watch::Sender<bool>,
    record: Record,
}

#[derive(Clone, Copy, Debug)]
struct Until {
    /// Whose authority it is, and its end.
    authority: Option<(SessionId, Moment)>,
    /// Before this a process that just started fences nothing: its session may still live.
    patience: Moment,
    /// This process acts no more, whatever is granted.
    given_up: bool,
}

impl Lease {
    /// No authority yet. What an earlier process of this session started is left running until `patience`, or for one
    /// lease where that process has not said how long it could act.
    pub fn new(timing: Timing, record: Record, patience: Option<Moment>) -> Arc<Lease> {
        let patience = patience.unwrap_or_else(|| clock::now() + timing.lease);
        let until = Until { authority: None, patience, given_up: false };
        Arc::new(Lease { timing, until: Mutex::new(until), lapsed: watch::Sender::new(false), record })
    }

    /// Authority left.
    pub fn remaining(&self) -> Duration {
        self.until().authority.map_or(Duration::ZERO, |(_, until)| clock::now().until(until))
    }

    /// The end of the authority; none if there is none.
    pub fn end_of_authority(&self) -> Option<Moment> {
        self.until().authority.map(|(_, until)| until)
    }

    /// Whether it is held, or has run out so recently that what is fenced may still be dying.
    pub fn is_held_or_over_for_less_than(&self, time: Duration) -> bool {
        let until = *self.until();
        let end = until.authority.map_or(until.patience, |(_, end)| end.max(until.patience));
        clock::now() < end + time
    }

    /// `length` is the lease that the cluster's pace asks for.
    fn renewed(&self, session: SessionId, sent: Moment, length: Duration) {
        let fresh = sent + length;
        let mut until = self.until();
        if until.given_up {
            return;
        }
        let before = until.authority.filter(|(of, _)| *of == session).map(|(_, end)| end);
        let end = before.map_or(fresh, |before| before.max(fresh));
        until.authority = Some((session, end));
        self.record.write(end);
        self.lapsed.send_if_modified(|lapsed| std::mem::replace(lapsed, false));
        drop(until);
    }

    /// Before the cluster hears that the node is back from being away, and waits for it no longer than for any other from
    /// then on. Called once more, it gives no more time: the first word may have been heard.
    pub fn says_that_it_is_back(&self, length: Duration) {
        let mut until = self.until();
        until.patience = until.patience.min(clock::now() + length);
    }

    /// Fences if it is time. Decided and said under one lock, so that no renewal comes between the two.
    fn check(&self) {
        let until = self.until();
        let now = clock::now();
        let over = until.authority.is_none_or(|(_, end)| now >= end) && now >= until.patience;
        if over && self.lapsed.send_if_modified(|lapsed| !std::mem::replace(lapsed, true)) {
            tracing::warn!("no lease: what may run elsewhere is stopped here");
        }
        drop(until);
    }

    /// Fences when it is time, whoever else waits for what. Never returns.
    pub async fn watch(&self) {
        loop {
            self.check();
            let left = self.remaining().max(clock::now().until(self.until().patience));
            // Bounded, because a sleep does not count the time that the machine itself sleeps.
            sleep(left.clamp(LOOK, self.timing.renew_every())).await;
        }
    }

    /// The session is lost: everything fenced must be dead.
    fn revoke(&self) {
        self.end(false);
    }

    /// The process ends: nothing is started any more, and everything fenced must be dead.
    pub fn give_up(&self) {
        self.end(true);
    }

    /// The process ends, and what it started goes on under a guard until `until`: nothing is started any more, and
    /// nothing is fenced by this process.
    pub fn hand_to_guard(&self, until: Moment) {
        *self.until() = Until { authority: None, patience: until, given_up: true };
    }

    /// Whether this process acts no more.
    pub fn is_given_up(&self) -> bool {
        self.until().given_up
    }

    fn end(&self, for_good: bool) {
        let mut until = self.until();
        let given_up = until.given_up || for_good;
        *until = Until { authority: None, patience: clock::now(), given_up };
        drop(until);
        self.check();
    }

    fn until(&self) -> MutexGuard<'_, Until> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Authority for Lease {
    fn may_start(&self, session: SessionId) -> bool {
        let until = self.until().authority.filter(|(of, _)| *of == session).map(|(_, until)| until);
        until.is_some_and(|until| clock::now().until(until) > START_NEEDS.min(self.timing.lease / 3))
    }

    fn fenced(&self) -> watch::Receiver<bool> {
        self.lapsed.subscribe()
    }
}

/// Renews `session` until it is denied. Returns then: the session is lost, and everything it started must be dead
/// before the next one is opened.
pub async fn keep_renewing(
    lease: &Lease,
    proposer: &Proposer,
    machine: &Machine,
    session: SessionId,
    keeper: &Keeper,
    sync: impl Fn() -> Option<Duration>,
) {
    loop {
        let sent = clock::now();
        let applied = machine.last_applied().map_or(0, |id| id.index);
        let renewal = Renewal { session, applied };
        // Before it is sent: who grants it has applied at least as much as this node had then, and waits as long.
        let (timing, speaks) = {
            let state = machine.state();
            (lease.timing.paced(state.pace()), state.level() >= LEVEL_PACE)
        };
        let sync_ms =
            sync().filter(|_| speaks).map(|sync| u32::try_from(sync.as_millis()).unwrap_or(u32::MAX));
        match renew(proposer, renewal, sync_ms, keeper).await {
            Granted::Yes => lease.renewed(session, sent, timing.lease),
            Granted::No => {
                lease.revoke();
                return;
            }
            Granted::NotLeader => {}
        }
        let pause = lease.timing.renew_every();
        let taken = clock::now().since(sent);
        // An unanswered renewal is tried again sooner: an election takes less than a renewal's pause.
        let wait = if lease.remaining() + pause < timing.lease { pause / 4 } else { pause };
        sleep(wait.saturating_sub(taken).max(Duration::from_millis(20))).await;
    }
}

async fn renew(proposer: &Proposer, renewal: Renewal, sync_ms: Option<u32>, keeper: &Keeper) -> Granted {
    let ask = sync_ms.map_or(Ask::Renew(renewal), |sync_ms| Ask::RenewMeasured { renewal, sync_ms });
    match proposer.leader().await {
        None => Granted::NotLeader,
        Some(leader) if leader == keeper.me() => keeper.renew(renewal, sync_ms).await,
        Some(leader) => match proposer.ask(leader, &ask).await {
            Some(Answer::Renewed(granted)) => granted,
            Some(_) | None => Granted::NotLeader,
        },
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const SHORT: Duration = Duration::from_millis(200);
    const SESSION: SessionId = SessionId { node: 1, number: 2 };

    fn lease() -> Arc<Lease> {
        Lease::new(Timing::scaled(SHORT), Record::nowhere(), None)
    }

    /// Whether it fences within five leases, when nothing but `watch` looks at the clock.
    async fn fences(lease: &Lease) -> bool {
        let mut fenced = lease.fenced();
        let fenced = async { fenced.wait_for(|fenced| *fenced).await.is_ok() };
        let within = timeout(SHORT * 5, fenced);
        tokio::select! {
            () = lease.watch() => false,
            fenced = within => fenced.unwrap_or(false),
        }
    }

    #[tokio::test]
    async fn a_process_that_never_hears_from_a_quorum_fences_after_one_lease() {
        let lease = lease();
        lease.check();
        assert!(!*lease.fenced().borrow());
        assert!(fences(&lease).await);
    }

    #[tokio::test]
    async fn a_lease_that_is_not_renewed_fences_while_its_renewal_still_waits_for_an_answer() {
        let lease = lease();
        lease.renewed(SESSION, clock::now(), SHORT);
        assert!(lease.may_start(SESSION));
        assert!(fences(&lease).await);
    }

    #[test]
    fn a_renewal_lifts_the_fence() {
        let lease = lease();
        lease.revoke();
        assert!(*lease.fenced().borrow());
        lease.renewed(SESSION, clock::now(), SHORT);
        assert!(!*lease.fenced().borrow() && lease.may_start(SESSION));
    }

    #[test]
    fn who_has_given_up_is_not_brought_back_by_a_late_renewal() {
        let lease = lease();
        lease.renewed(SESSION, clock::now(), SHORT);
        lease.give_up();
        lease.renewed(SESSION, clock::now(), SHORT);
        lease.revoke();
        lease.renewed(SESSION, clock::now(), SHORT);
        assert!(*lease.fenced().borrow() && !lease.may_start(SESSION));
    }

    #[test]
    fn a_lease_is_of_one_session_and_no_claim_of_another_starts_under_it() {
        let lease = lease();
        lease.renewed(SESSION, clock::now(), SHORT);
        assert!(lease.may_start(SESSION) && !lease.may_start(SessionId { number: 1, ..SESSION }));
        lease.renewed(SessionId { number: 3, ..SESSION }, clock::now(), SHORT / 8);
        assert!(!lease.may_start(SESSION), "the end of an earlier session's lease is not the later one's");
    }

    #[tokio::test]
    async fn what_a_dead_process_left_is_fenced_when_its_own_lease_ends_and_not_a_lease_later() {
        let over = Lease::new(Timing::scaled(SHORT * 100), Record::nowhere(), Some(clock::now()));
        assert!(fences(&over).await);
    }

    #[tokio::test]
    async fn who_is_back_before_its_grace_is_over_is_fenced_when_its_lease_is() {
        let back = || Lease::new(Timing::scaled(SHORT), Record::nowhere(), Some(clock::now() + SHORT * 1000));
        let renewed = back();
        renewed.says_that_it_is_back(SHORT);
        renewed.renewed(SESSION, clock::now(), SHORT);
        assert!(fences(&renewed).await);
        let never_renewed = back();
        never_renewed.says_that_it_is_back(SHORT);
        never_renewed.says_that_it_is_back(SHORT * 1000);
        assert!(fences(&never_renewed).await);
        assert!(!fences(&back()).await, "before it has said so");
    }

    #[tokio::test]
    async fn what_goes_on_under_a_guard_is_not_fenced_by_the_process_that_leaves() {
        let lease = lease();
        lease.renewed(SESSION, clock::now(), SHORT);
        lease.hand_to_guard(clock::now() + SHORT * 1000);
        assert!(lease.is_given_up() && !lease.may_start(SESSION));
        assert!(!fences(&lease).await);
    }

    #[test]
    fn a_watchdog_waits_for_what_dies_after_the_lease_and_no_longer() {
        let lease = Lease::new(Timing::scaled(SHORT), Record::nowhere(), Some(clock::now()));
        assert!(lease.is_held_or_over_for_less_than(SHORT));
        assert!(!lease.is_held_or_over_for_less_than(Duration::ZERO));
    }
}
