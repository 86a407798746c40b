//! Which of the nodes that fit takes a container.

use std::collections::BTreeMap;

use pinode_scheduler::node::Capacity;
use pinode_scheduler::spec::{Needs, Strategy};
use pinode_scheduler::{NodeFacts, NodeId, Spec};

use crate::world::{World, bound, facts, spec};

fn ranked(name: &str, strategy: Strategy) -> Spec {
    Spec { strategy, ..spec(name, &[]) }
}

fn placed(nodes: u64, count: u32, strategy: Strategy) -> Vec<NodeId> {
    let mut world = World::with_nodes(nodes);
    let name = |i: u32| format!("c{i}");
    (0..count).for_each(|i| drop(world.submit_spec(ranked(&name(i), strategy))));
    (0..count).map(|i| world.node_of(&name(i))).collect()
}

fn tally(nodes: &[NodeId]) -> BTreeMap<NodeId, usize> {
    let mut tally = BTreeMap::new();
    nodes.iter().for_each(|node| *tally.entry(*node).or_default() += 1);
    tally
}

#[test]
fn spread_takes_the_emptiest() {
    assert_eq!(tally(&placed(3, 12, Strategy::default())), BTreeMap::from([(1, 4), (2, 4), (3, 4)]));
}

#[test]
fn binpack_fills_one_node_before_it_opens_the_next() {
    let nodes = placed(3, 40, Strategy::Binpack);
    assert!(nodes.is_sorted());
    assert_eq!(tally(&nodes), BTreeMap::from([(1, 16), (2, 16), (3, 8)]));
}

#[test]
fn binpack_takes_the_fullest_that_still_fits() {
    let mut world = World::with_nodes(3);
    let needing = |name: &str, cpus: u64, node: &str| Spec {
        needs: Needs { cpu_milli: cpus * 1000, memory: 0 },
        strategy: Strategy::Binpack,
        ..bound(name, &[node])
    };
    world.submit_spec(needing("most", 3, "node==n3"));
    world.submit_spec(needing("some", 2, "node==n2"));
    world.submit_spec(needing("two", 2, "node==*"));
    world.submit_spec(needing("one", 1, "node==*"));
    assert_eq!(["two", "one"].map(|name| world.node_of(name)), [2, 3], "no room for two on n3");
}

#[test]
fn binpack_weighs_shares_and_not_sums() {
    let mut world = World::empty();
    let of = |cpus: u64| Capacity { cpu_milli: cpus * 1000, memory: 1 << 30, slots: 16 };
    world.open(1, 1, NodeFacts { capacity: of(16), ..facts("large") });
    world.open(2, 1, NodeFacts { capacity: of(2), ..facts("small") });
    let mut asks = |name: &str, node: &str, cpu_milli: u64| {
        let needs = Needs { cpu_milli, memory: 0 };
        world.submit_spec(Spec { needs, strategy: Strategy::Binpack, ..bound(name, &[node]) });
    };
    asks("a", "node==large", 2000);
    asks("b", "node==small", 1000);
    asks("c", "node==*", 500);
    assert_eq!(world.node_of("c"), 2);
}

#[test]
fn random_is_the_same_on_two_replays() {
    let once = placed(5, 40, Strategy::Random);
    assert_eq!(once, placed(5, 40, Strategy::Random));
}

#[test]
fn random_spreads_over_many_and_follows_no_pattern() {
    let nodes = placed(5, 60, Strategy::Random);
    let tally = tally(&nodes);
    assert!(tally.len() == 5 && tally.values().all(|count| (4..=16).contains(count)), "{tally:?}");
    assert!(nodes.windows(2).any(|pair| pair[0] == pair[1]), "what spreads never takes a node twice running");
}

#[test]
fn random_draws_again_for_the_next_attempt() {
    let mut world = World::with_nodes(5);
    world.submit_spec(ranked("a", Strategy::Random));
    let mut seen = Vec::new();
    for _ in 0..12 {
        seen.push(world.node_of("a"));
        world.start("a");
        world.exit("a", 1);
        world.retry("a");
    }
    assert!(tally(&seen).len() > 2, "{seen:?}");
}

#[test]
fn preferences_come_before_the_strategy() {
    let mut world = World::with_nodes(3);
    for strategy in [Strategy::Spread, Strategy::Binpack, Strategy::Random] {
        let name = format!("{strategy:?}").to_lowercase();
        world.submit_spec(Spec { strategy, ..bound(&name, &["node==~n3"]) });
        assert_eq!(world.node_of(&name), 3, "{name}");
    }
}

/// A queue of a thousand that nobody can take is walked at every entry, so it must cost little.
#[test]
fn a_thousand_that_fit_nowhere_do_not_stop_fifty_nodes() {
    let mut world = World::with_nodes(50);
    let picky = |i: usize| Spec {
        affinities: ["container==none*", "tier==x", "image==/^none/"]
            .map(|text| pinode_scheduler::filter::affinity(text).unwrap())
            .into(),
        shared: true,
        beside: ["nobody".to_owned()].into(),
        ..bound(&format!("c{i}"), &["arch==arm64", "zone==~/a/"])
    };
    let specs = (0..1000).map(|i| Spec { constraints: Vec::new(), ..picky(i) }).collect();
    world.pipeline("p", specs);
    for i in 0..20 {
        world.submit(&format!("s{i}"), &[]);
        world.finish(&format!("s{i}"));
    }
    assert_eq!(world.word("p.c999"), "ready");
}
