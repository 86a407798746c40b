//! The ways out. An orderly one says that the node is away for a while and leaves a guard behind; or ends what must not
//! go on, and says that.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use pinode_raft::identity::family;
use pinode_scheduler::later::LEVEL_AWAY;
use pinode_scheduler::node::Ailment;
use pinode_scheduler::spec::Rerun;
use pinode_scheduler::{Command, ContainerId, Duty, Reply, SessionId, owed};
use tokio::process::Command as Program;
use tokio::time::timeout;

use super::Node;
use crate::agent::{Agent, reset};
use crate::guard::{self, Force, Plan};
use crate::{clock, members};

/// So long for the others to hear that nothing more is to be claimed here.
const SAY_SO: Duration = Duration::from_secs(2);
/// So long for another node to take over the lead.
const HAND_OVER: Duration = Duration::from_secs(2);
/// So long for the ends of what was stopped to be committed; else they are told at the next start.
const REPORT: Duration = Duration::from_secs(3);
/// So long for the engine to be silenced by a node that cannot go on.
const FALL_SILENT: Duration = Duration::from_secs(5);
/// So long for systemd to say whether the machine goes down.
const ASK_SYSTEMD: Duration = Duration::from_secs(1);

/// What may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spare {
    /// Nothing.
    Nothing,
    /// What the cluster never runs a second time, and what therefore cannot overlap with anything.
    NeverRerun,
}

impl Node {
    /// The way out of a node that cannot go on, and perhaps never comes back: what may run elsewhere must not go on here.
    pub(super) async fn fall_silent(&self, agent: &Agent) {
        self.lease.give_up();
        let spared = |id| never_reruns(&self.machine, id);
        match timeout(FALL_SILENT, agent.silence(&spared)).await {
            Ok(Ok(())) => self.needs_no_watchdog(),
            Ok(Err(error)) => tracing::error!(%error, "containers may go on here that run elsewhere too"),
            Err(_) => tracing::error!("containers may go on here that run elsewhere too: the engine is slow"),
        }
    }

    /// Says so, hands the lead over, leaves a guard behind or ends what must not outlive this process, and closes the
    /// log.
    pub(super) async fn leave(&self, agent: &Agent) -> anyhow::Result<()> {
        self.leaving.send_replace(true);
        let stays = self.config.stop_containers || machine_goes_down().await;
        let away = if stays { None } else { self.go_away(agent).await };
        if away.is_none() {
            self.claim_no_more().await;
        }
        if !members::hand_over(&self.raft, HAND_OVER).await {
            tracing::warn!("nobody took the lead over in time");
        }
        if away.is_none() {
            let spare = if stays { Spare::Nothing } else { Spare::NeverRerun };
            self.stop_containers(agent, spare).await?;
        }
        self.raft.shutdown().await.context("stop raft")?;
        self.log.close().await.context("close the log")?;
        Ok(())
    }

    /// Leaves with a guard behind, if the cluster agrees. None if it does not, and nothing is guarded then.
    async fn go_away(&self, agent: &Agent) -> Option<()> {
        let session = (*self.session.borrow())?;
        match self.under_guard(agent, session).await {
            Ok(()) => Some(()),
            Err(error) => {
                tracing::warn!(error = %format_args!("{error:#}"), "cannot leave containers running; stopping them");
                if let Err(error) = Plan::remove(&self.config.data_dir) {
                    tracing::error!(%error, "send the guard home");
                }
                None
            }
        }
    }

    /// The guard first: from the moment that the cluster waits for the grace, somebody watches its end. Until then the
    /// lease is what is good.
    async fn under_guard(&self, agent: &Agent, session: SessionId) -> anyhow::Result<()> {
        ensure!(self.machine.state().level() >= LEVEL_AWAY, "not all nodes know yet what that means");
        let began = clock::now();
        let leased = self.lease.end_of_authority().context("the lease has run out")?;
        let (spared, force) = self.at_the_end(agent);
        let plan = Plan {
            mark: format!("{:016x}", crate::random::number()?),
            boot: self.boot.clone(),
            until: leased,
            agreed: false,
            cluster: self.identity.cluster().map(|id| crate::http::hex(family(&id))).unwrap_or_default(),
            docker_host: self.config.docker_host.clone(),
            spared,
            force,
        };
        let dir: &Path = &self.config.data_dir;
        guard::post(dir, &plan).await?;
        let grace = self.config.away;
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        let reply = self.proposer.propose(Command::Away { session, grace_ms }, SAY_SO).await?;
        ensure!(reply == Reply::Done, "the cluster does not wait for this session: {reply:?}");
        self.lease.hand_to_guard(began + grace);
        // Of what was started meanwhile too; from here on nothing is.
        let (spared, force) = self.at_the_end(agent);
        Plan { until: (began + grace).max(leased), agreed: true, spared, force, ..plan }.write(dir)?;
        self.needs_no_watchdog();
        tracing::info!(seconds = grace.as_secs(), "away; containers go on under a guard");
        Ok(())
    }

    fn never_rerun(&self) -> BTreeSet<ContainerId> {
        let state = self.machine.state();
        let mine = owed(&state, self.identity.node());
        let never =
            |id: &ContainerId| state.find_container(*id).is_some_and(|c| c.spec.rerun == Rerun::Never);
        mine.into_keys().map(|(id, _)| id).filter(never).collect()
    }

    /// What may go on when the time is up, and what is done about an engine that does not end the rest.
    fn at_the_end(&self, agent: &Agent) -> (BTreeSet<ContainerId>, Option<Force>) {
        let spared = self.never_rerun();
        let force = self.config.fence_engine.clone().map(|pid_file| Force {
            kill: self.config.timing.kill,
            pid_file,
            known: reset::known(agent, &|id| spared.contains(&id)),
        });
        (spared, force)
    }

    /// Nothing runs here that must end, or a guard sees to it.
    fn needs_no_watchdog(&self) {
        if let Some(watchdog) = self.watchdog.get() {
            watchdog.disarm();
        }
    }

    async fn stop_containers(&self, agent: &Agent, spare: Spare) -> anyhow::Result<()> {
        self.lease.give_up();
        let spared = |id| spare == Spare::NeverRerun && never_reruns(&self.machine, id);
        agent.silence(&spared).await.context("stop the containers")?;
        self.needs_no_watchdog();
        if timeout(REPORT, self.until_ends_are_told(spare)).await.is_err() {
            tracing::warn!("the ends of some containers will be told at the next start");
        }
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

/// What the state does not know, yet or any more, is not spared: the careful answer.
pub(super) fn never_reruns(machine: &pinode_raft::Machine, id: ContainerId) -> bool {
    machine.state().find_container(id).is_some_and(|container| container.spec.rerun == Rerun::Never)
}

/// An attempt that was stopped on the way out, and whose end the log does not know yet.
fn is_open(duty: &Duty, spare: Spare) -> bool {
    match duty {
        Duty::Run(work) | Duty::Stop(work, _) | Duty::Resolve(work) => work.fenced || spare == Spare::Nothing,
        Duty::Remove { .. } | Duty::Keep { .. } => false,
    }
}

/// Whether systemd stops this process because it stops everything: then nothing goes on, and nobody should wait for it.
async fn machine_goes_down() -> bool {
    if !Path::new("/run/systemd/system").exists() {
        return false;
    }
    let asked = Program::new("systemctl").arg("is-system-running").output();
    matches!(timeout(ASK_SYSTEMD, asked).await, Ok(Ok(said)) if said.stdout.starts_with(b"stopping"))
}
