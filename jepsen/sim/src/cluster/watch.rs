//! Looks at all nodes while they work, and notes what must never be seen.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pinode_scheduler::ContainerId;
use tokio::time::sleep;

use super::Cluster;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(4);

/// How far a container had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stage {
    /// The last entry of the state that showed it.
    applied: u64,
    run: u32,
    attempt: u32,
    word: &'static str,
    terminal: bool,
}

impl Cluster {
    /// What ended for good stays so until somebody runs it again, and attempts only rise, in the order of the log; all
    /// nodes belong to one cluster. Never returns.
    pub async fn watch(self: Arc<Self>) {
        let mut known: BTreeMap<ContainerId, Stage> = BTreeMap::new();
        loop {
            sleep(EVERY).await;
            let mut cluster: Option<([u8; 32], usize)> = None;
            for number in 0..self.count() {
                let Some((_, backend)) = self.node(number).await else { continue };
                let (first, other) = *cluster.get_or_insert((backend.cluster, number));
                if first != backend.cluster {
                    self.wrong(format!("founding: n{other} and n{number} belong to two clusters"));
                }
                let state = backend.machine.state();
                for container in state.containers() {
                    let stage = Stage {
                        applied: state.applied(),
                        run: container.run,
                        attempt: container.attempt,
                        word: container.phase.word(),
                        terminal: container.phase.is_terminal(),
                    };
                    let before = known.entry(container.id).or_insert(stage);
                    if stage.applied < before.applied {
                        continue;
                    }
                    if went_back(before, &stage) {
                        self.wrong(format!("monotone: {} went from {before:?} to {stage:?}", container.name));
                    }
                    *before = stage;
                }
            }
        }
    }
}

fn went_back(before: &Stage, now: &Stage) -> bool {
    let back = (now.run, now.attempt) < (before.run, before.attempt) || now.attempt < before.attempt;
    let revived = before.terminal && now.run == before.run && now.word != before.word;
    back || revived
}
