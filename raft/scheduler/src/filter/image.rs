//! Whether a node has an image that an affinity means.

use crate::dependency::Expr;
use crate::node::Node;

/// Fewest digits by which an image's id is known (what `docker images` prints).
const ID_MIN: usize = 12;
const LATEST: &str = ":latest";
const ID: &str = "sha256:";

/// Whether one of the node's images is meant.
pub(super) fn has(node: &Node, expr: &Expr) -> bool {
    let images = &node.images;
    match expr {
        Expr::Name(name) => {
            let name = plain(name);
            images.contains(name) || images.contains(&format!("{name}{LATEST}")) || has_id(node, name)
        }
        Expr::Glob(_) | Expr::Regex(_) => images.iter().any(|image| {
            expr.matches(image) || image.strip_suffix(LATEST).is_some_and(|image| expr.matches(image))
        }),
    }
}

/// Ids are sorted, so whatever begins like one follows it.
fn has_id(node: &Node, text: &str) -> bool {
    let digits = text.strip_prefix(ID).unwrap_or(text);
    if digits.len() < ID_MIN || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return false;
    }
    let id = format!("{ID}{}", digits.to_ascii_lowercase());
    node.images.range(id.clone()..).next().is_some_and(|found| found.starts_with(&id))
}

/// As engines list it: without the registry that everybody means.
pub(crate) fn plain(name: &str) -> &str {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    name.strip_prefix("library/").unwrap_or(name)
}
