//! A service outlives its node.

use std::io::{BufRead, BufReader, Read};

use pinode_jepsen::testbed::{await_true, number};

use super::{field, run};
use crate::world::{SOON, three};

#[test]
fn a_service_with_a_restart_policy_survives_the_death_of_its_node_and_its_logs_go_on() {
    let bed = three();
    run(&bed.face(1), "web", &["--restart", "unless-stopped"], "echo on $PINODE_NODE; sleep 600");
    let victim = number(&field(&bed.face(1), "web", ".Node.Name")).unwrap();
    let other = bed.face(victim % 3 + 1);
    let mut follow =
        other.command(&["logs", "-f", "web"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(follow.stdout.take().unwrap());
    let mut first = String::new();
    told.read_line(&mut first).unwrap();
    assert_eq!(first, format!("on n{victim}\n"));
    bed.cut(victim).unwrap();
    let moved = || {
        field(&other, "web", ".State.Status") == "running"
            && field(&other, "web", ".Node.Name") != format!("n{victim}")
    };
    await_true(SOON, moved).unwrap();
    await_true(SOON, || other.prints(&["logs", "web"]).is_ok_and(|logs| logs.contains("on n"))).unwrap();
    other.prints(&["stop", "-t", "1", "web"]).unwrap();
    assert_eq!(field(&other, "web", ".State.Running"), "false");
    // Who follows hears of both, and of the end.
    follow.wait().unwrap();
    let mut second = String::new();
    told.read_to_string(&mut second).unwrap();
    assert_eq!(second.matches("on n").count(), 1, "{second}");
}

#[test]
fn a_signal_that_people_end_a_program_with_ends_it_for_good_and_another_does_not() {
    let bed = three();
    let docker = bed.face(1);
    let script = "trap 'echo hup' HUP; trap 'exit 0' INT; echo ready; while :; do sleep 0.1; done";
    run(&docker, "web", &["--restart", "always"], script);
    await_true(SOON, || docker.prints(&["logs", "web"]).unwrap().contains("ready")).unwrap();
    docker.prints(&["kill", "-s", "HUP", "web"]).unwrap();
    await_true(SOON, || docker.prints(&["logs", "web"]).unwrap().contains("hup")).unwrap();
    docker.prints(&["kill", "-s", "INT", "web"]).unwrap();
    await_true(SOON, || field(&docker, "web", ".State.Status") == "exited").unwrap();
    assert_eq!(docker.prints(&["start", "web"]).unwrap(), "web\n");
    await_true(SOON, || field(&docker, "web", ".State.Status") == "running").unwrap();
}
