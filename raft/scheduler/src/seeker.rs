//! A container that looks for a node. What it asks for is looked up once; then each node is held against it.

use std::collections::BTreeSet;

use crate::container::Container;
use crate::filter::{Affinity, Crowd, image_arch, slots, value};
use crate::id::NodeId;
use crate::node::Node;
use crate::obstacle::{Is, Obstacle};
use crate::state::State;

/// What one container asks of a node.
pub(crate) struct Seeker<'a> {
    state: &'a State,
    container: &'a Container,
    /// The id of the shared folder that most nodes see.
    shared: Option<&'a str>,
    /// Each with the nodes that have what it means.
    affinities: Vec<(&'a Affinity, BTreeSet<NodeId>)>,
    /// What machines its image is made for, of which some node has it.
    arches: BTreeSet<&'a str>,
    /// Whom it needs beside it, and where that one is.
    beside: Vec<(&'a str, Option<NodeId>)>,
}

/// Why nothing new is claimed for `node`, whatever it is.
pub(crate) fn unclaimable(node: &Node) -> Option<Obstacle<'_>> {
    if !node.is_open() {
        return Some(Obstacle::Lost);
    }
    if node.is_suspected() {
        return Some(Obstacle::Silent);
    }
    let ails = || node.ailments.values().next().map(|sentence| Obstacle::Ailing(sentence));
    node.drain.map(Obstacle::Draining).or_else(ails)
}

impl<'a> Seeker<'a> {
    pub(crate) fn new(
        state: &'a State,
        container: &'a Container,
        shared: Option<&'a str>,
        crowd: &mut Crowd,
    ) -> Seeker<'a> {
        let spec = &container.spec;
        let affinities = spec.affinities.iter();
        let affinities =
            affinities.map(|affinity| (affinity, crowd.nodes(state, container, affinity))).collect();
        let home = |name: &str| {
            let meant = state.meant_by(container.pipeline.as_deref(), name).next();
            meant.filter(|other| other.id != container.id).and_then(|other| state.home(other))
        };
        let beside = spec.beside.iter().map(|name| (name.as_str(), home(name))).collect();
        let arches = state.nodes.values().filter_map(|node| image_arch(node, &spec.image)).collect();
        Seeker { state, container, shared, affinities, arches, beside }
    }

    /// Why `node` cannot take the container now; none if it can.
    pub(crate) fn obstacle(&self, node: &'a Node) -> Option<Obstacle<'a>> {
        unclaimable(node)
            .or_else(|| self.barred(node))
            .or_else(|| self.excluded(node))
            .or_else(|| self.company(node))
            .or_else(|| self.port(node))
            .or_else(|| self.full(node))
    }

    /// How many of the soft constraints and affinities `node` meets.
    pub(crate) fn preferences_met(&self, node: &Node) -> usize {
        let constraints = self.container.spec.constraints.iter();
        let constraints = constraints.filter(|constraint| constraint.soft && constraint.is_met(node)).count();
        let affinities = self.affinities.iter().filter(|(affinity, _)| affinity.soft);
        constraints
            + affinities.filter(|(affinity, nodes)| affinity.op.holds(nodes.contains(&node.id))).count()
    }

    fn barred(&self, node: &Node) -> Option<Obstacle<'a>> {
        let bar = self.container.bars.get(&node.id).filter(|bar| bar.stands);
        bar.map(|bar| Obstacle::Barred(&bar.reason))
    }

    /// Why `node` never may take the container, as both are now: no room, no patience and nobody else would change it.
    pub(crate) fn excluded(&self, node: &'a Node) -> Option<Obstacle<'a>> {
        let spec = &self.container.spec;
        let broken = spec.constraints.iter().find(|constraint| constraint.is_broken(node));
        if let Some(constraint) = broken {
            let is = match (constraint.key.as_str(), value(node, &constraint.key)) {
                ("node", _) => Is::Itself,
                (_, Some(value)) => Is::This(value),
                (_, None) => Is::Nothing,
            };
            return Some(Obstacle::Constraint(constraint, is));
        }
        if let Some(arch) = self.foreign(node) {
            return Some(Obstacle::Architecture(&spec.image, arch));
        }
        let elsewhere = spec.local_volumes.iter().find_map(|volume| {
            let home = self.state.volumes.get(volume).filter(|home| **home != node.id)?;
            let home = self.state.node_name(*home).unwrap_or("a node that is gone");
            Some(Obstacle::Volume(volume, home))
        });
        let sees = node.facts.shared_id.as_deref();
        let unshared = spec.shared && (sees.is_none() || sees != self.shared);
        elsewhere.or_else(|| unshared.then_some(Obstacle::Unshared))
    }

    /// What other machine the image is made for: the node's own copy of it, or every copy that it could fetch. An image
    /// that no node has may be at a registry, for whatever machine.
    fn foreign(&self, node: &'a Node) -> Option<&'a str> {
        match image_arch(node, &self.container.spec.image) {
            Some(own) => Some(own).filter(|arch| !node.runs(arch)),
            None if self.arches.iter().any(|arch| node.runs(arch)) => None,
            None => self.arches.first().copied(),
        }
    }

    /// Who must be there and is not, or the other way round.
    fn company(&self, node: &Node) -> Option<Obstacle<'a>> {
        let broken = |(affinity, nodes): &&(&Affinity, BTreeSet<NodeId>)| {
            !affinity.soft && !affinity.op.holds(nodes.contains(&node.id))
        };
        let missing = self.affinities.iter().find(broken).map(|(affinity, _)| Obstacle::Affinity(affinity));
        missing.or_else(|| {
            let (whom, home) = self.beside.iter().find(|(_, home)| *home != Some(node.id))?;
            Some(Obstacle::Alone { needs: &self.container.name, whom, exists: home.is_some() })
        })
    }

    fn port(&self, node: &Node) -> Option<Obstacle<'a>> {
        self.container.spec.host_ports.iter().find_map(|port| {
            let (holder, _) = node.ports.get(port)?;
            let holder = self.state.containers.get(holder).map(|holder| holder.name.as_str());
            Some(Obstacle::Port(*port, holder.unwrap_or("a container that is gone")))
        })
    }

    fn full(&self, node: &Node) -> Option<Obstacle<'a>> {
        let (needs, all, used) = (self.container.spec.needs, node.facts.capacity, node.reserved);
        let slots = slots(node);
        if node.holds.len() >= slots as usize {
            return Some(Obstacle::Slots(slots, slots < all.slots));
        }
        let free = all.cpu_milli.saturating_sub(used.cpu_milli);
        if needs.cpu_milli > free {
            return Some(Obstacle::Cpus(needs.cpu_milli, free));
        }
        let free = all.memory.saturating_sub(used.memory);
        (needs.memory > free).then_some(Obstacle::Memory(needs.memory, free))
    }
}
