//! Whom and what a container wants near it, or far.

use pinode_scheduler::{Reply, Spec};

use crate::world::{World, drawn, id_of, spec};

fn with_label(name: &str, key: &str, value: &str) -> Spec {
    Spec { labels: [(key.to_owned(), value.to_owned())].into(), ..spec(name, &[]) }
}

/// Three nodes; `db`, `web-1` and `cache` run on one each.
fn three() -> World {
    let mut world = World::with_nodes(3);
    for name in ["db", "web-1", "cache"] {
        world.submit_spec(with_label(name, "tier", name));
    }
    assert_eq!(["db", "web-1", "cache"].map(|name| world.node_of(name)), [1, 2, 3]);
    world
}

fn placed(affinities: &[&str]) -> u64 {
    let mut world = three();
    world.submit_spec(drawn("own", affinities));
    world.node_of("own")
}

#[test]
fn a_container_runs_where_the_one_that_it_names_is() {
    assert_eq!(placed(&["container==web-1"]), 2);
    assert_eq!(placed(&["container==ca*"]), 3);
    assert_eq!(placed(&["container==/^web-[0-9]$/"]), 2);
    let id = id_of("cache").to_string();
    assert_eq!(placed(&[&format!("container=={id}")]), 3);
    assert_eq!(placed(&[&format!("container=={}", &id[..12])]), 3);
}

#[test]
fn a_container_keeps_away_from_the_ones_that_it_names() {
    assert_eq!(placed(&["container!=db"]), 2);
    assert_eq!(placed(&["container!=db", "container!=web*"]), 3);
}

#[test]
fn a_label_of_a_container_draws_as_its_name_does() {
    assert_eq!(placed(&["tier==cache"]), 3);
    assert_eq!(placed(&["tier==/^w/"]), 2);
    assert_eq!(placed(&["tier!=d*", "tier!=web-1"]), 3);
}

#[test]
fn a_soft_affinity_ranks_and_excludes_nobody() {
    assert_eq!(placed(&["container==~cache"]), 3);
    assert_eq!(placed(&["container==~nobody"]), 1);
    assert_eq!(placed(&["container!=~db"]), 2);
    assert_eq!(placed(&["tier==~cache"]), 3);
    assert_eq!(placed(&["container!=~*"]), 1, "nobody meets it, so it is spread");
}

#[test]
fn an_ended_container_is_there_while_its_node_keeps_it() {
    let mut world = three();
    world.finish("web-1");
    world.submit_spec(drawn("near", &["container==web-1"]));
    assert_eq!(world.node_of("near"), 2);
    world.remove("web-1", false);
    world.submit_spec(drawn("late", &["container==web-1"]));
    assert_eq!(world.lacks("late"), ["affinity container==web-1"; 3]);
}

#[test]
fn who_waits_for_somebody_to_come_is_placed_in_the_entry_that_places_that_one() {
    let mut world = World::with_nodes(3);
    world.submit_spec(drawn("follower", &["container==leader*"]));
    assert_eq!(world.lacks("follower"), ["affinity container==leader*"; 3]);
    world.submit("leader-1", &[]);
    assert_eq!(world.node_of("follower"), world.node_of("leader-1"));
}

#[test]
fn those_of_one_entry_see_each_other_as_they_are_placed() {
    let mut world = World::with_nodes(3);
    world.pipeline("p", (0..4).map(|i| drawn(&format!("w{i}"), &["container!=w*"])).collect());
    let mut nodes: Vec<u64> = ["p.w0", "p.w1", "p.w2"].map(|name| world.node_of(name)).into();
    nodes.sort_unstable();
    assert_eq!(nodes, [1, 2, 3]);
    assert_eq!(world.lacks("p.w3"), ["affinity container!=w*"; 3]);
}

#[test]
fn in_a_pipeline_short_names_mean_its_members() {
    let mut world = World::with_nodes(3);
    world.submit("other", &[]);
    world.pipeline("p", vec![spec("db", &[]), drawn("web", &["container==db"])]);
    assert_eq!(world.node_of("p.web"), world.node_of("p.db"));
    world.submit_spec(drawn("stranger", &["container==db"]));
    assert_eq!(world.word("stranger"), "ready");
}

#[test]
fn a_container_is_no_company_for_itself() {
    let mut world = World::with_nodes(1);
    world.submit_spec(drawn("a", &["container!=a"]));
    assert_eq!(world.word("a"), "claimed");
    world.submit_spec(drawn("b", &["container==b"]));
    assert_eq!(world.lacks("b"), ["affinity container==b"]);
    world.submit_spec(drawn("c1", &["container!=c*"]));
    world.start("c1");
    world.exit("c1", 1);
    world.retry("c1");
    assert_eq!(world.word("c1"), "claimed", "what is kept of its first run is itself");
}

#[test]
fn an_image_draws_to_the_nodes_that_have_it() {
    for (affinity, node) in [
        ("image==busybox", 2),
        ("image==busybox:latest", 2),
        ("image==docker.io/library/busybox", 2),
        ("image==pinode/*", 3),
        ("image==/^busybox$/", 2),
        ("image==0123456789ab", 3),
        ("image==sha256:0123456789abcdef", 3),
        ("image==~pinode/film:local", 3),
        ("image!=busybox", 1),
    ] {
        let mut world = World::with_nodes(3);
        world.images(2, &["busybox:latest", "sha256:fedcba98765432100000"]);
        world.images(3, &["pinode/film:local", "sha256:0123456789abcdef0000"]);
        world.submit_spec(drawn("a", &[affinity]));
        assert_eq!(world.node_of("a"), node, "{affinity}");
    }
}

#[test]
fn an_image_with_another_tag_is_another_image() {
    let mut world = World::with_nodes(1);
    world.images(1, &["busybox:1.36"]);
    world.submit_spec(drawn("a", &["image==busybox"]));
    assert_eq!(world.lacks("a"), ["affinity image==busybox"]);
    world.images(1, &["busybox:latest"]);
    assert_eq!(world.node_of("a"), 1);
}

#[test]
fn only_the_open_session_s_word_on_images_counts_and_only_a_thousand_names_of_it() {
    let mut world = World::with_nodes(1);
    let names: Vec<String> = (0..1500).map(|i| format!("i{i:04}")).rev().collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(world.images(1, &names), Reply::Done);
    let known = &world.state.find_node(1).unwrap().images;
    assert_eq!((known.len(), known.last_key_value().map(|(name, _)| name.as_str())), (1000, Some("i0999")));
    world.lose(1);
    assert_eq!(world.images(1, &["late"]), Reply::Stale);
    assert_eq!(world.state.find_node(1).unwrap().images.len(), 1000);
}

#[test]
fn the_wrong_neighbours_do_not_keep_a_node_from_being_asked_for_an_image_later() {
    let mut world = World::with_nodes(2);
    world.submit("db", &[]);
    world.submit_spec(drawn("a", &["container==db"]));
    world.decline("a", pinode_scheduler::container::Decline::ImageMissing("busybox:local".to_owned()));
    assert_eq!(world.lacks("a"), ["image busybox:local is not on it", "affinity container==db"]);
}
