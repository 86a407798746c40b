//! Who waits for whom, and when a wait is over.

use pinode_scheduler::command::{Command, Missing, NewContainer};
use pinode_scheduler::{Rejection, Reply, Timer};

use crate::world::{World, id_of, rejection, spec};

#[test]
fn a_chain_moves_one_step_an_exit() {
    let mut world = World::with_nodes(1);
    world.submit("split", &[]);
    world.submit("encode", &["container==split"]);
    world.submit("merge", &["container==encode"]);
    assert_eq!(world.words(["split", "encode", "merge"]), ["claimed", "blocked", "blocked"]);
    world.start("split");
    world.exit("split", 0);
    assert_eq!(
        world.said(),
        ["split attempt 1 ended on n1", "split succeeded on n1", "encode ready", "encode claimed as 1 on n1"]
    );
}

#[test]
fn a_fan_in_waits_for_the_last_of_them() {
    let mut world = World::with_nodes(3);
    world.submit("merge", &["container==encode*,count=3"]);
    for name in ["encode1", "encode2", "encode3"] {
        world.submit(name, &[]);
    }
    world.finish("encode2");
    world.finish("encode1");
    assert_eq!(world.get("merge").waits_for(), ["encode* 2/3"]);
    world.finish("encode3");
    assert_eq!(world.word("merge"), "claimed");
}

#[test]
fn a_pattern_that_matches_nothing_keeps_it_blocked_and_says_so() {
    let mut world = World::with_nodes(1);
    let merge = world.submit("merge", &["container==encode*,min=1"]);
    assert_eq!(
        (merge.state.as_str(), &merge.warnings[..]),
        ("blocked", &["waits for `encode*`, which matches nothing yet".to_owned()][..])
    );
}

#[test]
fn an_open_pattern_gets_a_warning_and_lists_what_had_ended() {
    let mut world = World::with_nodes(1);
    world.submit("encode1", &[]);
    world.finish("encode1");
    let merge = world.submit("merge", &["container==encode*"]);
    assert_eq!(merge.state, "claimed");
    assert!(merge.warnings[0].contains("`encode*` is open"), "{:?}", merge.warnings);
    assert!(merge.warnings[1].contains("matches encode1, which ended"), "{:?}", merge.warnings);
}

#[test]
fn a_later_match_joins_a_live_pattern_until_the_release() {
    let mut world = World::with_nodes(1);
    world.submit("encode1", &[]);
    world.submit("merge", &["container==/^encode[0-9]$/"]);
    world.submit("encode2", &[]);
    world.finish("encode1");
    assert_eq!(world.word("merge"), "blocked");
    world.finish("encode2");
    assert_eq!(world.word("merge"), "claimed");
    world.submit("encode3", &[]);
    assert_eq!(world.get("merge").dependencies[0].edges.len(), 2);
}

#[test]
fn a_count_that_is_already_exceeded_is_refused() {
    let mut world = World::with_nodes(1);
    world.submit("encode1", &[]);
    world.submit("encode2", &[]);
    let refusal = world.refused("merge", &["container==encode*,count=1"]);
    assert!(refusal.to_string().contains("2 match already: encode1, encode2"), "{refusal}");
    assert!(world.state.find_named("merge").is_none());
}

#[test]
fn the_match_after_the_last_counted_one_does_not_join() {
    let mut world = World::with_nodes(1);
    world.submit("merge", &["container==encode*,count=1"]);
    world.submit("encode1", &[]);
    world.submit("encode2", &[]);
    world.finish("encode1");
    assert_eq!(world.word("merge"), "claimed");
}

#[test]
fn a_list_and_several_kinds_are_anded() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.submit("b", &[]);
    world.submit("c", &[]);
    world.submit("last", &["container==a,b", "started==c"]);
    world.finish("a");
    world.finish("b");
    assert_eq!(world.word("last"), "blocked");
    world.start("c");
    assert_eq!(world.word("last"), "claimed");
}

#[test]
fn exited_is_met_whatever_the_code_and_failed_only_by_a_failure() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.submit("after", &["exited==a"]);
    world.submit("rescue", &["failed==a"]);
    world.submit("next", &["container==a"]);
    world.exit("a", 3);
    assert_eq!(world.words(["after", "rescue", "next"]), ["claimed", "claimed", "skipped"]);
}

#[test]
fn failed_can_never_be_met_by_a_success() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.submit("rescue", &["failed==a"]);
    world.finish("a");
    assert_eq!(world.word("rescue"), "skipped");
}

#[test]
fn started_is_a_fact_that_stays() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.start("a");
    world.exit("a", 1);
    assert_eq!(world.submit("b", &["started==a"]).state, "claimed");
}

#[test]
fn healthy_waits_for_the_first_report() {
    let mut world = World::with_nodes(1);
    let mut db = spec("db", &[]);
    db.has_health = true;
    world.submit_spec(db);
    world.submit("web", &["healthy==db"]);
    world.start("db");
    assert_eq!(world.word("web"), "blocked");
    let claim = world.claim("db");
    world.apply(Command::Healthy { container: id_of("db"), attempt: claim.attempt, session: claim.session });
    assert_eq!(world.word("web"), "claimed");
}

