//! Each row of docs/docker-api.md, by the command that people type for it. Waiting, placing, images and services have
//! stories of their own.

use std::process::Stdio;

use pinode_jepsen::testbed::await_true;

use super::{field, run};
use crate::world::{SOON, three};

const TICKS: &str = "trap 'exit 0' TERM; while :; do echo tick; sleep 0.2; done";

#[test]
fn one_container_is_lived_with_through_three_nodes_in_turn() {
    let bed = three();
    let [one, two, three] = [1, 2, 3].map(|k| bed.face(k));
    let status = |name: &str| field(&two, name, ".State.Status");
    let id = one
        .prints(&["create", "--net", "none", "--name", "first", "busybox:local", "sh", "-c", TICKS])
        .unwrap();
    assert_eq!(status("first"), "created");
    two.prints(&["start", "first"]).unwrap();
    assert_eq!(status("first"), "running");
    assert_eq!(three.run(&["start", "first"]).unwrap().code, 0, "it runs already");
    three.prints(&["pause", "first"]).unwrap();
    assert!(one.prints(&["ps"]).unwrap().contains("(Paused)"));
    two.prints(&["unpause", "first"]).unwrap();
    three.prints(&["rename", "first", "renamed"]).unwrap();
    assert_eq!(field(&one, id.trim(), ".Name"), "/renamed");
    one.prints(&["update", "--cpus", "0.5", "--restart", "on-failure:3", "renamed"]).unwrap();
    assert_eq!(field(&two, "renamed", ".HostConfig.NanoCpus"), "500000000");
    assert_eq!(field(&two, "renamed", ".HostConfig.RestartPolicy.Name"), "on-failure");
    let before = field(&three, "renamed", ".State.StartedAt");
    two.prints(&["restart", "-t", "1", "renamed"]).unwrap();
    assert_ne!(field(&three, "renamed", ".State.StartedAt"), before);
    three.prints(&["stop", "-t", "1", "renamed"]).unwrap();
    assert_eq!(status("renamed"), "exited");
    one.prints(&["start", "renamed"]).unwrap();
    let refused = two.run(&["rm", "renamed"]).unwrap();
    assert!(refused.code == 1 && refused.err.contains("cannot remove a running container"), "{refused:?}");
    three.prints(&["kill", "renamed"]).unwrap();
    one.prints(&["rm", "renamed"]).unwrap();
    // No hex digit alone: an image whose id begins so would be found, as an engine finds it.
    let gone = two.run(&["inspect", "renamed"]).unwrap();
    assert!(gone.code == 1 && gone.err.contains("No such"), "{gone:?}");
    run(&one, "last", &[], "true");
    one.prints(&["wait", "last"]).unwrap();
    assert!(one.prints(&["container", "prune", "-f"]).unwrap().contains("Deleted Containers"));
    assert_eq!(three.prints(&["ps", "-aq"]).unwrap(), "");
}

