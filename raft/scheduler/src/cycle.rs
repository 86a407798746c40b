//! The search that refuses `a -> b -> a`. Decidable because only concrete containers count: an edge goes from a
//! container that is not released to an unfinished container that it waits for.

use std::collections::{BTreeMap, BTreeSet};

use crate::container::{Container, Phase};
use crate::dependency::EdgeState;
use crate::id::ContainerId;
use crate::reply::Rejection;
use crate::state::State;

/// Most edges that one command may make the search walk.
pub(crate) const EDGES_MAX: usize = 100_000;

/// Edges that do not exist yet: what a command would add.
pub(crate) type NewEdges = BTreeMap<ContainerId, BTreeSet<ContainerId>>;

/// The graph as it would be.
pub(crate) struct Graph<'a> {
    state: &'a State,
    added: &'a NewEdges,
    walked: usize,
}

impl<'a> Graph<'a> {
    pub(crate) fn new(state: &'a State, added: &'a NewEdges) -> Self {
        Graph { state, added, walked: 0 }
    }

    /// A cycle through one of `starts`, as the ids along it, the first repeated at the end; none is good.
    pub(crate) fn find_cycle(
        &mut self,
        starts: impl Iterator<Item = ContainerId>,
    ) -> Result<Option<Vec<ContainerId>>, Rejection> {
        let mut done = BTreeSet::new();
        for start in starts {
            if let Some(path) = self.search(start, &mut done)? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// Depth first, without recursion: a chain of waits may be longer than a stack.
    fn search(
        &mut self,
        start: ContainerId,
        done: &mut BTreeSet<ContainerId>,
    ) -> Result<Option<Vec<ContainerId>>, Rejection> {
        let mut path: Vec<ContainerId> = Vec::new();
        let mut on_path = BTreeSet::new();
        let mut stack = vec![(start, false)];
        while let Some((id, leaving)) = stack.pop() {
            if leaving {
                path.pop();
                on_path.remove(&id);
                done.insert(id);
                continue;
            }
            if on_path.contains(&id) {
                let from = path.iter().position(|&at| at == id).unwrap_or(0);
                return Ok(Some(path[from..].iter().copied().chain([id]).collect()));
            }
            if done.contains(&id) {
                continue;
            }
            path.push(id);
            on_path.insert(id);
            stack.push((id, true));
            let next = self.next(id);
            self.walked += next.len();
            if self.walked > EDGES_MAX {
                return Err(Rejection::TooComplex(EDGES_MAX));
            }
            stack.extend(next.into_iter().rev().map(|id| (id, false)));
        }
        Ok(None)
    }

    fn next(&self, id: ContainerId) -> BTreeSet<ContainerId> {
        let mut next = self.added.get(&id).cloned().unwrap_or_default();
        if let Some(container) = self.state.containers.get(&id) {
            next.extend(open_edges(container));
        }
        next
    }
}

/// Whom a blocked container still waits for.
pub(crate) fn open_edges(container: &Container) -> impl Iterator<Item = ContainerId> {
    let blocked = matches!(container.phase, Phase::Blocked { .. });
    let edges = container.dependencies.iter().filter(move |_| blocked).flat_map(|d| &d.edges);
    edges.filter(|(_, edge)| edge.state == EdgeState::Open).map(|(id, _)| *id)
}
