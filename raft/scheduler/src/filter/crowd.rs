//! Who is where, as affinities ask. What a glob, a regular expression or a label matches does not depend on the node
//! that is asked about, so it is looked up once for all nodes, and once for all containers that say the same.

use std::collections::{BTreeMap, BTreeSet};

use super::{About, Affinity, image};
use crate::container::Container;
use crate::dependency::Expr;
use crate::id::{ContainerId, NodeId};
use crate::state::State;

/// What was looked up so far, for one walk through the queue.
#[derive(Default)]
pub(crate) struct Crowd {
    /// By whose pipeline it is seen, and by the text.
    residents: BTreeMap<(Option<String>, String), Residents>,
    images: BTreeMap<String, BTreeSet<NodeId>>,
}

/// The containers that one expression matches, and where they are.
struct Residents {
    affinity: Affinity,
    homes: BTreeMap<ContainerId, NodeId>,
    /// How many of them each node has.
    count: BTreeMap<NodeId, u32>,
}

impl Crowd {
    /// The nodes that have what the affinity means, other than the container itself. Its operator is not looked at.
    pub(crate) fn nodes(&mut self, state: &State, own: &Container, affinity: &Affinity) -> BTreeSet<NodeId> {
        match (&affinity.about, &affinity.expr) {
            (About::Image, expr) => self.with_image(state, expr),
            (About::Container, Expr::Name(name)) => {
                let meant = state.meant_by(own.pipeline.as_deref(), name);
                meant.filter(|other| other.id != own.id).filter_map(|other| state.home(other)).collect()
            }
            (About::Container, Expr::Glob(_) | Expr::Regex(_)) | (About::Label(_), _) => {
                self.residents(state, own.pipeline.as_deref(), affinity).without(own.id)
            }
        }
    }

    fn with_image(&mut self, state: &State, expr: &Expr) -> BTreeSet<NodeId> {
        let look =
            || state.nodes.values().filter(|node| image::has(node, expr)).map(|node| node.id).collect();
        self.images.entry(expr.to_string()).or_insert_with(look).clone()
    }

    fn residents(&mut self, state: &State, pipeline: Option<&str>, affinity: &Affinity) -> &Residents {
        // A label means the same to all.
        let pipeline = pipeline.filter(|_| affinity.about == About::Container);
        let key = (pipeline.map(str::to_owned), format!("{}=={}", affinity.about, affinity.expr));
        self.residents.entry(key).or_insert_with(|| {
            let mut found =
                Residents { affinity: affinity.clone(), homes: BTreeMap::new(), count: BTreeMap::new() };
            let kept = state.nodes.values().flat_map(|node| &node.kept);
            let present = kept.filter_map(|(id, _)| state.containers.get(id));
            for container in present.filter(|container| affinity.means(pipeline, container)) {
                found.settle(container.id, state.home(container));
            }
            found
        })
    }

    /// A container was claimed: whoever comes after it in the queue sees it where it is now.
    pub(crate) fn claimed(&mut self, container: &Container, node: NodeId) {
        for ((pipeline, _), residents) in &mut self.residents {
            if residents.affinity.means(pipeline.as_deref(), container) {
                residents.settle(container.id, Some(node));
            }
        }
    }
}

impl Residents {
    fn settle(&mut self, id: ContainerId, home: Option<NodeId>) {
        let before = match home {
            Some(home) => self.homes.insert(id, home),
            None => self.homes.remove(&id),
        };
        if let Some(count) = before.and_then(|before| self.count.get_mut(&before)) {
            *count = count.saturating_sub(1);
        }
        if let Some(home) = home {
            let count = self.count.entry(home).or_default();
            *count = count.saturating_add(1);
        }
    }

    fn without(&self, own: ContainerId) -> BTreeSet<NodeId> {
        let home = self.homes.get(&own);
        let others = |node: &NodeId, count: u32| count > u32::from(home == Some(node));
        self.count.iter().filter(|(node, count)| others(node, **count)).map(|(node, _)| *node).collect()
    }
}

impl Affinity {
    /// Whether a container is meant, seen from a member of `pipeline`: there, short names mean its own members too.
    fn means(&self, pipeline: Option<&str>, other: &Container) -> bool {
        match &self.about {
            About::Container => {
                let sibling = pipeline.is_some() && other.pipeline.as_deref() == pipeline;
                self.expr.matches(&other.name) || sibling && self.expr.matches(&other.spec.name)
            }
            About::Label(key) => other.spec.labels.get(key).is_some_and(|value| self.expr.matches(value)),
            About::Image => false,
        }
    }
}
