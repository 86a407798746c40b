//! Where a container may run, and where it would rather: the filter language of classic Docker Swarm.
//!
//! [`Constraint`] speaks of a node, [`Affinity`] of what a node has. Both are decided when the container is placed, over
//! the nodes as they are then.

mod crowd;
mod image;
mod label;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use crowd::Crowd;
pub(crate) use image::{arch as image_arch, plain as plain_image};
pub(crate) use label::{slots, value};
pub use parse::{BadFilter, affinity, constraint};

use crate::dependency::Expr;

/// What an expression says of its matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// `==`: there.
    Is,
    /// `!=`: anywhere else.
    IsNot,
}

impl Op {
    /// Whether it is met where the expression matches, or does not.
    pub(crate) fn holds(self, matches: bool) -> bool {
        match self {
            Op::Is => matches,
            Op::IsNot => !matches,
        }
    }
}

/// `KEY==VALUE`: the node must be, or must not be, such a one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraint {
    /// `node` is its name or its id; every other key is a label.
    pub key: String,
    /// Must or must not.
    pub op: Op,
    /// With `~`: only a preference.
    pub soft: bool,
    /// The value.
    pub expr: Expr,
}

/// `container==NAME`: the node must have, or must not have, such a thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affinity {
    /// Of what it speaks.
    pub about: About,
    /// Must or must not.
    pub op: Op,
    /// With `~`: only a preference.
    pub soft: bool,
    /// The value.
    pub expr: Expr,
}

/// What an affinity speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum About {
    /// A container, by its name or its id.
    Container,
    /// An image, by its name or its id.
    Image,
    /// A container, by this label of it.
    Label(String),
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            About::Container => "container",
            About::Image => "image",
            About::Label(key) => key,
        })
    }
}

/// As written between the key and the value.
fn operator(op: Op, soft: bool) -> &'static str {
    match (op, soft) {
        (Op::Is, false) => "==",
        (Op::Is, true) => "==~",
        (Op::IsNot, false) => "!=",
        (Op::IsNot, true) => "!=~",
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.key, operator(self.op, self.soft), self.expr)
    }
}

impl fmt::Display for Affinity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.about, operator(self.op, self.soft), self.expr)
    }
}
