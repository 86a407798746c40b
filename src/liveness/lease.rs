//! The node's side: authority is counted from before the renewal was sent.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pinode_raft::Machine;
use pinode_scheduler::SessionId;
use tokio::sync::watch;
use tokio::time::sleep;

use super::Timing;
use crate::clock::{self, Moment};
use crate::propose::Proposer;
use crate::transport::wire::{Answer, Ask, Granted, Renewal};

/// A container is started only with so much of the lease left.
const START_NEEDS: Duration = Duration::from_secs(3);

/// How long this node may act.
#[derive(Debug)]
pub struct Lease {
    timing: Timing,
    inner: Mutex<Option<Moment>>,
    lapsed: watch::Sender<bool>,
}

impl Lease {
    /// No authority yet.
    pub fn new(timing: Timing) -> Arc<Lease> {
        Arc::new(Lease { timing, inner: Mutex::new(None), lapsed: watch::Sender::new(true) })
    }

    /// Whether a container may be started now.
    pub fn may_start(&self) -> bool {
        let needed = START_NEEDS.min(self.timing.lease / 3);
        self.remaining() > needed
    }

    /// Authority left.
    pub fn remaining(&self) -> Duration {
        let until = *self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        until.map_or(Duration::ZERO, |until| clock::now().until(until))
    }

    /// True while there is no authority.
    pub fn lapsed(&self) -> watch::Receiver<bool> {
        self.lapsed.subscribe()
    }

    fn renewed(&self, sent: Moment) {
        let until = sent + self.timing.lease;
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        *inner = Some(inner.map_or(until, |before| before.max(until)));
        drop(inner);
        self.lapsed.send_if_modified(|lapsed| std::mem::replace(lapsed, false));
    }

    fn check(&self) {
        if self.remaining().is_zero() {
            self.lapsed.send_if_modified(|lapsed| !std::mem::replace(lapsed, true));
        }
    }

    fn revoke(&self) {
        *self.inner.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.check();
    }
}

/// Renews `session` until it is denied. Returns then: the session is lost, and everything it started must be dead
/// before the next one is opened.
pub async fn keep_renewing(lease: &Lease, proposer: &Proposer, machine: &Machine, session: SessionId, keeper: &super::Keeper) {
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

async fn renew(proposer: &Proposer, renewal: Renewal, keeper: &super::Keeper) -> Granted {
    match proposer.leader().await {
        None => Granted::NotLeader,
        Some(leader) if leader == keeper.me() => keeper.renew(renewal).await,
        Some(leader) => match proposer.ask(leader, &Ask::Renew(renewal)).await {
            Some(Answer::Renewed(granted)) => granted,
            Some(_) | None => Granted::NotLeader,
        },
    }
}
