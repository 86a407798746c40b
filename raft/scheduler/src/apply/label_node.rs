//! `LabelNode`: labels of a node that an operator gives, and takes back. Where it may run is decided when a container is
//! placed, so what runs already stays where it is.

use std::collections::BTreeMap;

use super::Step;
use super::drain::no_such_node;
use crate::id::NodeId;
use crate::reply::{Rejection, Reply, What};

/// Labels that an operator may give one node.
const GIVEN_MAX: usize = 64;

impl Step<'_> {
    pub(super) fn label_node(&mut self, id: NodeId, labels: &BTreeMap<String, Option<String>>) -> Reply {
        let Some(node) = self.state.nodes.get_mut(&id) else { return no_such_node(id) };
        let mut given = node.given.clone();
        for (key, value) in labels {
            match value {
                Some(value) => given.insert(key.clone(), value.clone()),
                None => given.remove(key),
            };
        }
        if given.len() > GIVEN_MAX {
            let name = node.facts.name.clone();
            return Rejection::BadSetting(format!("{name} would have more than {GIVEN_MAX} given labels"))
                .into();
        }
        node.given = given;
        let said = labels.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        self.say(None, Some(id), What::Labelled(said));
        Reply::Done
    }
}
