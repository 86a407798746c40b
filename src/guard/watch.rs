//! The guard's life: it looks at its plan until the plan is gone or the time is up.

use std::convert::Infallible;
use std::future::pending;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use pinode_raft::lock_folder;
use tokio::time::{sleep, timeout};

use super::{Force, Found, Plan, READY};
use crate::agent::docker::DockerEngine;
use crate::agent::reset::{LastResort, patience};
use crate::agent::runtime::ContainerRuntime;
use crate::agent::{Intents, Stage};
use crate::clock;

/// Between two looks at the plan; a node that is back waits for nobody.
const LOOK: Duration = Duration::from_millis(300);
/// Between two tries at an engine that does not do as it is told.
const AGAIN: Duration = Duration::from_millis(200);
/// So long an engine may take before the plan is looked at again.
const ROUND: Duration = Duration::from_secs(2);

/// Watches over what the node of this folder left, under the plan of this mark. Returns when there is nothing to watch
/// any more.
pub async fn watch(dir: &Path, mark: &str) -> anyhow::Result<()> {
    // Whoever ends the node's group of processes does not mean the guard. It fails for who leads one already.
    if let Err(error) = rustix::process::setsid() {
        tracing::debug!(%error, "lead a session");
    }
    let plan = Plan::read(dir).filter(|plan| plan.mark == mark).context("read the plan")?;
    let engine = DockerEngine::new(&plan.docker_host)?;
    anstream::println!("{READY}");
    watch_over(&engine, dir, plan).await;
    Ok(())
}

/// What is to be done now, by who did `before` until now. A plan that has become unreadable is as good as it was; one of
/// another guard is none.
fn current(dir: &Path, before: &Plan) -> Option<Plan> {
    match Plan::find(dir) {
        Found::Plan(plan) => Some(*plan).filter(|plan| plan.mark == before.mark),
        Found::Damaged => Some(before.clone()),
        Found::Nothing => None,
    }
}

/// Whether the time is up. The cluster may have agreed to more of it meanwhile, or the node be back.
fn is_up(dir: &Path, plan: &Plan) -> bool {
    current(dir, plan).is_some_and(|now| clock::now() >= now.until)
}

async fn watch_over(engine: &dyn ContainerRuntime, dir: &Path, mut plan: Plan) {
    while let Some(now) = current(dir, &plan) {
        plan = now;
        if clock::now() >= plan.until && fence(engine, dir, &plan).await {
            return;
        }
        sleep(LOOK).await;
    }
    tracing::info!("the guard is no longer needed: the node is back");
}

/// Whether nothing is left of it.
async fn fence(engine: &dyn ContainerRuntime, dir: &Path, plan: &Plan) -> bool {
    tracing::warn!("the node is not back in time; what may run elsewhere is stopped");
    // A node that starts now waits until this is done. One that never ended, frozen perhaps, has the lock, and had its time.
    let _alone = lock_folder(dir);
    tokio::select! {
        silent = silence(engine, dir, plan) => silent,
        never = force(engine, dir, plan) => match never {},
    }
}

/// Asks the engine, until it has done it or the time is not up any more.
async fn silence(engine: &dyn ContainerRuntime, dir: &Path, plan: &Plan) -> bool {
    while is_up(dir, plan) {
        match ask_for_silence(engine, dir, plan).await {
            Ok(()) => return true,
            Err(error) => {
                tracing::warn!(error = %format_args!("{error:#}"), "stop what the node left");
            }
        }
        sleep(AGAIN).await;
    }
    false
}

async fn ask_for_silence(engine: &dyn ContainerRuntime, dir: &Path, plan: &Plan) -> anyhow::Result<()> {
    let intents = Intents::open(&dir.join("intents")).context("read the intents")?;
    let stage = Stage { engine, cluster: &plan.cluster, intents: &intents };
    let spared = |id| plan.spared.contains(&id);
    let asked = timeout(ROUND, stage.silence(&spared)).await;
    Ok(asked.context("the engine takes its time")??)
}

