//! The replicated state. Its fields are read by everyone and changed by `apply` alone.
//!
//! The indexes (`dependents`, `awaited_*`, `ready`, `ended*`) repeat what the containers say, so that an exit touches
//! its dependents and nothing else. `check` holds the two against each other.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::blackout::Blackout;
use crate::container::{Claim, Container, Order};
use crate::id::{ContainerId, NodeId, RequestKey};
use crate::later::Later;
use crate::node::Node;
use crate::reply::Reply;
use crate::settings::Settings;
use crate::timer::Timer;

/// Everything the log has said so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub(crate) applied: u64,
    pub(crate) containers: BTreeMap<ContainerId, Container>,
    pub(crate) nodes: BTreeMap<NodeId, Node>,
    /// Full names in use.
    pub(crate) names: BTreeMap<String, ContainerId>,
    pub(crate) pipelines: BTreeMap<String, BTreeSet<ContainerId>>,
    /// Who has an edge to a container, while that edge can still change something.
    pub(crate) dependents: BTreeMap<ContainerId, BTreeSet<ContainerId>>,
    /// Blocked containers with a live term of exactly this name.
    pub(crate) awaited_names: BTreeMap<String, BTreeSet<ContainerId>>,
    /// Blocked containers with a live glob or regular expression.
    pub(crate) awaited_patterns: BTreeSet<ContainerId>,
    /// Ready containers, first come first.
    pub(crate) ready: BTreeMap<Order, ContainerId>,
    /// Deadlines that the leader runs, in milliseconds from when they were armed.
    pub(crate) timers: BTreeMap<Timer, u64>,
    pub(crate) requests: BTreeMap<RequestKey, Remembered>,
    pub(crate) request_order: BTreeMap<u64, RequestKey>,
    /// Where a local volume was first claimed: it has its data there and nowhere else.
    pub(crate) volumes: BTreeMap<String, NodeId>,
    /// Ended containers, oldest first.
    pub(crate) ended: BTreeSet<(u64, ContainerId)>,
    /// The same by node, while their Docker containers are kept.
    pub(crate) ended_on: BTreeMap<NodeId, BTreeSet<(u64, ContainerId)>>,
    /// Nodes that were removed or replaced: an id never comes back. Each is a deed of somebody's hands, and eight bytes.
    pub(crate) removed: BTreeSet<NodeId>,
    pub(crate) settings: Settings,
    /// What may turn out to be a blackout.
    pub(crate) dark: Option<Blackout>,
    /// The last one that did.
    pub(crate) blackout: Option<Blackout>,
    /// What came after the first layout: always the last field.
    pub(crate) later: Later,
}

/// A request that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    pub(crate) body: [u8; 32],
    pub(crate) index: u64,
    pub(crate) at_ms: u64,
    pub(crate) reply: Reply,
}

/// Why a reference names no single container.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRef {
    /// Nothing matches.
    #[error("no such container: {0}")]
    Nothing(String),
    /// Several do.
    #[error("`{text}` is ambiguous: {}", .candidates.join(", "))]
    Ambiguous {
        /// As given.
        text: String,
        /// Full names it could mean, at most eight.
        candidates: Vec<String>,
    },
}

impl State {
    /// Index of the last applied entry.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// All containers, ended ones too, by id.
    pub fn containers(&self) -> impl Iterator<Item = &Container> {
        self.containers.values()
    }

    /// One container.
    pub fn find_container(&self, id: ContainerId) -> Option<&Container> {
        self.containers.get(&id)
    }

    /// The container of exactly this full name.
    pub fn find_named(&self, name: &str) -> Option<&Container> {
        self.names.get(name).and_then(|id| self.containers.get(id))
    }

    /// The members of a pipeline, in the order they were submitted.
    pub fn pipeline(&self, name: &str) -> Vec<&Container> {
        let ids = self.pipelines.get(name).into_iter().flatten();
        let mut members: Vec<_> = ids.filter_map(|id| self.containers.get(id)).collect();
        members.sort_by_key(|container| container.order);
        members
    }

    /// The names of all pipelines.
    pub fn pipelines(&self) -> impl Iterator<Item = &str> {
        self.pipelines.keys().map(String::as_str)
    }

