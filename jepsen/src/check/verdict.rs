//! All properties, asked in turn.

use std::fmt;

use super::{
    accepted, agree, alive, codes, film, linearizable, minority, monotone, once, order, overlap, stopped,
    strangers, stuck,
};
use crate::history::History;

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(pub String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something that must hold.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// One word.
    pub name: &'static str,
    /// What must hold, for people.
    pub promise: &'static str,
    judge: fn(&History) -> Vec<Violation>,
}

/// What was found of one property.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Which.
    pub property: Property,
    /// None is good.
    pub violations: Vec<Violation>,
}

/// All of them, in the order in which they are told.
const PROPERTIES: [Property; 14] = [
    Property {
        name: "accepted",
        promise: "What was answered as accepted is on every node, under its id; what was refused is nowhere.",
        judge: accepted::judge,
    },
    Property {
        name: "order",
        promise: "Nothing starts before what it waits for has ended as required.",
        judge: order::judge,
    },
    Property { name: "once", promise: "An attempt is started at most once.", judge: once::judge },
    Property {
        name: "overlap",
        promise: "Two attempts of one container never run at the same time.",
        judge: overlap::judge,
    },
    Property {
        name: "stopped",
        promise: "What was answered as stopped or removed is started no more.",
        judge: stopped::judge,
    },
    Property {
        name: "codes",
        promise: "What is told of an end is what the program itself wrote down.",
        judge: codes::judge,
    },
    Property {
        name: "agree",
        promise: "Nodes that applied the same entries are in the same state.",
        judge: agree::judge,
    },
    Property {
        name: "monotone",
        promise: "What a container has come to is never taken back, by no node.",
        judge: monotone::judge,
    },
    Property {
        name: "minority",
        promise: "Who hears no majority accepts nothing, shows nothing, and after its lease starts nothing.",
        judge: minority::judge,
    },
    Property {
        name: "strangers",
        promise: "Containers that are none of pinode's are left alone.",
        judge: strangers::judge,
    },
    Property {
        name: "linearizable",
        promise: "For each name, some order of submits, removals and reads explains every answer.",
        judge: linearizable::judge,
    },
    Property {
        name: "alive",
        promise: "A pinode ends when it is told to, or when its disk fails it.",
        judge: alive::judge,
    },
    Property {
        name: "film",
        promise: "The film came out whole: every frame, its length, its sound.",
        judge: film::judge,
    },
    Property {
        name: "stuck",
        promise: "Every request was answered, and everything has ended a minute after the last healing.",
        judge: stuck::judge,
    },
];

/// What became of each property.
pub fn judge(history: &History) -> Vec<Verdict> {
    let one = |property: &Property| Verdict { property: *property, violations: (property.judge)(history) };
    PROPERTIES.iter().map(one).collect()
}
