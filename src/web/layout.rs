//! Places for a graph: containers that wait for the same and are waited for by the same stand together in one group, and
//! the groups are laid out in layers, from what starts first at the top down. Three hundred encoders are one box between
//! their split and their merge, not three hundred lines.

use std::collections::{BTreeMap, BTreeSet};

use rust_sugiyama::configure::Config;
use serde::Serialize;

use crate::api;

/// A container's tile where there is room for its name, in pixels of the page.
const WIDE: (f64, f64) = (168.0, 44.0);
/// A tile among many: its number has room.
const NARROW: (f64, f64) = (40.0, 28.0);
/// From so many members on a group has narrow tiles.
const MANY: usize = 25;
/// Between two tiles, and between tiles and their group's edge.
const GAP: f64 = 8.0;
/// Between two groups.
const SPACE: f64 = 48.0;
/// Narrowest and widest picture that is asked for, in pixels.
const WIDTHS: (f64, f64) = (320.0, 2400.0);

/// Everything in its place.
#[derive(Debug, Serialize)]
pub(super) struct Laid {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) groups: Vec<Group>,
    pub(super) lines: Vec<Line>,
}

/// Containers that stand together.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Group {
    /// Of its upper left corner.
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    /// Tiles in a row.
    columns: usize,
    tile: (f64, f64),
    gap: f64,
    /// Names; what matches nothing yet is an expression here.
    members: Vec<String>,
}

/// One group waits for another.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// Position of the group that is waited for.
    from: usize,
    /// Position of the group that waits.
    to: usize,
    /// `container`, `exited`, …
    kind: String,
    met: usize,
    all: usize,
}

/// Lays a graph out for a page that is `width` wide.
pub(super) fn lay_out(graph: &api::Graph, width: f64) -> Laid {
    let width = width.clamp(WIDTHS.0, WIDTHS.1);
    let groups = groups(graph);
    let group_of: BTreeMap<&str, usize> =
        groups.iter().enumerate().flat_map(|(at, names)| names.iter().map(move |name| (*name, at))).collect();
    let lines = lines(graph, &group_of);
    let mut placed: Vec<Group> = groups.iter().map(|members| sized(members, width)).collect();
    place(&mut placed, &lines, width);
    let right = |group: &Group| group.x + group.width;
    let low = |group: &Group| group.y + group.height;
    Laid {
        width: placed.iter().map(right).fold(0.0, f64::max),
        height: placed.iter().map(low).fold(0.0, f64::max),
        groups: placed,
        lines,
    }
}

/// Whether it is waited for, how, and who it is.
type Neighbour<'a> = (bool, &'a str, &'a str);