/// Sees to it that it is done in time. Never returns.
async fn force(engine: &dyn ContainerRuntime, dir: &Path, plan: &Plan) -> Infallible {
    let Some(Force { kill, pid_file, known }) = &plan.force else { return pending().await };
    let mut resort = LastResort::new(engine, &plan.cluster, pid_file);
    let mut due = plan.until + patience(*kill);
    loop {
        // In short sleeps: none of them counts the time in which the machine is suspended.
        sleep(LOOK).await;
        if clock::now() >= due && is_up(dir, plan) {
            resort.take(known, &|id| plan.spared.contains(&id)).await;
            due = clock::now() + patience(*kill);
        }
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::ContainerCreateBody;
    use pinode_scheduler::ContainerId;

    use super::*;
    use crate::agent::fake::{Call, Connection, FakeEngine, Program};
    use crate::agent::runtime::{Status, label};
    use crate::clock::now;
    use crate::guard::plan::tests::{force, plan};

    const SOON: Duration = Duration::from_secs(5);

    /// A container of the cluster that runs.
    async fn running(fake: &FakeEngine, name: &str, id: ContainerId) {
        fake.on_start(name, Program::runs_for_ever().shows_when_killed(0));
        let engine = fake.connect();
        let labels = [
            (label::CLUSTER, "c0ffee00".to_owned()),
            (label::CONTAINER, id.to_string()),
            (label::ATTEMPT, "1".to_owned()),
            (label::NAME, name.to_owned()),
        ];
        let labels = labels.map(|(key, value)| (key.to_owned(), value)).into();
        let body = ContainerCreateBody {
            image: Some("busybox".to_owned()),
            labels: Some(labels),
            ..Default::default()
        };
        let made = engine.create(name, body).await.unwrap();
        engine.start(&made).await.unwrap();
    }

    struct Left {
        fake: FakeEngine,
        dir: tempfile::TempDir,
    }

    impl Left {
        async fn behind(plan: &Plan) -> Left {
            let left = Left { fake: FakeEngine::empty(), dir: tempfile::tempdir().unwrap() };
            running(&left.fake, "split", ContainerId([1; 32])).await;
            running(&left.fake, "mail", ContainerId([7; 32])).await;
            plan.write(left.dir.path()).unwrap();
            left
        }

        async fn guard(&self) {
            let engine: std::sync::Arc<Connection> = self.fake.connect();
            timeout(SOON, watch_over(&*engine, self.dir.path(), plan())).await.unwrap();
        }

        fn runs(&self, name: &str) -> bool {
            self.fake.status_of(name) == Some(Status::Running)
        }
    }

    #[tokio::test]
    async fn what_may_run_elsewhere_is_killed_when_the_time_is_up_and_no_success() {
        let left = Left::behind(&Plan { until: now(), ..plan() }).await;
        left.guard().await;
        assert!(!left.runs("split") && left.runs("mail"));
        let intents = Intents::open(&left.dir.path().join("intents")).unwrap();
        let signal = intents.of((ContainerId([1; 32]), 1)).signal;
        assert_eq!(signal, Some(crate::agent::Signal::Fence));
    }

    #[tokio::test]
    async fn a_node_that_is_back_sends_its_guard_home() {
        let left = Left::behind(&Plan { until: now() + SOON * 100, ..plan() }).await;
        let back = async {
            sleep(LOOK).await;
            Plan::dismiss(left.dir.path(), "boot-1").unwrap();
        };
        tokio::join!(left.guard(), back);
        assert!(left.runs("split"));
    }

    #[tokio::test]
    async fn a_guard_whose_plan_was_followed_by_another_s_leaves_everything_to_that_one() {
        let left = Left::behind(&Plan { mark: "m2".to_owned(), until: now(), ..plan() }).await;
        left.guard().await;
        assert!(left.runs("split"));
    }

    #[tokio::test]
    async fn a_plan_that_the_cluster_agrees_to_later_gives_the_longer_time() {
        let left = Left::behind(&Plan { until: now() + SOON / 10, agreed: false, ..plan() }).await;
        let agreed = async {
            Plan { until: now() + SOON * 100, ..plan() }.write(left.dir.path()).unwrap();
            sleep(SOON / 5).await;
            let ran_on = left.runs("split");
            Plan::remove(left.dir.path()).unwrap();
            ran_on
        };
        assert!(tokio::join!(left.guard(), agreed).1);
    }

    #[tokio::test]
    async fn a_plan_that_becomes_unreadable_is_kept_to() {
        let left = Left::behind(&Plan { until: now() + SOON / 10, ..plan() }).await;
        let damaged = async {
            sleep(SOON / 20).await;
            std::fs::write(left.dir.path().join("guard"), b"\xff").unwrap();
        };
        tokio::join!(left.guard(), damaged);
        assert!(!left.runs("split") && left.runs("mail"));
    }

    /// In the place of an engine's process.
    fn process() -> tokio::process::Child {
        tokio::process::Command::new("sleep").arg("60").kill_on_drop(true).spawn().unwrap()
    }

    #[tokio::test]
    async fn an_engine_that_does_not_do_as_it_is_told_is_killed_once_when_there_is_no_more_time() {
        let pid_file = tempfile::NamedTempFile::new().unwrap();
        let stands = |process: &tokio::process::Child| {
            std::fs::write(pid_file.path(), process.id().unwrap().to_string()).unwrap();
        };
        let mut hung = process();
        stands(&hung);
        let force = Force { kill: LOOK, pid_file: pid_file.path().to_owned(), ..force() };
        let plan = Plan { until: now(), force: Some(force), ..plan() };
        let left = Left::behind(&plan).await;
        left.fake.slow_down(Call::List, SOON * 100);
        let engine = left.fake.connect();
        let killed = async {
            assert!(!timeout(SOON, hung.wait()).await.unwrap().unwrap().success());
            let mut begins = process();
            stands(&begins);
            timeout(SOON, begins.wait()).await.unwrap_err();
        };
        tokio::select! {
            () = killed => {}
            () = watch_over(&*engine, left.dir.path(), plan) => panic!("something is left"),
        }
    }

    #[tokio::test]
    async fn a_node_that_is_back_keeps_its_engine() {
        let pid_file = tempfile::NamedTempFile::new().unwrap();
        let mut hung = process();
        std::fs::write(pid_file.path(), hung.id().unwrap().to_string()).unwrap();
        let force = Force { kill: SOON / 5, pid_file: pid_file.path().to_owned(), ..force() };
        let plan = Plan { until: now(), force: Some(force), ..plan() };
        let left = Left::behind(&plan).await;
        left.fake.slow_down(Call::List, SOON * 100);
        let back = async {
            sleep(LOOK).await;
            Plan::dismiss(left.dir.path(), "boot-1").unwrap();
        };
        tokio::join!(left.guard(), back);
        assert!(hung.try_wait().unwrap().is_none());
    }
}
