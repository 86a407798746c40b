//! The loop of a node: the state changed, so what is owed now? Reports come back, so propose them until they are
//! committed. No decision is made here.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pinode_raft::Machine;
use pinode_raft::host::here;
use pinode_scheduler::mutant::{self, Mutant};
use pinode_scheduler::node::{Ailment, Image};
use pinode_scheduler::{Command, NodeId, SessionId, owed};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::agent::runtime::ContainerRuntime;
use crate::agent::{Agent, Report, What};
use crate::propose::{ProposeError, Proposer};

/// One try of a report; it is tried again for as long as the node lives.
const TRY: Duration = Duration::from_secs(10);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);
/// Attempts whose removal is reported in one entry at most.
const REMOVALS_MAX: usize = 256;
/// Removals are gathered for so long, because one entry can carry many.
const REMOVALS_GATHERED: Duration = Duration::from_millis(200);

/// The engine's images are looked at this often.
const IMAGES_EVERY: Duration = Duration::from_secs(10);

/// Keeps the agent in step with the state. Never returns.
pub async fn drive(machine: Machine, agent: Arc<Agent>, me: NodeId) {
    let mut applied = machine.applied();
    loop {
        let duties = owed(&machine.state(), me);
        agent.set_owed(duties);
        if applied.changed().await.is_err() {
            return;
        }
    }
}

/// Proposes reports until they are committed. Ends when the agent does.
pub async fn report(mut reports: mpsc::Receiver<Report>, proposer: Proposer, me: NodeId) {
    let (gather, removed) = mpsc::channel(REMOVALS_MAX);
    let removals = tokio::spawn(here(report_removals(removed, proposer.clone(), me)));
    while let Some(report) = reports.recv().await {
        match command(report.clone()) {
            Some(command) => {
                tokio::spawn(here(until_committed(command, proposer.clone())));
            }
            None if gather.send((report.container, report.attempt)).await.is_err() => break,
            None => {}
        }
    }
    removals.abort();
}

fn command(Report { container, attempt, session, what }: Report) -> Option<Command> {
    let session = session?;
    Some(match what {
        What::Preparing(what) => Command::Preparing { container, attempt, session, what },
        What::Started(started_at) => Command::Started { container, attempt, session, started_at },
        What::Healthy => Command::Healthy { container, attempt, session },
        What::Exited { outcome, started_at, finished_at, ran_ms } => {
            Command::Exited { container, attempt, session, outcome, started_at, finished_at, ran_ms }
        }
        What::Declined(reason) => Command::Declined { container, attempt, session, reason },
        What::Removed => return None,
    })
}

async fn report_removals(
    mut removed: mpsc::Receiver<(pinode_scheduler::ContainerId, u32)>,
    proposer: Proposer,
    node: NodeId,
) {
    while let Some(first) = removed.recv().await {
        sleep(REMOVALS_GATHERED).await;
        let mut attempts = BTreeSet::from([first]);
        while attempts.len() < REMOVALS_MAX
            && let Ok(next) = removed.try_recv()
        {
            attempts.insert(next);
        }
        until_committed(
            Command::Removed { node, attempts: attempts.into_iter().collect() },
            proposer.clone(),
        )
        .await;
    }
}

async fn until_committed(command: Command, proposer: Proposer) {
    loop {
        match proposer.propose(command.clone(), TRY).await {
            Ok(_) | Err(ProposeError::Stopped) => return,
            Err(error @ ProposeError::NoQuorum(_)) => {
                tracing::warn!(%error, "a report waits");
                if mutant::is(Mutant::DropsReports) {
                    return;
                }
                sleep(PAUSE).await;
            }
        }
    }
}

/// Says what ails the engine, one entry a change. Never returns while the agent lives.
pub async fn report_engine(
    mut engine: watch::Receiver<Option<String>>,
    session: watch::Receiver<Option<SessionId>>,
    proposer: Proposer,
) {
    /// An engine that is away for less is not worth an entry.
    const SETTLE: Duration = Duration::from_millis(1500);
    let mut said = None;
    loop {
        let now = engine.borrow_and_update().clone();
        if now.is_some() != said.is_some() {
            if now.is_some()
                && let Ok(changed) = timeout(SETTLE, engine.changed()).await
            {
                match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                }
            }
            let current = *session.borrow();
            if let Some(session) = current {
                let problem = now.clone();
                let condition = Command::NodeCondition { session, ailment: Ailment::Engine, problem };
                until_committed(condition, proposer.clone()).await;
            }
            said = now;
        }
        if engine.changed().await.is_err() {
            return;
        }
    }
}

/// Says which images the engine has, one entry a change and one a session. Never returns.
pub async fn report_images(
    engine: Arc<dyn ContainerRuntime>,
    mut session: watch::Receiver<Option<SessionId>>,
    proposer: Proposer,
) {
    let mut said: Option<(SessionId, Vec<Image>)> = None;
    loop {
        let current = *session.borrow_and_update();
        if let (Some(session), Ok(images)) = (current, engine.images().await) {
            let now = (session, images);
            if said.as_ref() != Some(&now) {
                let images = now.1.clone();
                until_committed(Command::Images { session, images }, proposer.clone()).await;
                said = Some(now);
            }
        }
        if let Ok(Err(_)) = timeout(IMAGES_EVERY, session.changed()).await {
            return;
        }
    }
}
