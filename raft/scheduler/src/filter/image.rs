//! Which of its images a node is asked for: by an affinity, or by who would run there.

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
        Expr::Name(name) => arch(node, name).is_some(),
        Expr::Glob(_) | Expr::Regex(_) => images.keys().any(|image| {
            expr.matches(image) || image.strip_suffix(LATEST).is_some_and(|image| expr.matches(image))
        }),
    }
}

/// What machine the node's image of this name or id is made for; none if it has no such image.
pub(crate) fn arch<'a>(node: &'a Node, name: &str) -> Option<&'a str> {
    let (images, name) = (&node.images, plain(name));
    let named = images.get(name).or_else(|| images.get(&format!("{name}{LATEST}"))).map(String::as_str);
    named.or_else(|| arch_by_id(node, name))
}

/// Ids are sorted, so whatever begins like one follows it.
fn arch_by_id<'a>(node: &'a Node, text: &str) -> Option<&'a str> {
    let digits = text.strip_prefix(ID).unwrap_or(text);
    if digits.len() < ID_MIN || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let id = format!("{ID}{}", digits.to_ascii_lowercase());
    let (found, arch) = node.images.range(id.clone()..).next()?;
    found.starts_with(&id).then_some(arch.as_str())
}

/// As engines list it: without the registry that everybody means.
pub(crate) fn plain(name: &str) -> &str {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    name.strip_prefix("library/").unwrap_or(name)
}
