//! Nodes die at any time. What was accepted stays, the rest goes on, and ends that happened meanwhile are noticed.

use std::path::Path;

use pinode_jepsen::Testbed;
use pinode_jepsen::testbed::{Options, await_true, number};
use serde_json::json;

use crate::world::{SOON, await_state, shell, shell_after, start_with, states, three};

#[test]
fn any_one_of_three_can_be_killed_and_nothing_that_was_accepted_is_lost() {
    let bed = three();
    for victim in bed.all() {
        let others: Vec<usize> = bed.all().filter(|k| *k != victim).collect();
        bed.client(victim).submit(&shell(&format!("before{victim}"), "true")).unwrap();
        bed.client(victim)
            .submit(&shell_after(&format!("waits{victim}"), "true", &format!("container==later{victim}")))
            .unwrap();
        bed.kill_node(victim).unwrap();
        for k in others {
            let later = format!("later{victim}-{k}");
            bed.client(k).submit(&shell(&later, "true")).unwrap();
            assert_eq!(bed.client(k).wait(&later).unwrap()["state"], "succeeded");
            let blocked = bed.client(k).container(&format!("waits{victim}")).unwrap();
            assert_eq!(blocked["state"], "blocked", "{blocked:#}");
        }
        bed.start_node(victim).unwrap();
        bed.await_whole().unwrap();
        assert_eq!(bed.client(victim).wait(&format!("before{victim}")).unwrap()["state"], "succeeded");
    }
}

#[test]
fn the_leaders_death_delays_a_submit_and_does_not_lose_it() {
    let bed = three();
    let leader = number(bed.client(1).status().unwrap()["leader"].as_str().unwrap()).unwrap();
    let other = leader % 3 + 1;
    bed.kill_node(leader).unwrap();
    bed.client(other).submit(&shell("after", "true")).unwrap();
    assert_eq!(bed.client(other).wait("after").unwrap()["state"], "succeeded");
}

#[test]
fn all_three_killed_at_once_come_back_with_the_same_blocked_map_and_notice_what_ended() {
    let bed = three();
    let client = bed.client(1);
    for k in 0..3 {
        client.submit(&shell(&format!("ends{k}"), "sleep 4; exit 0")).unwrap();
        client.submit(&shell_after(&format!("next{k}"), "true", &format!("container==ends{k}"))).unwrap();
    }
    client.submit(&shell_after("blocked", "true", "container==nobody*,count=2")).unwrap();
    for k in 0..3 {
        await_state(&client, &format!("ends{k}"), &["running"]);
    }
    let before = states(&client);
    bed.all().for_each(|k| bed.kill_node(k).unwrap());
    // The engines and their containers go on, and end while no pinode lives.
    let none_runs =
        || bed.all().all(|k| bed.docker(k, &["ps", "-q"]).is_ok_and(|running| running.is_empty()));
    await_true(SOON, none_runs).unwrap();
    bed.start_nodes().unwrap();
    for k in 0..3 {
        let ended = await_state(&bed.client(2), &format!("ends{k}"), &["succeeded"]);
        assert_eq!(ended["attempt"], 1, "{ended:#}");
        await_state(&bed.client(3), &format!("next{k}"), &["succeeded"]);
    }
    let names = |all: &[(String, String)]| all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    for k in bed.all() {
        assert_eq!(names(&states(&bed.client(k))), names(&before));
        assert_eq!(bed.client(k).container("blocked").unwrap()["state"], "blocked");
    }
}

#[test]
fn a_machine_that_loses_power_has_its_work_run_elsewhere() {
    let bed = three();
    let client = bed.client(1);
    client.submit(&shell("long", "sleep 5")).unwrap();
    client.submit(&shell_after("next", "true", "container==long")).unwrap();
    let running = await_state(&client, "long", &["running"]);
    let victim = number(running["node"].as_str().unwrap()).unwrap();
    let other = victim % 3 + 1;
    bed.cut(victim).unwrap();
    let ended = bed.client(other).wait("next").unwrap();
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let long = bed.client(other).container("long").unwrap();
    assert_eq!((long["attempt"].as_u64(), long["node"] != running["node"]), (Some(2), true), "{long:#}");
    assert_eq!(long["attempts"][0]["end"].as_str().map(|end| end.contains("lost")), Some(true), "{long:#}");
}

#[test]
fn a_node_that_stops_with_its_containers_leaves_its_work_to_the_others_at_once() {
    let pinode = Path::new(env!("CARGO_BIN_EXE_pinode"));
    let bed = Testbed::up(&Options::STORY, pinode).unwrap();
    bed.all().for_each(|k| start_with(&bed, k, pinode, &[("PINODE_STOP_CONTAINERS", "true")]));
    bed.await_whole().unwrap();
    let client = bed.client(1);
    for k in 0..3 {
        client.submit(&shell(&format!("long{k}"), "sleep 8")).unwrap();
    }
    for k in 0..3 {
        await_state(&client, &format!("long{k}"), &["running"]);
    }
    bed.stop_node(3).unwrap();
    assert_eq!(bed.docker(3, &["ps", "-q"]).unwrap(), "");
    // Not after the lease: it said that it leaves, and how its work ended.
    for k in 0..3 {
        let seen = await_state(&client, &format!("long{k}"), &["running"]);
        assert_ne!(seen["node"], "n3", "{seen:#}");
    }
    for k in 0..3 {
        assert_eq!(client.wait(&format!("long{k}")).unwrap()["state"], "succeeded");
    }
}

#[test]
fn a_restarted_node_that_finds_no_majority_stops_what_may_run_elsewhere_when_its_lease_is_over() {
    let bed = three();
    let on_n3 = |name: &str, rerun: &str| {
        let mut spec = shell(name, "sleep 300");
        spec["constraints"] = json!(["node==n3"]);
        spec["rerun"] = json!(rerun);
        bed.client(1).submit(&spec).unwrap();
        await_state(&bed.client(1), name, &["running"]);
    };
    on_n3("elsewhere", "fenced");
    on_n3("only-here", "never");
    bed.all().for_each(|k| bed.kill_node(k).unwrap());
    bed.start_node(3).unwrap();
    let running = || bed.docker(3, &["ps", "--format", "{{.Names}}"]).unwrap();
    await_true(SOON, || !running().contains("-elsewhere-")).unwrap();
    assert!(running().contains("-only-here-"), "{}", running());
}
