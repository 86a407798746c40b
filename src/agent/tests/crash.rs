//! A process may die before or after anything that it asks of the engine. Whatever the place, the next one over the
//! same disk and engine brings each life to its one true end.

use std::time::Duration;

use pinode_scheduler::{Duty, Outcome};
use tokio::time::{sleep, timeout};

use super::node::{Node, is_interrupted, kill, never_started, remove, run, secs, stop, work};
use crate::agent::What;
use crate::agent::fake::{Call, Crash, Program};

/// A life has fewer calls than this; each number below it is tried as a place to crash.
const CALLS_MAX: usize = 60;
/// No life takes longer, with its one crash.
const LIFE_MAX: Duration = Duration::from_secs(600);

/// What happens to a container once it is known to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It comes to its own end.
    Left,
    Stopped,
    Killed,
    Fenced,
}

/// One life from launch to removal, as the log would lead it; the node's part in it crashes once.
#[derive(Debug)]
struct Life {
    fate: Fate,
    crash: Crash,
    /// How long nobody is there after the crash.
    pause: Duration,
}

/// What is left to look at when it is over.
struct Over {
    node: Node,
    crashed: bool,
    ends: Vec<Outcome>,
}

impl Life {
    async fn lead(&self) -> Over {
        let mut node = Node::without_process();
        let program = match self.fate {
            Fate::Left => Program::runs_for(secs(2)),
            // Exits with 0 however it is ended: the code alone would call it a success.
            Fate::Stopped | Fate::Killed | Fate::Fenced => {
                Program::runs_for_ever().exits_when_told_to_end(0).shows_when_killed(0)
            }
        };
        node.fake.on_start("split", program);
        node.owes(run("split"));
        let connection = node.fake.connect_until(self.crash);
        node.begin(connection.clone());
        let mut over = Over { node, crashed: false, ends: Vec::new() };
        loop {
            let next = tokio::select! {
                biased;
                () = connection.crashed(), if !over.crashed => None,
                report = over.node.report() => Some(report.what),
            };
            match next {
                None => self.begin_again(&mut over).await,
                Some(What::Preparing(_)) => {}
                Some(What::Started(_)) => self.take_its_course(&mut over.node),
                Some(What::Exited { outcome, .. }) => {
                    over.ends.push(outcome);
                    over.node.owes(remove("split"));
                }
                Some(What::Removed) => {
                    over.node.owes_nothing();
                    return over;
                }
                Some(what @ (What::Declined(_) | What::Healthy)) => panic!("{self:?}: {what:?}"),
            }
        }
    }

    async fn begin_again(&self, over: &mut Over) {
        over.crashed = true;
        over.node.crash();
        sleep(self.pause).await;
        let connection = over.node.fake.connect();
        over.node.begin(connection);
    }

    /// The log has the start, and what follows from it.
    fn take_its_course(&self, node: &mut Node) {
        match self.fate {
            Fate::Left => {
                let mut known = work("split");
                known.started = true;
                node.owes(Duty::Run(known));
            }
            Fate::Stopped => node.owes(stop("split")),
            Fate::Killed => node.owes(kill("split")),
            Fate::Fenced => node.lease.lapses(),
        }
    }

    fn judge(&self, over: &Over) {
        let starts = over.node.fake.targets_of(Call::Start);
        assert!(starts.len() <= 1, "{self:?}: starts were sent to {starts:?}");
        let runs: u32 = over.node.fake.runs().values().sum();
        let [end] = over.ends.as_slice() else { panic!("{self:?}: the log heard of {:?}", over.ends) };
        let as_fated = match self.fate {
            Fate::Left => matches!(end, Outcome::Exited { code: 0, oom: false, .. }),
            Fate::Stopped | Fate::Killed => *end == Outcome::Cancelled { code: Some(0) },
            Fate::Fenced => is_interrupted(end),
        };
        let is_true = if runs == 0 { never_started(end) } else { runs == 1 && as_fated };
        assert!(is_true, "{self:?}: {end:?} after {runs} runs");
        assert_eq!(over.node.fake.count(), 0, "{self:?}: a container is left");
        let intent = over.node.intents().of(super::node::key("split"));
        assert_eq!(intent, Default::default(), "{self:?}: an intent is left");
    }
}

/// Tries every place until a life passes without coming to it.
async fn crash_everywhere(fate: Fate) {
    for pause in [Duration::ZERO, secs(30)] {
        for place in [Crash::Before, Crash::After] {
            let mut places = 0;
            for call in 1..CALLS_MAX {
                let life = Life { fate, crash: place(call), pause };
                let over = timeout(LIFE_MAX, life.lead()).await;
                let over = over.unwrap_or_else(|_| panic!("{life:?}: it never ended"));
                life.judge(&over);
                if !over.crashed {
                    break;
                }
                places = call;
            }
            assert!((5..CALLS_MAX - 1).contains(&places), "{places} places to crash are not a whole life");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_anywhere_leaves_one_start_and_one_true_end() {
    crash_everywhere(Fate::Left).await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_anywhere_in_a_stop_leaves_it_cancelled() {
    crash_everywhere(Fate::Stopped).await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_anywhere_in_a_kill_leaves_it_cancelled() {
    crash_everywhere(Fate::Killed).await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_anywhere_in_a_fence_leaves_it_interrupted() {
    crash_everywhere(Fate::Fenced).await;
}
