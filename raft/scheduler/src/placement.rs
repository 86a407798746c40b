//! Which node claims what is ready: filters, then the strategy, then ties by id. Pure, so every node names the same.

use crate::apply::Step;
use crate::container::{Attempt, Claim, Container, Phase};
use crate::id::{ContainerId, NodeId};
use crate::node::Node;
use crate::reply::What;
use crate::spec::Constraint;
use crate::state::State;

/// Why `node` cannot take `container` now; none if it can.
pub(crate) fn obstacle(state: &State, container: &Container, node: &Node) -> Option<String> {
    unclaimable(node)
        .or_else(|| barred(container, node))
        .or_else(|| excluded(state, container, node))
        .or_else(|| full(container, node))
}

fn unclaimable(node: &Node) -> Option<String> {
    if !node.is_open() {
        return Some("its session is lost".to_owned());
    }
    if node.is_suspected() {
        return Some("it has not been heard from".to_owned());
    }
    node.ailments.values().next().cloned()
}

fn barred(container: &Container, node: &Node) -> Option<String> {
    container.bars.get(&node.id).filter(|bar| bar.stands).map(|bar| bar.reason.sentence())
}

/// Why `node` never may take `container`, as both are now: no room and no patience would change it.
pub(crate) fn excluded(state: &State, container: &Container, node: &Node) -> Option<String> {
    let spec = &container.spec;
    let name = &node.facts.name;
    let broken = spec.constraints.iter().find_map(|constraint| match constraint {
        Constraint::NodeIs(wanted) if wanted != name => Some(format!("constraint node=={wanted}")),
        Constraint::NodeIsNot(unwanted) if unwanted == name => Some(format!("constraint node!={unwanted}")),
        Constraint::NodeIs(_) | Constraint::NodeIsNot(_) => None,
    });
    let elsewhere = || {
        spec.local_volumes.iter().find_map(|volume| {
            let home = state.volumes.get(volume).filter(|home| **home != node.id)?;
            let home = state.node_name(*home).unwrap_or("a node that is gone");
            Some(format!("volume {volume} is on {home}"))
        })
    };
    let unshared = || {
        let odd = spec.shared
            && (node.facts.shared_id.is_none() || node.facts.shared_id.as_deref() != state.shared_id());
        odd.then(|| "it does not see the shared folder that the others see".to_owned())
    };
    broken.or_else(elsewhere).or_else(unshared)
}

fn full(container: &Container, node: &Node) -> Option<String> {
    let (needs, all, used) = (container.spec.needs, node.facts.capacity, node.reserved);
    if node.holds.len() >= all.slots as usize {
        return Some(format!("all its {} slots are taken", all.slots));
    }
    if needs.cpu_milli > all.cpu_milli.saturating_sub(used.cpu_milli) {
        let free = all.cpu_milli.saturating_sub(used.cpu_milli);
        return Some(format!("{} CPUs asked, {} free", cpus(needs.cpu_milli), cpus(free)));
    }
    if needs.memory > all.memory.saturating_sub(used.memory) {
        let free = all.memory.saturating_sub(used.memory);
        return Some(format!("{} memory asked, {} free", mib(needs.memory), mib(free)));
    }
    None
}

/// Thousandths as people write CPUs.
pub(crate) fn cpus(milli: u64) -> String {
    let text = format!("{}.{:03}", milli / 1000, milli % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Bytes as people write memory.
pub(crate) fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// Spread: the node with the fewest containers, then the fewest reserved CPUs, then the one that waited longest for a
/// claim (so that a chain on an idle cluster wanders), then the lowest id.
fn rank(node: &Node) -> (usize, u64, u64, NodeId) {
    (node.holds.len(), node.reserved.cpu_milli, node.last_claim, node.id)
}

impl Step<'_> {
    /// Gives every ready container that fits somewhere to the best node, first come first.
    pub(crate) fn place_ready(&mut self) {
        let queue: Vec<ContainerId> = self.state.ready.values().copied().collect();
        for id in queue {
            let has_room =
                |n: &Node| unclaimable(n).is_none() && n.holds.len() < n.facts.capacity.slots as usize;
            if !self.state.nodes.values().any(has_room) {
                return;
            }
            let Some(container) = self.state.containers.get(&id) else { continue };
            let fits = |node: &&Node| obstacle(self.state, container, node).is_none();
            let best =
                self.state.nodes.values().filter(fits).min_by_key(|node| rank(node)).map(|node| node.id);
            if let Some(node) = best {
                self.claim(id, node);
            }
        }
    }

    fn claim(&mut self, id: ContainerId, node_id: NodeId) {
        let index = self.index;
        let (Some(container), Some(node)) =
            (self.state.containers.get_mut(&id), self.state.nodes.get_mut(&node_id))
        else {
            return;
        };
        let session = node.session_id();
        container.attempt = container.attempt.saturating_add(1);
        let attempt = container.attempt;
        container.phase = Phase::Claimed(Claim { session, attempt });
        container.attempts.push(Attempt {
            number: attempt,
            session,
            started_at: None,
            finished_at: None,
            end: None,
            preparing: None,
        });
        if container.attempts.len() > crate::container::ATTEMPTS_KEPT {
            container.attempts.remove(0);
        }
        node.hold(id, attempt, container.spec.needs);
        node.kept.insert((id, attempt));
        node.last_claim = index;
        self.state.ready.remove(&container.order);
        for volume in &container.spec.local_volumes {
            self.state.volumes.entry(volume.clone()).or_insert(node_id);
        }
        self.say(Some(id), Some(node_id), What::Claimed(attempt));
    }
}