/// Who has the same neighbours, in the order of submits.
fn groups(graph: &api::Graph) -> Vec<Vec<&str>> {
    let mut neighbours: BTreeMap<&str, BTreeSet<Neighbour<'_>>> = BTreeMap::new();
    for edge in &graph.edges {
        let kind = edge.kind.as_str();
        neighbours.entry(&edge.from).or_default().insert((true, kind, &edge.to));
        neighbours.entry(&edge.to).or_default().insert((false, kind, &edge.from));
    }
    let mut names: Vec<&str> = graph.nodes.iter().map(|node| node.name.as_str()).collect();
    let known: BTreeSet<&str> = names.iter().copied().collect();
    names.extend(neighbours.keys().filter(|name| !known.contains(*name)));
    let mut at: BTreeMap<(bool, BTreeSet<Neighbour<'_>>), usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&str>> = Vec::new();
    for name in names {
        let like = (known.contains(name), neighbours.remove(name).unwrap_or_default());
        let group = *at.entry(like).or_insert(groups.len());
        if group == groups.len() {
            groups.push(Vec::new());
        }
        groups.get_mut(group).into_iter().for_each(|members| members.push(name));
    }
    groups
}

fn lines(graph: &api::Graph, group_of: &BTreeMap<&str, usize>) -> Vec<Line> {
    let mut lines: BTreeMap<(usize, usize, &str), (usize, usize)> = BTreeMap::new();
    for edge in &graph.edges {
        let (Some(to), Some(from)) = (group_of.get(edge.from.as_str()), group_of.get(edge.to.as_str()))
        else {
            continue;
        };
        let (met, all) = lines.entry((*from, *to, &edge.kind)).or_default();
        *met += usize::from(edge.met);
        *all += 1;
    }
    let line = |((from, to, kind), (met, all)): ((_, _, &str), _)| Line {
        from,
        to,
        kind: kind.to_owned(),
        met,
        all,
    };
    lines.into_iter().map(line).collect()
}

/// In a row, and then on in the next: a wide page has room for a neighbour at the side.
fn sized(members: &[&str], width: f64) -> Group {
    let width = if width > 4.0 * WIDE.0 { width - WIDE.0 - 2.0 * GAP - SPACE } else { width };
    let tile = if members.len() < MANY { WIDE } else { NARROW };
    let fit = ((width - GAP) / (tile.0 + GAP)).floor().max(1.0) as usize;
    let columns = members.len().min(fit).max(1);
    let rows = members.len().div_ceil(columns);
    Group {
        x: 0.0,
        y: 0.0,
        width: columns as f64 * (tile.0 + GAP) + GAP,
        height: rows as f64 * (tile.1 + GAP) + GAP,
        columns,
        tile,
        gap: GAP,
        members: members.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// Each connected part in layers; the parts side by side, as many as there is room for.
fn place(groups: &mut [Group], lines: &[Line], width: f64) {
    let numbers = || 0_u32..;
    let vertices: Vec<(u32, (f64, f64))> =
        numbers().zip(groups.iter()).map(|(at, group)| (at, (group.width, group.height))).collect();
    let pairs: BTreeSet<(u32, u32)> = lines
        .iter()
        .filter_map(|line| Some((u32::try_from(line.from).ok()?, u32::try_from(line.to).ok()?)))
        .filter(|(from, to)| from != to)
        .collect();
    let pairs: Vec<(u32, u32)> = pairs.into_iter().collect();
    let config = Config { vertex_spacing: SPACE, ..Config::default() };
    let mut parts = rust_sugiyama::from_vertices_and_edges(&vertices, &pairs, &config);
    // In the order of submits, whatever order they come in.
    parts.sort_by_key(|(places, _, _)| places.iter().map(|(at, _)| *at).min());
    let (mut left, mut top, mut tallest) = (0.0, 0.0, 0.0_f64);
    for (places, _, _) in parts {
        // Places are the groups' middles.
        let corner = |groups: &[Group], (at, (x, y)): &(usize, (f64, f64))| {
            groups.get(*at).map(|group| (x - group.width / 2.0, y - group.height / 2.0))
        };
        let corners: Vec<(f64, f64)> = places.iter().filter_map(|place| corner(groups, place)).collect();
        let x = corners.iter().map(|(x, _)| *x).fold(f64::INFINITY, f64::min);
        let y = corners.iter().map(|(_, y)| *y).fold(f64::INFINITY, f64::min);
        let ends = places.iter().zip(&corners).filter_map(|((at, _), (cx, cy))| {
            groups.get(*at).map(|group| (cx - x + group.width, cy - y + group.height))
        });
        let (wide, tall) = ends.fold((0.0, 0.0), |(w, h), (x, y)| (f64::max(w, x), f64::max(h, y)));
        if left > 0.0 && left + wide > width {
            (left, top, tallest) = (0.0, top + tallest + SPACE, 0.0);
        }
        for ((at, _), (cx, cy)) in places.iter().zip(&corners) {
            if let Some(group) = groups.get_mut(*at) {
                (group.x, group.y) = (left + cx - x, top + cy - y);
            }
        }
        left += wide + SPACE;
        tallest = tallest.max(tall);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &str)], lone: &[&str]) -> api::Graph {
        let names: BTreeSet<&str> =
            edges.iter().flat_map(|(from, to)| [*from, *to]).chain(lone.iter().copied()).collect();
        let node = |name: &str| api::GraphNode {
            name: name.to_owned(),
            state: "blocked".to_owned(),
            node: None,
            exit_code: None,
        };
        let edge = |(from, to): &(&str, &str)| api::GraphEdge {
            from: (*from).to_owned(),
            to: (*to).to_owned(),
            kind: "container".to_owned(),
            met: false,
        };
        api::Graph { nodes: names.into_iter().map(node).collect(), edges: edges.iter().map(edge).collect() }
    }

    fn film(parts: usize) -> api::Graph {
        let encoders: Vec<String> = (0..parts).map(|part| format!("encode{part}")).collect();
        let mut edges = vec![("merge", "audio")];
        edges.extend(encoders.iter().flat_map(|name| [(name.as_str(), "split"), ("merge", name.as_str())]));
        graph(&edges, &[])
    }

    fn find<'a>(laid: &'a Laid, name: &str) -> &'a Group {
        laid.groups.iter().find(|group| group.members.iter().any(|member| member == name)).unwrap()
    }

    #[test]
    fn who_waits_stands_below_whom_it_waits_for() {
        let laid = lay_out(&film(3), 1000.0);
        let (split, encode, merge) = (find(&laid, "split"), find(&laid, "encode1"), find(&laid, "merge"));
        assert!(split.y + split.height < encode.y && encode.y + encode.height < merge.y, "{laid:?}");
    }

    #[test]
    fn three_hundred_encoders_are_one_group_as_wide_as_the_page() {
        let laid = lay_out(&film(300), 1000.0);
        assert_eq!((laid.groups.len(), laid.lines.len()), (4, 3));
        assert_eq!(find(&laid, "encode7").members.len(), 300);
        assert!(laid.width <= 1300.0 && laid.height <= 1000.0, "{} × {}", laid.width, laid.height);
    }

    #[test]
    fn three_hundred_containers_of_which_no_two_are_alike_all_have_a_place() {
        let names: Vec<String> = (0..300).map(|at| format!("c{at:03}")).collect();
        let parents = |at: usize| [at / 2, at * 7 / 11].into_iter().filter(move |parent| *parent < at);
        let edges: Vec<(&str, &str)> = (1..300)
            .flat_map(|at| parents(at).map(move |parent| (at, parent)))
            .map(|(at, parent)| (names[at].as_str(), names[parent].as_str()))
            .collect();
        let laid = lay_out(&graph(&edges, &[]), 1000.0);
        assert_eq!(laid.groups.iter().map(|group| group.members.len()).sum::<usize>(), 300);
    }

    #[test]
    fn no_two_groups_overlap() {
        let diamond = [("b", "a"), ("c", "a"), ("d", "b"), ("d", "c"), ("e", "c"), ("y", "x"), ("z", "y")];
        for laid in [lay_out(&film(7), 400.0), lay_out(&graph(&diamond, &["lone"]), 700.0)] {
            for (at, one) in laid.groups.iter().enumerate() {
                for other in laid.groups.iter().skip(at + 1) {
                    let apart = one.x + one.width <= other.x
                        || other.x + other.width <= one.x
                        || one.y + one.height <= other.y
                        || other.y + other.height <= one.y;
                    assert!(apart, "{one:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn the_same_graph_has_the_same_places() {
        let diamond = [("b", "a"), ("c", "a"), ("d", "b"), ("d", "c"), ("e", "c"), ("f", "d"), ("f", "a")];
        let places = || lay_out(&graph(&diamond, &["lone"]), 700.0).groups;
        let first = places();
        for _ in 0..20 {
            assert_eq!(places(), first);
        }
    }

    #[test]
    fn what_matches_nothing_yet_has_a_place_of_its_own() {
        let mut graph = graph(&[("a", "later*")], &[]);
        graph.nodes.retain(|node| node.name == "a");
        let laid = lay_out(&graph, 700.0);
        assert_eq!(find(&laid, "later*").members, ["later*"]);
    }
}
