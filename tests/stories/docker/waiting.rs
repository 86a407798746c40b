//! A container that waits is a container like any other, merely slow to start.

use pinode_jepsen::testbed::await_true;

use super::{field, run};
use crate::world::{SOON, three};

#[test]
fn split_encode_and_merge_are_typed_at_any_node_and_run_in_their_order() {
    let bed = three();
    for k in bed.all() {
        let docker = bed.face(k);
        let shared = ["-P", "--volume-driver", "glusterfs", "-v", "uploads:/uploads"];
        run(&docker, "split", &shared, "sleep 1; echo split > /uploads/order");
        let with = |wait: &'static str| shared.iter().copied().chain(["-e", wait]).collect::<Vec<_>>();
        // One merge before its encoders, and one after them.
        run(
            &docker,
            "counted",
            &with("waitfor:container==encode*,count=4"),
            "echo counted >> /uploads/order",
        );
        for part in 1..=4 {
            let encode = format!("encode{part}");
            run(&docker, &encode, &with("waitfor:container==split"), "echo encode >> /uploads/order; env");
        }
        run(&docker, "merge", &with("waitfor:container==encode*"), "echo merge >> /uploads/order");
        assert_eq!(docker.prints(&["wait", "merge", "counted"]).unwrap(), "0\n0\n");
        let order = std::fs::read_to_string(bed.shared_dir().join("uploads/order")).unwrap();
        let mut lines: Vec<&str> = order.lines().collect();
        lines[5..].sort_unstable();
        assert_eq!(lines, ["split", "encode", "encode", "encode", "encode", "counted", "merge"]);
        let seen = docker.prints(&["logs", "encode1"]).unwrap();
        assert!(seen.contains("PINODE_ATTEMPT=1") && !seen.contains("waitfor"), "{seen}");
        let all = docker.prints(&["ps", "-aq"]).unwrap();
        let names: Vec<&str> = ["rm", "-f"].into_iter().chain(all.split_whitespace()).collect();
        docker.prints(&names).unwrap();
        assert_eq!(docker.prints(&["ps", "-aq"]).unwrap(), "");
    }
}

#[test]
fn what_waits_is_shown_with_what_it_waits_for_and_starts_by_nobodys_word() {
    let bed = three();
    let (one, two) = (bed.face(1), bed.face(2));
    let made = one
        .run(&[
            "run",
            "-d",
            "--net",
            "none",
            "--name",
            "late",
            "-e",
            "waitfor:container==early",
            "busybox:local",
            "true",
        ])
        .unwrap();
    assert_eq!((made.code, made.out.trim().len()), (0, 64), "{made:?}");
    assert!(made.err.contains("waits for early"), "{made:?}");
    let shown = two.prints(&["ps", "--format", "{{.Names}}: {{.Status}}"]).unwrap();
    assert_eq!(shown, "late: Created (waiting for early)\n");
    for verb in ["start", "restart"] {
        let refused = two.run(&[verb, "late"]).unwrap();
        assert!(refused.code == 1 && refused.err.contains("late waits for early"), "{refused:?}");
    }
    assert_eq!(two.prints(&["rm", "late"]).unwrap(), "late\n");
    run(&one, "early", &[], "true");
    one.prints(&["wait", "early"]).unwrap();
    assert_eq!(
        two.prints(&["ps", "-a", "--format", "{{.Names}}"]).unwrap(),
        "early\n",
        "what was removed never runs"
    );
}

#[test]
fn who_is_attached_to_what_waits_misses_no_word_and_gets_its_code() {
    let bed = three();
    run(&bed.face(1), "first", &[], "sleep 2");
    let attached = [
        "run",
        "--rm",
        "--net",
        "none",
        "-e",
        "waitfor:container==first",
        "busybox:local",
        "sh",
        "-c",
        "echo out; echo err >&2; exit 7",
    ];
    let seen = bed.face(2).run(&attached).unwrap();
    assert_eq!((seen.code, seen.out.as_str()), (7, "out\n"), "{seen:?}");
    assert!(seen.err.ends_with("err\n"), "{seen:?}");
    let typed =
        ["run", "-i", "--rm", "--net", "none", "-e", "waitfor:container==first", "busybox:local", "cat"];
    assert_eq!(bed.face(3).prints_for(&typed, "typed before it ran\n").unwrap(), "typed before it ran\n");
    let gone = || bed.face(1).prints(&["ps", "-aq"]).unwrap().lines().count() == 1;
    await_true(SOON, gone).unwrap();
}

