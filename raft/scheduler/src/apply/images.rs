//! `Images`: which images a node's engine has, and for which machines: an affinity can ask for one, and none is started
//! where it cannot run.

use std::collections::BTreeMap;

use super::Step;
use crate::filter::plain_image;
use crate::id::SessionId;
use crate::node::Image;
use crate::reply::Reply;

/// Names and ids that the log keeps of one node: the state's size rests on this number.
const IMAGES_MAX: usize = 1_000;

impl Step<'_> {
    /// What is said replaces what was said before.
    pub(super) fn images(&mut self, session: SessionId, images: &[Image]) -> Reply {
        if !self.is_open(session) {
            return Reply::Stale;
        }
        let Some(node) = self.state.nodes.get_mut(&session.node) else { return Reply::Stale };
        let sorted: BTreeMap<&str, &str> =
            images.iter().map(|image| (plain_image(&image.name), image.arch.as_str())).collect();
        let kept = sorted.into_iter().take(IMAGES_MAX);
        node.images = kept.map(|(name, arch)| (name.to_owned(), arch.to_owned())).collect();
        Reply::Done
    }
}