    /// What a person means: a full name, an id, a unique prefix of one (4 digits at least), or a member's short name
    /// where only one pipeline has it.
    pub fn resolve(&self, text: &str) -> Result<&Container, BadRef> {
        let text = text.strip_prefix('/').unwrap_or(text);
        if let Some(container) = self.find_named(text) {
            return Ok(container);
        }
        if let Ok(id) = text.parse::<ContainerId>() {
            return self.find_container(id).ok_or_else(|| BadRef::Nothing(text.to_owned()));
        }
        let short =
            self.containers.values().filter(|c| c.pipeline.is_some() && c.spec.name == text).collect();
        if let Some(found) = one_of(text, short)? {
            return Ok(found);
        }
        let is_prefix = text.len() >= 4 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let prefix = text.to_ascii_lowercase();
        let starts = |c: &&Container| is_prefix && c.id.to_string().starts_with(&prefix);
        one_of(text, self.containers.values().filter(starts).collect())?
            .ok_or_else(|| BadRef::Nothing(text.to_owned()))
    }

    /// Where a local volume was first claimed.
    pub fn volume_home(&self, name: &str) -> Option<NodeId> {
        self.volumes.get(name).copied()
    }

    /// All nodes, by id.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    /// One node.
    pub fn find_node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    /// The node of this name.
    pub fn find_node_named(&self, name: &str) -> Option<&Node> {
        self.nodes.values().find(|node| node.facts.name == name)
    }

    /// The name of a node, for people.
    pub fn node_name(&self, id: NodeId) -> Option<&str> {
        self.nodes.get(&id).map(|node| node.facts.name.as_str())
    }

    /// Whether this id was removed or replaced: it is nobody's any more.
    pub fn is_removed(&self, id: NodeId) -> bool {
        self.removed.contains(&id)
    }

    /// What holds for the whole cluster.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What an attempt that has not ended is claimed by this node, under any of its sessions. A walk over what it keeps.
    pub fn claims_of(&self, node: NodeId) -> impl Iterator<Item = (&Container, Claim)> {
        let kept = self.nodes.get(&node).into_iter().flat_map(|node| &node.kept);
        kept.filter_map(move |&(id, attempt)| {
            let container = self.containers.get(&id)?;
            let claim = container.phase.claim()?;
            (claim.attempt == attempt && claim.session.node == node).then_some((container, claim))
        })
    }

    /// Deadlines that the leader runs: each timer, and its duration in milliseconds.
    pub fn timers(&self) -> &BTreeMap<Timer, u64> {
        &self.timers
    }

    /// How many containers are blocked or ready: the waiting work.
    pub fn waiting(&self) -> impl Iterator<Item = &Container> {
        use crate::container::Phase;
        self.containers.values().filter(|c| matches!(c.phase, Phase::Blocked { .. } | Phase::Ready))
    }

    /// Up to which index requests may be forgotten at wall time `now_ms`: all but the last `keep` and the last day's.
    pub fn forgettable_requests(&self, now_ms: u64, keep: usize) -> Option<u64> {
        const DAY_MS: u64 = 86_400_000;
        let spare = self.request_order.len().checked_sub(keep)?;
        let old = |key: &RequestKey| {
            self.requests.get(key).is_none_or(|r| now_ms.saturating_sub(r.at_ms) >= DAY_MS)
        };
        self.request_order.iter().take(spare).take_while(|(_, key)| old(key)).last().map(|(index, _)| *index)
    }

    /// The id of the shared folder that most nodes see; on a tie the smaller one.
    pub fn shared_id(&self) -> Option<&str> {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for id in self.nodes.values().filter_map(|node| node.facts.shared_id.as_deref()) {
            *seen.entry(id).or_default() += 1;
        }
        let most = seen.values().max().copied();
        seen.into_iter().find(|(_, count)| Some(*count) == most).map(|(id, _)| id)
    }
}

fn one_of<'a>(text: &str, found: Vec<&'a Container>) -> Result<Option<&'a Container>, BadRef> {
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        many => {
            let candidates = many.iter().take(8).map(|c| c.name.clone()).collect();
            Err(BadRef::Ambiguous { text: text.to_owned(), candidates })
        }
    }
}
