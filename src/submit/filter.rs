//! Constraints and affinities at the door: the grammar is the scheduler's, the limits are here.

use pinode_scheduler::dependency::Expr;
use pinode_scheduler::filter::{self, Affinity, Constraint, Op};

use super::pattern;
use super::spec::Invalid;

/// Most constraints, and most affinities, of one container: each is held against every node.
const FILTERS_MAX: usize = 32;

pub(super) fn constraint(field: &'static str, text: &str) -> Result<Constraint, Invalid> {
    let constraint = filter::constraint(text).map_err(|error| bad(field, "constraint", &error))?;
    pattern::check(field, &constraint.expr)?;
    Ok(constraint)
}

pub(super) fn affinity(field: &'static str, text: &str) -> Result<Affinity, Invalid> {
    let affinity = filter::affinity(text).map_err(|error| bad(field, "affinity", &error))?;
    pattern::check(field, &affinity.expr)?;
    Ok(affinity)
}

fn bad(field: &'static str, what: &str, error: &filter::BadFilter) -> Invalid {
    Invalid::bad(field, format!("{what}: {error}"))
}

pub(super) fn check_count(field: &'static str, what: &str, count: usize) -> Result<(), Invalid> {
    if count <= FILTERS_MAX {
        return Ok(());
    }
    let why = format!(
        "{count} {what} are too many, the limit is {FILTERS_MAX}; a regular expression joins several"
    );
    Err(Invalid::bad(field, why))
}

/// Refuses constraints on the node's name that no name can meet, so that a slip of the pen does not wait for ever.
pub(super) fn check_nodes(all: &[Constraint]) -> Result<(), Invalid> {
    let of_nodes = || all.iter().filter(|constraint| constraint.key == "node" && !constraint.soft);
    let meets = |name: &str, other: &Constraint| match (&other.op, &other.expr) {
        // One may be the name of the node whose id the other is: only the log knows.
        (_, Expr::Name(text)) if is_id(text) != is_id(name) => true,
        (Op::Is, expr) => expr.matches(name),
        (Op::IsNot, expr) => !expr.matches(name),
    };
    let mut wanted = of_nodes().filter_map(Constraint::only_node).filter(|name| !is_id(name));
    let impossible = wanted.find(|name| !of_nodes().all(|other| meets(name, other)));
    let Some(name) = impossible else { return Ok(()) };
    let texts: Vec<String> = of_nodes().map(Constraint::to_string).collect();
    let why = format!("no node can be {name} and meet the others of {}; take some out", texts.join(", "));
    Err(Invalid::never("constraints", why))
}

/// Whether a text looks like a node's id.
fn is_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit())
}
