//! The state's facts about one container as sentences: why it is where it is, and what would move it.

use crate::container::{Container, Phase};
use crate::dependency::{EdgeState, Verdict};
use crate::filter::Crowd;
use crate::id::{ContainerId, NodeId};
use crate::node::Node;
use crate::seeker::Seeker;
use crate::state::State;

/// An explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// One sentence: where it stands.
    pub summary: String,
    /// One sentence for each thing it waits for, or each cause.
    pub because: Vec<String>,
    /// For what is ready: what each node lacks, by name.
    pub nodes: Vec<(String, String)>,
}

/// Explains a container; none if it does not exist.
pub fn why(state: &State, id: ContainerId) -> Option<Why> {
    let container = state.find_container(id)?;
    let name = &container.name;
    let node = |id: NodeId| state.node_name(id).unwrap_or("a node that is gone").to_owned();
    let plain = |summary: String| Why { summary, because: Vec::new(), nodes: Vec::new() };
    Some(match &container.phase {
        Phase::Created => plain(format!("{name} was created, and nobody has started it")),
        Phase::Blocked { unmet } => Why {
            summary: format!(
                "{name} is blocked: {unmet} of {} conditions not met",
                container.dependencies.len()
            ),
            because: unmet_terms(state, container),
            nodes: Vec::new(),
        },
        Phase::Ready => Why {
            summary: format!("{name} is ready; no node takes it yet"),
            because: Vec::new(),
            nodes: lacks(state, container),
        },
        Phase::Claimed(claim) => Why {
            because: preparing(container)
                .into_iter()
                .chain(leaving(container))
                .chain(silence(state, claim.session.node))
                .collect(),
            ..plain(format!("{name} is claimed by {} as attempt {}", node(claim.session.node), claim.attempt))
        },
        Phase::Running(claim) => Why {
            because: leaving(container).into_iter().chain(silence(state, claim.session.node)).collect(),
            ..plain(format!("{name} runs on {} as attempt {}", node(claim.session.node), claim.attempt))
        },
        Phase::Backoff => Why {
            because: last_end(container),
            ..plain(format!("{name} waits before attempt {}", container.attempt.saturating_add(1)))
        },
        Phase::Unknown(claim) => plain(format!(
            "{name} was on {}, which is lost; rerun is never, so it waits for that node to come back",
            node(claim.session.node)
        )),
        Phase::Succeeded => plain(format!("{name} succeeded at attempt {}", container.attempt)),
        Phase::Failed(failure) => Why {
            because: failure.reason.clone().into_iter().collect(),
            ..plain(match failure.code {
                Some(code) => format!("{name} failed with code {code} at attempt {}", container.attempt),
                None => format!("{name} failed"),
            })
        },
        Phase::Skipped { cause } => Why {
            because: cause.clone(),
            ..plain(format!("{name} was skipped: what it waited for can not happen any more"))
        },
        Phase::Cancelled { .. } => plain(format!("{name} was stopped")),
    })
}

/// What each node lacks, by name.
fn lacks(state: &State, container: &Container) -> Vec<(String, String)> {
    let seeker = Seeker::new(state, container, state.shared_id(), &mut Crowd::default());
    let lacks = |node: &Node| {
        let obstacle = seeker.obstacle(node).map(|obstacle| obstacle.to_string());
        obstacle.unwrap_or_else(|| "nothing stands in the way; it is next".to_owned())
    };
    state.nodes().map(|node| (node.facts.name.clone(), lacks(node))).collect()
}

fn preparing(container: &Container) -> Option<String> {
    container.latest().and_then(|attempt| attempt.preparing.clone())
}

fn leaving(container: &Container) -> Option<String> {
    let drained = container.stop.as_ref().is_some_and(|stop| stop.drained);
    drained.then(|| "its node is being drained: it is stopped there and runs elsewhere".to_owned())
}

fn silence(state: &State, node: NodeId) -> Option<String> {
    let node = state.find_node(node)?;
    let name = &node.facts.name;
    if !node.is_open() {
        return Some(format!("{name} is lost; it waits for that node to say how the attempt ended"));
    }
    if state.away_ms(node.session_id()).is_some() {
        return Some(format!(
            "{name} is away; the container goes on there, and nothing of it is claimed elsewhere before its time is up"
        ));
    }
    node.is_suspected().then(|| {
        format!("{name} has not been heard from; when its lease has certainly run out the container goes elsewhere")
    })
}

fn last_end(container: &Container) -> Vec<String> {
    let end = container.latest().and_then(|attempt| attempt.end.as_ref().map(|end| (attempt.number, end)));
    end.map(|(number, end)| format!("attempt {number}: {}", end.sentence())).into_iter().collect()
}

fn unmet_terms(state: &State, container: &Container) -> Vec<String> {
    let unmet = container.dependencies.iter().filter(|d| d.verdict(false) != Verdict::Met);
    unmet
        .map(|dependency| {
            let term = &dependency.waitfor;
            if dependency.edges.is_empty() {
                return format!("{term}: matches nothing yet");
            }
            let (met, all) = dependency.progress();
            let open = dependency.edges.iter().filter(|(_, edge)| edge.state != EdgeState::Met).take(8);
            let open: Vec<String> = open
                .map(|(id, edge)| {
                    let word = state.find_container(*id).map_or("removed", |parent| parent.phase.word());
                    format!("{} is {word}", edge.name)
                })
                .collect();
            let more = if open.is_empty() { "more must be submitted".to_owned() } else { open.join(", ") };
            format!("{term}: {met} of {all}; {more}")
        })
        .collect()
}

impl crate::container::Outcome {
    /// A few words on how an attempt ended.
    pub fn sentence(&self) -> String {
        use crate::container::Outcome;
        match self {
            Outcome::Exited { code, oom: true, .. } => {
                format!("exited with code {code}, killed for its memory")
            }
            Outcome::Exited { code, .. } => format!("exited with code {code}"),
            Outcome::LaunchFailed { reason, .. } => format!("could not be launched: {reason}"),
            Outcome::NeverStarted { reason } => format!("never started: {reason}"),
            Outcome::Interrupted { reason, .. } => format!("interrupted: {reason}"),
            Outcome::Cancelled { .. } => "stopped".to_owned(),
            Outcome::Lost => "lost with its node".to_owned(),
            Outcome::Unknown => "its Docker container is gone".to_owned(),
        }
    }
}
