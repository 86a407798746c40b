//! The nodes that are left, watched until they have settled and until everything has ended. What they do not do in time
//! is no error here: it is told, and the judges find it in the history.

use std::path::Path;
use std::time::Duration;

use crate::history::{Digest, History, Probed, Seen};
use crate::interrupt;
use crate::node::Node;
use crate::wait::in_time;
use crate::workload::client::Clients;
use crate::workload::film::{self, Stands};

/// Longest wait for a dead node to be given up: three times what the default lease makes of it.
const LOST: Duration = Duration::from_secs(60);
/// Longest wait for a state to stand still in which nothing goes on.
const SETTLED: Duration = Duration::from_secs(30);
/// Longest wait for everything to end.
const END: Duration = Duration::from_secs(300);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(300);

/// Nodes that have power.
pub(super) struct Survivors {
    nodes: Vec<Node>,
}

impl Survivors {
    pub(super) fn new(nodes: Vec<Node>) -> Survivors {
        Survivors { nodes }
    }

    /// What each of them shows.
    pub(super) fn look(&self, moment: &str, history: &mut History) -> anyhow::Result<()> {
        for node in &self.nodes {
            match node.view(moment)? {
                Ok(view) => history.views.push(view),
                Err(unanswered) => history.operations.push(unanswered),
            }
        }
        Ok(())
    }

    /// The digest of each that has one to tell, of one and the same entry: nodes that stand still may still be suspected
    /// and trusted, and each of these is an entry. Where they never come together, the last that each has told.
    pub(super) fn digests(&self, moment: &str, history: &mut History) -> anyhow::Result<()> {
        let mut last: Vec<Digest> = Vec::new();
        in_time(SETTLED, LOOK, || {
            last = self.nodes.iter().filter_map(|node| node.digest(moment).ok()).collect();
            let index = last.first().map(|digest| digest.applied_index);
            last.len() == self.nodes.len() && last.iter().all(|digest| Some(digest.applied_index) == index)
        })?;
        history.digests.extend(last);
        Ok(())
    }

    /// Until all of them have given the node up.
    pub(super) fn await_lost(&self, dead: &Node) -> anyhow::Result<bool> {
        let lost =
            |node: &Node| node.thinks_of(&dead.name).is_ok_and(|state| state.as_deref() == Some("lost"));
        in_time(LOST, LOOK, || self.nodes.iter().all(lost))
    }

    /// Until the clients have sent everything, and everything has ended on all of them.
    pub(super) fn await_end(&self, clients: &Clients, film: &str) -> anyhow::Result<bool> {
        let ended = |node: &Node| node.containers().is_ok_and(|all| all.iter().all(Seen::is_terminal));
        let filmed = |node: &Node| film::stands(node, film).is_ok_and(|stands| stands.is_terminal());
        in_time(END, LOOK, || {
            clients.have_ended() && self.nodes.iter().all(|node| ended(node) && filmed(node))
        })
    }

    /// Whether the clients have sent everything, and nothing can go on on any of them. What is unknown because of a node
    /// that has forgotten it waits for a person.
    pub(super) fn are_quiet(&self, clients: &Clients, forgetful: &[String]) -> bool {
        let is_forgotten = |seen: &Seen| seen.node.as_ref().is_some_and(|node| forgetful.contains(node));
        let is_quiet = |seen: &Seen| seen.is_terminal() || seen.state == "unknown" && is_forgotten(seen);
        let quiet = |node: &Node| node.containers().is_ok_and(|all| all.iter().all(is_quiet));
        clients.have_ended() && self.nodes.iter().all(quiet)
    }

    /// The newest entry that any of them has applied.
    pub(super) fn newest(&self) -> u64 {
        self.nodes
            .iter()
            .filter_map(|node| Some(node.digest("").ok()?.applied_index))
            .max()
            .unwrap_or_default()
    }

    /// Whether all of them have applied this entry.
    pub(super) fn have_applied(&self, index: u64) -> bool {
        self.nodes.iter().all(|node| node.digest("").is_ok_and(|digest| digest.applied_index >= index))
    }

    /// Until all of them are up in each other's eyes, and have applied the same entries to the same state. Says so, or what
    /// keeps them apart.
    pub(super) fn await_agreement(&self, within: Duration) -> anyhow::Result<String> {
        let mut apart = None;
        in_time(within, LOOK, || {
            apart = self.disagreement();
            apart.is_none()
        })?;
        Ok(apart.map_or_else(|| "all nodes agree".to_owned(), |why| format!("the nodes do not agree: {why}")))
    }

    fn disagreement(&self) -> Option<String> {
        let mut first: Option<Digest> = None;
        for node in &self.nodes {
            let told = match node.digest("") {
                Ok(told) => told,
                Err(error) => return Some(format!("{}: {error:#}", node.name)),
            };
            let told_first = first.get_or_insert_with(|| told.clone());
            let what = |digest: &Digest| (digest.applied_index, digest.state_hash.clone());
            if what(told_first) != what(&told) {
                let state = |of: &Digest| format!("{} is {} at {}", of.node, of.state_hash, of.applied_index);
                return Some(format!("{}, {}", state(told_first), state(&told)));
            }
        }
        let mut pairs = self.nodes.iter().flat_map(|node| self.nodes.iter().map(move |other| (node, other)));
        pairs.find_map(|(node, other)| match node.thinks_of(&other.name) {
            Ok(Some(state)) if state == "up" => None,
            Ok(Some(state)) => Some(format!("to {}, {} is {state}", node.name, other.name)),
            Ok(None) => Some(format!("{} does not know {}", node.name, other.name)),
            Err(error) => Some(format!("{}: {error:#}", node.name)),
        })
    }

    /// How the film stands, and what it is like if there is one to fetch, from whoever gives it.
    pub(super) fn result(&self, film: &str, into: &Path) -> anyhow::Result<(Stands, Option<Probed>)> {
        let mut stands = Stands { state: "unknown".to_owned(), error: None };
        for node in &self.nodes {
            interrupt::check()?;
            match film::stands(node, film) {
                Err(error) => stands.error = Some(format!("{error:#}")),
                Ok(told) => {
                    stands = told;
                    if stands.state != "succeeded" {
                        break;
                    }
                    match film::fetch(node, film, into) {
                        Ok(probed) => return Ok((stands, Some(probed))),
                        Err(error) => stands.error = Some(format!("{error:#}")),
                    }
                }
            }
        }
        Ok((stands, None))
    }
}
