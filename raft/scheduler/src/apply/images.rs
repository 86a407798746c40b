//! `Images`: which images a node's engine has, so that an affinity can ask for one.

use std::collections::BTreeSet;

use super::Step;
use crate::filter::plain_image;
use crate::id::SessionId;
use crate::reply::Reply;

/// Names and ids that the log keeps of one node: the state's size rests on this number.
const IMAGES_MAX: usize = 1_000;

impl Step<'_> {
    /// What is said replaces what was said before.
    pub(super) fn images(&mut self, session: SessionId, images: &[String]) -> Reply {
        if !self.is_open(session) {
            return Reply::Stale;
        }
        let Some(node) = self.state.nodes.get_mut(&session.node) else { return Reply::Stale };
        let sorted: BTreeSet<&str> = images.iter().map(|image| plain_image(image)).collect();
        node.images = sorted.into_iter().take(IMAGES_MAX).map(str::to_owned).collect();
        Reply::Done
    }
}