#[test]
fn logs_and_wait_of_what_has_not_begun_begin_when_it_does() {
    let bed = three();
    run(&bed.face(1), "first", &[], "sleep 2");
    run(&bed.face(1), "second", &["-e", "waitfor:container==first"], "echo said; exit 4");
    assert_eq!(bed.face(2).prints(&["logs", "-f", "second"]).unwrap(), "said\n");
    assert_eq!(bed.face(3).prints(&["wait", "second"]).unwrap(), "4\n");
    // A failure upstream: it never ran, and says why.
    run(&bed.face(1), "third", &["-e", "waitfor:container==second"], "true");
    assert_eq!(bed.face(2).prints(&["wait", "third"]).unwrap(), "125\n");
    assert!(field(&bed.face(3), "third", ".State.Error").contains("second: failed with code 4"));
    assert_eq!(field(&bed.face(3), "third", ".State.StartedAt"), "0001-01-01T00:00:00Z");
}

#[test]
fn every_field_given_survives_the_wait() {
    let bed = three();
    let docker = bed.face(1);
    run(&docker, "first", &[], "sleep 1");
    let options = [
        "-e",
        "waitfor:container==first",
        "-e",
        "A=b c",
        "-l",
        "k=v",
        "-m",
        "64m",
        "--cpus",
        "0.5",
        "-w",
        "/tmp",
        "-u",
        "7",
        "--hostname",
        "h",
        "--device",
        "/dev/null:/dev/x",
        "--tmpfs",
        "/t",
        "--cap-drop",
        "ALL",
        "--ulimit",
        "nofile=99",
        "--read-only",
        "--stop-signal",
        "USR1",
        "--health-cmd",
        "true",
        "--health-interval",
        "1s",
        "--add-host",
        "a:10.0.0.1",
        "--shm-size",
        "1m",
        "--restart",
        "on-failure:2",
        "--log-opt",
        "max-size=1m",
    ];
    run(&docker, "second", &options, "id -u; pwd; hostname; ulimit -n; echo $A; sleep 60");
    await_true(SOON, || field(&docker, "second", ".State.Status") == "running").unwrap();
    let seen = |what: &str| field(&docker, "second", what);
    await_true(SOON, || docker.prints(&["logs", "second"]).unwrap() == "7\n/tmp\nh\n99\nb c\n").unwrap();
    for (what, value) in [
        (".HostConfig.Memory", "67108864"),
        (".HostConfig.NanoCpus", "500000000"),
        (".HostConfig.ReadonlyRootfs", "true"),
        (".HostConfig.RestartPolicy", "{on-failure 2}"),
        (".HostConfig.ShmSize", "1048576"),
        (".Config.StopSignal", "USR1"),
        (".Config.Labels", "map[k:v]"),
        ("index .HostConfig.Devices 0", "{/dev/null /dev/x rwm}"),
    ] {
        assert_eq!(seen(what), value, "{what}");
    }
    await_true(SOON, || seen(".State.Health.Status") == "healthy").unwrap();
}

#[test]
#[ignore = "takes minutes: cargo test --test stories -- --ignored --test-threads=1 a_thousand_typed"]
fn a_thousand_typed_dependents_of_one_container_start_once_each() {
    const DEPENDENTS: usize = 1000;
    let bed = three();
    let faces: Vec<_> = bed.all().map(|k| bed.face(k)).collect();
    let shared = ["--volume-driver", "glusterfs", "-v", "started:/started"];
    let open = bed.shared_dir().join("started/open");
    run(&faces[0], "gate", &shared, "until test -e /started/open; do sleep 1; done");
    let waiting: Vec<&str> = shared.into_iter().chain(["-e", "waitfor:container==gate"]).collect();
    for k in 0..DEPENDENTS {
        run(&faces[k % 3], &format!("d{k}"), &waiting, &format!("echo {k} >> /started/$PINODE_NODE"));
    }
    std::fs::write(open, "").unwrap();
    let client = bed.client(2);
    let ended = || {
        let all = client.containers_here().unwrap();
        all.iter().filter(|container| container["state"] == "succeeded").count() == DEPENDENTS + 1
    };
    await_true(15 * SOON, ended).unwrap();
    let on = |k: usize| std::fs::read_to_string(bed.shared_dir().join(format!("started/n{k}"))).unwrap();
    let mut started: Vec<usize> =
        bed.all().flat_map(|k| on(k).lines().map(|line| line.parse().unwrap()).collect::<Vec<_>>()).collect();
    started.sort_unstable();
    assert_eq!(started, (0..DEPENDENTS).collect::<Vec<_>>());
}
