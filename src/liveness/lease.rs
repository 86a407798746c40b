//! The node's side: authority is counted from before the renewal was sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pinode_raft::Machine;
use pinode_scheduler::SessionId;
use tokio::sync::watch;
use tokio::time::sleep;

use super::{Keeper, Timing};
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
}

#[derive(Clone, Copy, Debug)]
struct Until {
    /// End of the authority.
    authority: Option<Moment>,
    /// Before this a process that just started fences nothing: its session may still live.
    patience: Moment,
    /// This process acts no more, whatever is granted.
    given_up: bool,
}

impl Lease {
    /// No authority yet. What an earlier process of this session started is left running for one lease.
    pub fn new(timing: Timing) -> Arc<Lease> {
        let until = Until { authority: None, patience: clock::now() + timing.lease, given_up: false };
        Arc::new(Lease { timing, until: Mutex::new(until), lapsed: watch::Sender::new(false) })
    }

    /// Authority left.
    pub fn remaining(&self) -> Duration {
        self.until().authority.map_or(Duration::ZERO, |until| clock::now().until(until))
    }

    fn renewed(&self, sent: Moment) {
        let fresh = sent + self.timing.lease;
        let mut until = self.until();
        if until.given_up {
            return;
        }
        until.authority = Some(until.authority.map_or(fresh, |before| before.max(fresh)));
        self.lapsed.send_if_modified(|lapsed| std::mem::replace(lapsed, false));
        drop(until);
    }

    /// Fences if it is time. Decided and said under one lock, so that no renewal comes between the two.
    fn check(&self) {
        let until = self.until();
        let now = clock::now();
        if until.authority.is_none_or(|authority| now >= authority) && now >= until.patience {
            self.lapsed.send_if_modified(|lapsed| !std::mem::replace(lapsed, true));
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
    fn may_start(&self) -> bool {
        self.remaining() > START_NEEDS.min(self.timing.lease / 3)
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
) {
    loop {
        let sent = clock::now();
        let applied = machine.last_applied().map_or(0, |id| id.index);
        let renewal = Renewal { session, applied };
        match renew(proposer, renewal, keeper).await {
            Granted::Yes => lease.renewed(sent),
            Granted::No => {
                lease.revoke();
                return;
            }
            Granted::NotLeader => {}
        }
        let pause = lease.timing.renew_every();
        let taken = clock::now().since(sent);
        // An unanswered renewal is tried again sooner: an election takes less than a renewal's pause.
        let wait = if lease.remaining() + pause < lease.timing.lease { pause / 4 } else { pause };
        sleep(wait.saturating_sub(taken).max(Duration::from_millis(20))).await;
    }
}

async fn renew(proposer: &Proposer, renewal: Renewal, keeper: &Keeper) -> Granted {
    match proposer.leader().await {
        None => Granted::NotLeader,
        Some(leader) if leader == keeper.me() => keeper.renew(renewal).await,
        Some(leader) => match proposer.ask(leader, &Ask::Renew(renewal)).await {
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
        let lease = Lease::new(Timing::scaled(SHORT));
        lease.check();
        assert!(!*lease.fenced().borrow());
        assert!(fences(&lease).await);
    }

    #[tokio::test]
    async fn a_lease_that_is_not_renewed_fences_while_its_renewal_still_waits_for_an_answer() {
        let lease = Lease::new(Timing::scaled(SHORT));
        lease.renewed(clock::now());
        assert!(lease.may_start());
        assert!(fences(&lease).await);
    }

    #[test]
    fn a_renewal_lifts_the_fence() {
        let lease = Lease::new(Timing::scaled(SHORT));
        lease.revoke();
        assert!(*lease.fenced().borrow());
        lease.renewed(clock::now());
        assert!(!*lease.fenced().borrow() && lease.may_start());
    }

    #[test]
    fn who_has_given_up_is_not_brought_back_by_a_late_renewal() {
        let lease = Lease::new(Timing::scaled(SHORT));
        lease.renewed(clock::now());
        lease.give_up();
        lease.renewed(clock::now());
        lease.revoke();
        lease.renewed(clock::now());
        assert!(*lease.fenced().borrow() && !lease.may_start());
    }
}
