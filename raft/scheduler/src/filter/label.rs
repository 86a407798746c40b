//! What a node is: its name and its labels, under classic Swarm's names as well as ours.

use super::{Constraint, Op};
use crate::node::Node;

/// Classic Swarm's name of a label, and ours.
const ALIASES: [(&str, &str); 4] = [
    ("architecture", "arch"),
    ("kernelversion", "kernel"),
    ("operatingsystem", "os"),
    ("storagedriver", "storage"),
];

/// Names of one architecture: Docker's, the kernel's, Debian's.
const ARCHITECTURES: [&[&str]; 3] =
    [&["aarch64", "arm64"], &["x86_64", "amd64"], &["armv7l", "arm", "armhf"]];

/// Docker's names of 64-bit machines, and of the 32-bit ones whose programs they run too.
const ELDERS: [(&str, &str); 2] = [("arm64", "arm"), ("amd64", "386")];

/// A label that limits how many containers a node has at once.
const SLOTS: &str = "containerslots";

impl Constraint {
    /// Whether `node` is such a one. A node without the label is none, so it meets `!=`.
    pub(crate) fn is_met(&self, node: &Node) -> bool {
        let matches = match (self.key.as_str(), value(node, &self.key)) {
            ("node", _) => {
                self.expr.matches(&node.facts.name) || self.expr.matches(&format!("{:016x}", node.id))
            }
            ("arch" | "architecture", Some(arch)) => self.is_architecture(arch),
            (_, Some(value)) => self.expr.matches(value),
            (_, None) => false,
        };
        self.op.holds(matches)
    }

    /// Whether it leaves a node no choice.
    pub(crate) fn is_broken(&self, node: &Node) -> bool {
        !self.soft && !self.is_met(node)
    }

    /// Whether one of the architecture's names is meant.
    fn is_architecture(&self, arch: &str) -> bool {
        names_of(arch).unwrap_or(&[arch]).iter().any(|name| self.expr.matches(name))
    }

    /// The one name that it asks of a node, if it does.
    pub fn only_node(&self) -> Option<&str> {
        let asks = self.key == "node" && self.op == Op::Is && !self.soft;
        self.expr.only_name().filter(|_| asks)
    }
}

fn names_of(arch: &str) -> Option<&'static [&'static str]> {
    ARCHITECTURES.into_iter().find(|names| names.contains(&arch))
}

impl Node {
    /// Whether it runs what is made for this architecture, under whatever name. A node that does not say what it is, and
    /// an image that does not say for what it is made, are taken at their best.
    pub fn runs(&self, arch: &str) -> bool {
        let Some(own) = self.facts.labels.get("arch") else { return true };
        let names = names_of(own).unwrap_or_default();
        let elder = ELDERS.iter().any(|(younger, elder)| names.contains(younger) && *elder == arch);
        arch.is_empty() || own == arch || names.contains(&arch) || elder
    }
}

/// A label of a node: what was given counts before what an alias means.
pub(crate) fn value<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    let alias = || ALIASES.iter().find(|(alias, _)| *alias == key).map(|(_, own)| *own);
    node.label(key).or_else(|| node.label(alias()?))
}

/// How many containers a node may have at once. A label that is no number says nothing.
pub(crate) fn slots(node: &Node) -> u32 {
    let given = node.label(SLOTS).and_then(|text| text.parse().ok());
    given.map_or(node.facts.capacity.slots, |given: u32| given.min(node.facts.capacity.slots))
}
