//! docker-compose drives a node as it drives an engine.

use std::fmt::Write;
use std::fs;

use pinode_jepsen::program::Program;

use crate::world::three;

/// Ten services, each after the one before.
fn chain() -> String {
    let mut file = "services:\n".to_owned();
    for k in 1..=10 {
        write!(
            file,
            "  s{k}:\n    image: busybox:local\n    network_mode: none\n    command: sh -c 'echo step {k}'\n"
        )
        .unwrap();
        if k > 1 {
            write!(
                file,
                "    depends_on:\n      s{}:\n        condition: service_completed_successfully\n",
                k - 1
            )
            .unwrap();
        }
    }
    file
}

#[test]
fn docker_compose_brings_ten_chained_services_up_and_down() {
    ten_chained_services("docker-compose", &["ps"], "Exit 0");
}

#[test]
#[ignore = "needs compose v2, which Debian 12 lacks: PINODE_COMPOSE_V2=PROGRAM cargo test --test stories -- --ignored compose_v2"]
fn compose_v2_brings_ten_chained_services_up_and_down() {
    let program = std::env::var("PINODE_COMPOSE_V2").expect("the program of compose v2");
    ten_chained_services(&program, &["ps", "-a"], "Exited (0)");
}

/// `ended`: how `ps` calls a service that ended well.
fn ten_chained_services(program: &str, ps: &[&str], ended: &str) {
    let bed = three();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("docker-compose.yml");
    fs::write(&file, chain()).unwrap();
    let file = file.to_str().unwrap();
    let compose = Program::of_docker(program, &bed.face_host(2));
    let with = |args: &[&str]| {
        let all: Vec<&str> =
            ["-p", "shop", "-f", file, "--ansi", "never"].iter().chain(args).copied().collect();
        compose.prints(&all).unwrap()
    };
    let up = with(&["up"]);
    for k in 1..=10 {
        assert!(up.contains(&format!("step {k}\n")), "{up}");
    }
    assert_eq!(with(ps).matches(ended).count(), 10);
    assert!(with(&["logs", "s7"]).contains("step 7"));
    with(&["down"]);
    assert_eq!(bed.face(1).prints(&["ps", "-aq"]).unwrap(), "");
}

#[test]
fn docker_compose_makes_a_network_and_a_volume_for_its_services() {
    let bed = three();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("docker-compose.yml");
    let text = "services:\n  web:\n    image: busybox:local\n    command: sleep 600\n    volumes: ['data:/data']\nvolumes: {data: {}}\n";
    fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let compose = Program::of_docker("docker-compose", &bed.face_host(3));
    let with = |args: &[&str]| {
        let all: Vec<&str> =
            ["-p", "site", "-f", file, "--ansi", "never"].iter().chain(args).copied().collect();
        compose.prints(&all).unwrap()
    };
    with(&["up", "-d"]);
    assert!(with(&["ps"]).contains("Up"));
    assert!(with(&["exec", "-T", "web", "ls", "-d", "/data"]).contains("/data"));
    with(&["down", "-t", "1", "-v"]);
    let docker = bed.face(1);
    assert_eq!(docker.prints(&["ps", "-aq"]).unwrap(), "");
    assert!(!docker.prints(&["network", "ls"]).unwrap().contains("site_default"));
}
