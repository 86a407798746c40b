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
}

impl Lease {
    /// No authority yet. What an earlier process of this session started is left running for one lease.
    pub fn new(timing: Timing) -> Arc<Lease> {
        let until = Until { authority: None, patience: clock::now() + timing.lease };
        Arc::new(Lease { timing, until: Mutex::new(until), lapsed: watch::Sender::new(false) })
    }

    /// Authority left.
    pub fn remaining(&self) -> Duration {
        self.until().authority.map_or(Duration::ZERO, |until| clock::now().until(until))
    }

    fn renewed(&self, sent: Moment) {
        let fresh = sent + self.timing.lease;
        let mut until = self.until();
        until.authority = Some(until.authority.map_or(fresh, |before| before.max(fresh)));
        drop(until);
        self.lapsed.send_if_modified(|lapsed| std::mem::replace(lapsed, false));
    }

    /// Fences if it is time.
    fn check(&self) {
        let patience = self.until().patience;
        if self.remaining().is_zero() && clock::now() >= patience {
            self.lapsed.send_if_modified(|lapsed| !std::mem::replace(lapsed, true));
        }
    }

    /// The session is lost: everything fenced must be dead.
    fn revoke(&self) {
        *self.until() = Until { authority: None, patience: clock::now() };
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
        lease.check();
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