#[test]
fn healthy_of_what_has_no_health_check_is_refused_or_skipped_if_it_comes_later() {
    let mut world = World::with_nodes(1);
    world.submit("early", &["healthy==db"]);
    world.submit("db", &[]);
    assert_eq!(world.word("early"), "skipped");
    assert!(matches!(world.refused("late", &["healthy==db"]), Rejection::NoHealthCheck(..)));
}

#[test]
fn all_but_is_evaluated_once_and_never_means_itself() {
    let mut world = World::with_nodes(1);
    world.submit("keep", &[]);
    world.submit("a", &[]);
    world.submit("cleanup", &["exited!=keep"]);
    world.submit("late", &[]);
    world.exit("a", 1);
    assert_eq!(world.words(["keep", "late", "cleanup"]), ["claimed", "claimed", "claimed"]);
}

#[test]
fn the_soft_form_waits_for_what_exists_and_for_none_if_there_is_none() {
    let mut world = World::with_nodes(1);
    assert_eq!(world.submit("alone", &["container==~encode*"]).state, "claimed");
    world.submit("encode1", &[]);
    assert_eq!(world.submit("merge", &["container==~encode*"]).state, "blocked");
    world.submit("encode2", &[]);
    world.finish("encode1");
    assert_eq!(world.word("merge"), "claimed");
}

#[test]
fn in_a_pipeline_names_mean_its_members_first() {
    let mut world = World::with_nodes(1);
    world.submit("split", &[]);
    world.finish("split");
    world.pipeline("one", vec![spec("split", &[]), spec("encode", &["container==split"])]);
    world.pipeline("two", vec![spec("split", &[]), spec("encode", &["container==split"])]);
    assert_eq!(world.words(["one.encode", "two.encode"]), ["blocked", "blocked"]);
    world.finish("one.split");
    assert_eq!(world.words(["one.encode", "two.encode"]), ["claimed", "blocked"]);
}

#[test]
fn a_pipeline_is_accepted_whole_or_not_at_all() {
    let mut world = World::with_nodes(1);
    world.submit("p.b", &[]);
    let before = world.state.clone();
    let reply = world.try_pipeline("p", vec![spec("a", &[]), spec("b", &[])]);
    assert_eq!(rejection(reply), Rejection::NameTaken("p.b".to_owned()));
    assert!(world.state.containers().eq(before.containers()));
}

#[test]
fn removing_an_unmet_parent_leaves_the_child_blocked_on_the_name() {
    let mut world = World::with_nodes(1);
    world.submit("a", &["container==gate"]);
    world.submit("b", &["container==a"]);
    world.remove("a", false);
    assert_eq!(world.word("b"), "blocked");
    world.submit("a", &[]);
    world.finish("a");
    assert_eq!(world.word("b"), "claimed");
}

#[test]
fn a_met_edge_stays_met_though_its_container_is_removed() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.submit("gate", &["container==key"]);
    world.submit("b", &["container==a,gate"]);
    world.finish("a");
    world.remove("a", false);
    world.submit("a", &["container==never"]);
    world.submit("key", &[]);
    world.finish("key");
    world.finish("gate");
    assert_eq!(world.word("b"), "claimed");
}

#[test]
fn a_missing_dependency_is_refused_if_asked() {
    let mut world = World::with_nodes(1);
    let request = world.request();
    let containers = vec![NewContainer { id: id_of("b"), spec: spec("b", &["container==a"]), held: false }];
    let submit = Command::Submit { request, pipeline: None, containers, missing: Missing::Reject };
    assert_eq!(
        rejection(world.apply(submit)),
        Rejection::MissingDependency("b".into(), "container==a".into())
    );
}

#[test]
fn a_wait_that_never_ends_fails_when_its_timeout_fires() {
    let mut world = World::with_nodes(1);
    world.submit("b", &["container==a,wait_timeout=10m"]);
    let (timer, ms) = world.fire_only();
    assert_eq!((timer, ms), (Timer::WaitTimeout { container: id_of("b"), run: 1 }, 600_000));
    assert_eq!(world.failed("b").1.unwrap(), "wait_timeout: waited 600 s for a");
    world.submit("a", &[]);
    assert_eq!(world.word("b"), "failed");
}

#[test]
fn an_old_timer_changes_nothing() {
    let mut world = World::with_nodes(1);
    world.submit("a", &[]);
    world.submit("b", &["container==a,wait_timeout=10m"]);
    world.finish("a");
    assert_eq!(world.fire(Timer::WaitTimeout { container: id_of("b"), run: 1 }), Reply::Stale);
}

#[test]
fn a_thousand_dependents_of_one_are_released_by_one_exit_each_once() {
    let mut world = World::with_nodes(3);
    world.submit("split", &[]);
    let specs: Vec<_> = (0..1000).map(|i| spec(&format!("e{i}"), &["container==split"])).collect();
    world.pipeline("p", specs);
    world.finish("split");
    let ready = world.said().iter().filter(|line| line.ends_with(" ready")).count();
    let claimed = world.said().iter().filter(|line| line.contains(" claimed as 1 ")).count();
    assert_eq!((ready, claimed), (1000, 48));
}
