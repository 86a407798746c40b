//! `waitfor`: what must have happened to other containers before one may start.
//!
//! [`Waitfor`] is one term as written, [`Dependency`] the same term inside the state, with an edge for each container
//! it matched.

mod expr;
mod parse;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use expr::{BadPattern, Expr, PATTERN_MAX_BYTES, Pattern};
pub use parse::{BadWaitfor, Terms, parse};

use crate::id::ContainerId;

/// What must have happened to every match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// It succeeded: exit 0 from an end that Docker vouches for.
    Container,
    /// It ended for good, whatever the code.
    Exited,
    /// It ended for good and did not succeed.
    Failed,
    /// It has started at least once.
    Started,
    /// It has reported Docker health `healthy` at least once.
    Healthy,
}

impl Kind {
    /// As written before the operator.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Container => "container",
            Kind::Exited => "exited",
            Kind::Failed => "failed",
            Kind::Started => "started",
            Kind::Healthy => "healthy",
        }
    }
}

/// Which containers a term means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// `==`: the matches, live until the release.
    Is,
    /// `!=`: all but the matches that exist at the submit, never itself.
    IsNot,
    /// `==~`: the matches that exist at the submit, none if there are none.
    IsSoft,
}

impl Op {
    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Op::Is => "==",
            Op::IsNot => "!=",
            Op::IsSoft => "==~",
        }
    }
}

/// One term of a `waitfor`, as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waitfor {
    /// What must have happened.
    pub kind: Kind,
    /// To which containers, seen from the expression.
    pub op: Op,
    /// The expression.
    pub expr: Expr,
    /// `count=`: exactly so many matches, then the pattern is closed.
    pub count: Option<u32>,
    /// `min=`: at least so many matches.
    pub min: Option<u32>,
}

impl fmt::Display for Waitfor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.kind.as_str(), self.op.as_str(), self.expr)?;
        if let Some(count) = self.count {
            write!(f, ",count={count}")?;
        }
        self.min.map_or(Ok(()), |min| write!(f, ",min={min}"))
    }
}

/// Where the names of a term are looked up. Decided at the submit, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// Among the members of the own pipeline, by their short names. A pipeline is whole from its first moment, so
    /// the matches are all there.
    Pipeline,
    /// Among all containers, by their full names.
    Cluster,
}

/// How one match stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EdgeState {
    /// Not yet.
    Open,
    /// What the kind asks for has happened. Stays so, though the match is removed.
    Met,
    /// It can not happen any more, unless the match is retried.
    Impossible,
}

/// One match of a term: an edge of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// The match's full name at the time it matched.
    pub name: String,
    /// How it stands.
    pub state: EdgeState,
}

/// How a whole term stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All matches are met, and there are as many as asked for.
    Met,
    /// Something is still to happen.
    Unmet,
    /// A match ended the wrong way.
    Impossible,
}

/// A term inside the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// The term as written.
    pub waitfor: Waitfor,
    /// Where its names are looked up.
    pub scope: Scope,
    /// Its matches.
    pub edges: BTreeMap<ContainerId, Edge>,
    /// How many edges are open: a counter, so that an exit costs the same whether it is awaited with one or with a
    /// thousand others.
    open: u32,
    /// How many edges are impossible.
    impossible: u32,
}

impl Dependency {
    /// A term without a match yet.
    pub fn new(waitfor: Waitfor, scope: Scope) -> Self {
        Dependency { waitfor, scope, edges: BTreeMap::new(), open: 0, impossible: 0 }
    }

    /// Whether later containers may still join. A name means one container: it is open while it has none, and a name
    /// that is used again after a met edge means nothing here.
    pub fn is_live(&self) -> bool {
        let room = match self.waitfor.expr.only_name() {
            Some(_) => 1,
            None => self.waitfor.count.map_or(usize::MAX, |count| count as usize),
        };
        self.waitfor.op == Op::Is && self.scope == Scope::Cluster && self.edges.len() < room
    }

    /// Whether `name` (short or full, as the scope says) is meant by the term.
    pub fn means(&self, name: &str) -> bool {
        self.waitfor.expr.matches(name) != (self.waitfor.op == Op::IsNot)
    }

    /// Adds a match, or changes how it stands.
    pub fn set(&mut self, id: ContainerId, name: &str, state: EdgeState) {
        self.forget(id);
        self.count(state, true);
        self.edges.insert(id, Edge { name: name.to_owned(), state });
    }

    /// Takes a match out, as if it had never been.
    pub fn forget(&mut self, id: ContainerId) {
        if let Some(edge) = self.edges.remove(&id) {
            self.count(edge.state, false);
        }
    }

    fn count(&mut self, state: EdgeState, more: bool) {
        let counter = match state {
            EdgeState::Open => &mut self.open,
            EdgeState::Impossible => &mut self.impossible,
            EdgeState::Met => return,
        };
        *counter = if more { counter.saturating_add(1) } else { counter.saturating_sub(1) };
    }

    /// How the term stands. With `forgive`, an impossible match counts as met.
    pub fn verdict(&self, forgive: bool) -> Verdict {
        if self.impossible > 0 && !forgive {
            return Verdict::Impossible;
        }
        let matches = self.edges.len();
        let enough = match self.waitfor.op {
            Op::IsNot | Op::IsSoft => true,
            Op::Is => {
                let least = self.waitfor.count.or(self.waitfor.min).unwrap_or(1).max(1);
                matches >= least as usize
            }
        };
        if enough && self.open == 0 { Verdict::Met } else { Verdict::Unmet }
    }

    /// How many matches are met, and how many there are or must be.
    pub fn progress(&self) -> (usize, usize) {
        let met = self.edges.values().filter(|edge| edge.state == EdgeState::Met).count();
        let least = self.waitfor.count.or(self.waitfor.min).map_or(0, |n| n as usize);
        (met, self.edges.len().max(least))
    }

    /// Whether the counters agree with the edges; asked by `check`.
    pub(crate) fn counters_are_right(&self) -> bool {
        let tally = |state| self.edges.values().filter(|edge| edge.state == state).count();
        tally(EdgeState::Open) == self.open as usize
            && tally(EdgeState::Impossible) == self.impossible as usize
    }
}
