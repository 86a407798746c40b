//! Where a container is, and whom a name means that stands in another container's spec.

use crate::container::Container;
use crate::id::{ContainerId, NodeId};
use crate::state::State;

/// Fewest digits by which a container is known (what `docker ps` prints).
const ID_MIN: usize = 12;

impl State {
    /// The node that has a container: it has claimed it, or its engine keeps the latest attempt. Attempts of before, and
    /// what retention lets go, are about to be removed and count no more.
    pub(crate) fn home(&self, container: &Container) -> Option<NodeId> {
        let last = container.latest().filter(|_| !container.discarded)?;
        let node = self.nodes.get(&last.session.node)?;
        node.kept.contains(&(container.id, last.number)).then_some(node.id)
    }

    /// Whom `text` can mean in the spec of a member of `pipeline`: that pipeline's container of this short name first,
    /// then the one of this full name, then the one of this id or of an id that begins so.
    pub(crate) fn meant_by<'a>(
        &'a self,
        pipeline: Option<&str>,
        text: &str,
    ) -> impl Iterator<Item = &'a Container> {
        let sibling = pipeline.and_then(|pipeline| self.find_named(&format!("{pipeline}.{text}")));
        let identified = self.begins_with(text);
        sibling.into_iter().chain(self.find_named(text)).chain(identified)
    }

    /// The container whose id begins with these digits. Ids are sorted, so it follows them.
    fn begins_with(&self, digits: &str) -> Option<&Container> {
        if digits.len() < ID_MIN || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let first: ContainerId = format!("{digits:0<64}").parse().ok()?;
        let found = self.containers.range(first..).next().map(|(_, container)| container)?;
        found.id.to_string().starts_with(&digits.to_ascii_lowercase()).then_some(found)
    }
}