#[test]
fn what_runs_is_looked_into_from_a_node_that_does_not_run_it() {
    let bed = three();
    run(&bed.face(1), "c", &["-e", "constraint:node==n1"], TICKS);
    let docker = bed.face(2);
    assert_eq!(docker.prints(&["exec", "c", "echo", "inside"]).unwrap(), "inside\n");
    assert_eq!(docker.run(&["exec", "c", "sh", "-c", "exit 5"]).unwrap().code, 5);
    assert_eq!(docker.prints_for(&["exec", "-i", "c", "cat"], "typed\n").unwrap(), "typed\n");
    assert!(docker.prints(&["top", "c"]).unwrap().contains("sleep 0.2"));
    let stats = docker.prints(&["stats", "--no-stream", "--format", "{{.Name}} {{.ID}}", "c"]).unwrap();
    assert!(stats.starts_with("c "), "under our own name: {stats}");
    assert!(
        field(&docker, "c", ".Id").starts_with(stats.trim().trim_start_matches("c ")),
        "and our own id: {stats}"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "copied").unwrap();
    docker.prints(&["cp", file.to_str().unwrap(), "c:/tmp/in"]).unwrap();
    docker.prints(&["cp", "c:/tmp/in", folder.path().join("out").to_str().unwrap()]).unwrap();
    assert_eq!(std::fs::read_to_string(folder.path().join("out")).unwrap(), "copied");
    assert!(docker.prints(&["diff", "c"]).unwrap().contains("A /tmp/in"));
    let archive = folder.path().join("c.tar");
    docker.prints(&["export", "-o", archive.to_str().unwrap(), "c"]).unwrap();
    assert!(std::fs::metadata(archive).unwrap().len() > 1 << 20);
    docker.prints(&["commit", "c", "taken:1"]).unwrap();
    assert!(docker.prints(&["images"]).unwrap().contains("taken"));
    assert_eq!(docker.prints(&["logs", "--tail", "1", "c"]).unwrap(), "tick\n");
    // A client that attaches to what runs, and one that is gone again.
    let mut attached = docker
        .command(&["attach", "--no-stdin", "--sig-proxy=false", "c"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = [0; 5];
    std::io::Read::read_exact(attached.stdout.as_mut().unwrap(), &mut said).unwrap();
    assert_eq!(&said, b"tick\n");
    attached.kill().unwrap();
    attached.wait().unwrap();
    docker.prints(&["rm", "-f", "c"]).unwrap();
}

#[test]
fn a_terminal_is_typed_into_and_has_its_size() {
    let bed = three();
    let inner =
        "DOCKER_HOST={} docker run -it --rm --net none busybox:local sh -c 'tty; read x; echo got $x'";
    let inner = inner.replace("{}", &bed.face_host(1));
    let typed = std::process::Command::new("sh")
        .args([
            "-c",
            &format!("(sleep 2; echo hello) | script -qec \"{}\" /dev/null", inner.replace('$', "\\$")),
        ])
        .output()
        .unwrap();
    let seen = String::from_utf8_lossy(&typed.stdout);
    assert!(seen.contains("/dev/pts/") && seen.contains("got hello"), "{seen}");
}

#[test]
fn lists_are_filtered_as_an_engine_filters_them() {
    let bed = three();
    let docker = bed.face(1);
    run(&docker, "web1", &["-l", "app=web", "-v", "data:/data", "--expose", "80"], "sleep 600");
    run(&docker, "web2", &["-l", "app=web"], "exit 3");
    docker.prints(&["wait", "web2"]).unwrap();
    run(&docker, "late", &["-e", "waitfor:container==never-there"], "true");
    let names = |filters: &[&str]| {
        let mut args = vec!["ps", "-a", "--format", "{{.Names}}"];
        filters.iter().for_each(|filter| args.extend(["--filter", filter]));
        let all = bed.face(2).prints(&args).unwrap();
        all.lines().map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    for (filters, expected) in [
        (&["name=web"][..], "web2 web1"),
        (&["name=^web1$"], "web1"),
        (&["label=app=web", "status=running"], "web1"),
        (&["exited=3"], "web2"),
        (&["status=created"], "late"),
        (&["ancestor=busybox:local", "before=web2"], "web1"),
        (&["since=web2"], "late"),
        (&["volume=data"], "web1"),
        (&["expose=80"], "web1"),
        (&["network=none", "name=late"], "late"),
        (&["health=none", "name=web1"], "web1"),
        (&["publish=80"], ""),
        (&["is-task=false", "name=late"], "late"),
    ] {
        assert_eq!(names(filters), expected, "{filters:?}");
    }
    let refused = docker.run(&["ps", "--filter", "colour=red"]).unwrap();
    assert!(refused.code == 1 && refused.err.contains("invalid filter 'colour'"), "{refused:?}");
    assert_eq!(docker.prints(&["ps", "-n", "1", "--format", "{{.Names}}"]).unwrap(), "late\n");
}

#[test]
fn events_tell_a_container_s_life_with_filters_and_bounds() {
    let bed = three();
    let docker = bed.face(1);
    run(&docker, "c", &["-l", "app=x"], "exit 3");
    docker.prints(&["wait", "c"]).unwrap();
    docker.prints(&["rm", "c"]).unwrap();
    let events = |filter: &str| {
        let args =
            ["events", "--since", "5m", "--until", "0s", "--filter", filter, "--format", "{{.Action}}"];
        bed.face(3).prints(&args).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    await_true(SOON, || events("container=c").len() == 5).unwrap();
    assert_eq!(events("label=app=x"), ["create", "claimed", "start", "die", "destroy"]);
    assert_eq!(events("event=die"), ["die"]);
    assert!(events("type=network").is_empty());
}

#[test]
fn volumes_and_networks_are_made_on_every_node() {
    let bed = three();
    let docker = bed.face(1);
    docker.prints(&["volume", "create", "data"]).unwrap();
    docker.prints(&["volume", "create", "-d", "glusterfs", "shared"]).unwrap();
    let listed = bed.face(2).prints(&["volume", "ls"]).unwrap();
    assert!(listed.contains("data") && listed.contains("glusterfs"), "{listed}");
    assert_eq!(bed.face(3).prints(&["volume", "inspect", "-f", "{{.Name}}", "data"]).unwrap(), "data\n");
    docker.prints(&["volume", "rm", "data"]).unwrap();
    docker.prints(&["volume", "prune", "-f"]).unwrap();
    docker.prints(&["network", "create", "inner"]).unwrap();
    for k in bed.all() {
        assert!(bed.docker(k, &["network", "ls"]).unwrap().contains("inner"), "n{k}");
    }
    let connected =
        docker.run(&["run", "-d", "--name", "c", "--net", "none", "busybox:local", "sleep", "600"]).unwrap();
    assert_eq!(connected.code, 0, "{connected:?}");
    docker.prints(&["network", "create", "other"]).unwrap();
    docker.prints(&["create", "--name", "d", "--net", "inner", "busybox:local", "sleep", "600"]).unwrap();
    docker.prints(&["network", "connect", "other", "d"]).unwrap();
    docker.prints(&["start", "d"]).unwrap();
    let networks = || field(&bed.face(2), "d", ".NetworkSettings.Networks");
    assert!(networks().contains("inner") && networks().contains("other"), "{}", networks());
    docker.prints(&["network", "disconnect", "other", "d"]).unwrap();
    assert!(!networks().contains("other"), "{}", networks());
    assert!(bed.face(3).prints(&["network", "inspect", "inner"]).unwrap().contains("bridge"));
    docker.prints(&["rm", "-f", "d"]).unwrap();
    await_true(SOON, || docker.run(&["network", "rm", "inner"]).unwrap().code == 0).unwrap();
    docker.prints(&["network", "prune", "-f"]).unwrap();
    let overlay = docker.run(&["network", "create", "-d", "overlay", "wide"]).unwrap();
    assert!(
        overlay.code == 1 && overlay.err.contains("pinode does not do networks across nodes"),
        "{overlay:?}"
    );
}

#[test]
fn the_cluster_tells_what_it_is_and_what_it_does_not_do() {
    let bed = three();
    let docker = bed.face(2);
    let version =
        docker.prints(&["version", "-f", "{{.Server.APIVersion}} {{.Server.MinAPIVersion}}"]).unwrap();
    assert_eq!(version, "1.47 1.24\n");
    assert!(docker.prints(&["info"]).unwrap().contains("Server Version: pinode/"));
    assert!(docker.prints(&["system", "df"]).unwrap().contains("Images"));
    docker.prints(&["image", "prune", "-f"]).unwrap();
    let login = docker.run(&["login", "-u", "a", "-p", "b", "127.0.0.1:1"]).unwrap();
    assert!(login.code == 1 && login.err.contains("127.0.0.1:1"), "{login:?}");
    for words in [&["swarm", "init"][..], &["service", "ls"], &["secret", "ls"], &["plugin", "ls"]] {
        let refused = docker.run(words).unwrap();
        assert!(refused.code != 0 && refused.err.contains("pinode does not do"), "{refused:?}");
    }
    let old = docker.command(&["ps"]).env("DOCKER_API_VERSION", "1.12").output().unwrap();
    assert!(!old.status.success());
}
