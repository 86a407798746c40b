//! The orderly way out. There is no guard yet that would fence containers after this process: those that may run again
//! elsewhere are stopped here, or two attempts of one could overlap.

use std::time::Duration;

use anyhow::Context;
use pinode_scheduler::node::Ailment;
use pinode_scheduler::{Command, Duty, owed};
use tokio::time::timeout;

use super::Node;
use super::silence::{Spare, silence};
use crate::agent::Agent;
use crate::members;

/// So long for the others to hear that nothing more is to be claimed here.
const SAY_SO: Duration = Duration::from_secs(1);
/// So long for another node to take over the lead.
const HAND_OVER: Duration = Duration::from_secs(2);
/// So long for the ends of what was stopped to be committed; else they are told at the next start.
const REPORT: Duration = Duration::from_secs(3);

/// So long for the engine to be silenced by a node that cannot go on.
const FALL_SILENT: Duration = Duration::from_secs(5);

impl Node {
    /// The way out of a node that cannot go on, and perhaps never comes back: what may run elsewhere must not go on here.
    pub(super) async fn fall_silent(&self, agent: &Agent) {
        self.lease.give_up();
        match timeout(FALL_SILENT, silence(agent, &self.machine, Spare::NeverRerun)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "containers may go on here that run elsewhere too"),
            Err(_) => tracing::error!("containers may go on here that run elsewhere too: the engine is slow"),
        }
    }

    /// Says so, hands the lead over, ends what must not outlive this process, and closes the log.
    pub(super) async fn leave(&self, agent: &Agent) -> anyhow::Result<()> {
        self.claim_no_more().await;
        if !members::hand_over(&self.raft, HAND_OVER).await {
            tracing::warn!("nobody took the lead over in time");
        }
        self.lease.give_up();
        let spare = if self.config.stop_containers { Spare::Nothing } else { Spare::NeverRerun };
        silence(agent, &self.machine, spare).await.context("stop the containers")?;
        if timeout(REPORT, self.until_ends_are_told(spare)).await.is_err() {
            tracing::warn!("the ends of some containers will be told at the next start");
        }
        self.raft.shutdown().await.context("stop raft")?;
        self.log.close().await.context("close the log")?;
        Ok(())
    }

    /// So that what is stopped here is claimed by others at once, and not again by this node. Without a majority nothing
    /// is claimed by anybody.
    async fn claim_no_more(&self) {
        let Some(session) = *self.session.borrow() else { return };
        let problem = Some("it is being stopped".to_owned());
        let leaving = Command::NodeCondition { session, ailment: Ailment::Leaving, problem };
        if let Err(error) = self.proposer.propose(leaving, SAY_SO).await {
            tracing::warn!(%error, "nobody heard that this node leaves");
        }
    }

    async fn until_ends_are_told(&self, spare: Spare) {
        let me = self.identity.node();
        let mut applied = self.machine.applied();
        while owed(&self.machine.state(), me).values().any(|duty| is_open(duty, spare)) {
            if applied.changed().await.is_err() {
                return;
            }
        }
    }
}

/// An attempt that was stopped on the way out, and whose end the log does not know yet.
fn is_open(duty: &Duty, spare: Spare) -> bool {
    match duty {
        Duty::Run(work) | Duty::Stop(work, _) | Duty::Resolve(work) => work.fenced || spare == Spare::Nothing,
        Duty::Remove { .. } | Duty::Keep { .. } => false,
    }
}
