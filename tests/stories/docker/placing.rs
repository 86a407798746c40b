//! Where: constraints, affinities and the rest of classic Swarm's filters, through the stock command.

use pinode_jepsen::testbed::await_true;

use super::{field, run};
use crate::world::{SOON, three};

#[test]
fn constraints_and_affinities_choose_the_node_and_do_not_reach_the_environment() {
    let bed = three();
    let docker = bed.face(1);
    let node = |name: &str| field(&docker, name, ".Node.Name");
    run(&docker, "db", &["-e", "constraint:node==n2", "-l", "tier=db"], "sleep 600");
    run(&docker, "near", &["-e", "affinity:container==db"], "env; sleep 600");
    run(
        &docker,
        "far",
        &["-l", "com.docker.swarm.affinities=[\"tier!=db\"]", "-e", "constraint:node!=n1"],
        "sleep 600",
    );
    run(&docker, "soft", &["-e", "constraint:arch==~riscv64", "-e", "affinity:container==far"], "sleep 600");
    assert_eq!(["db", "near", "far", "soft"].map(node), ["n2", "n2", "n3", "n3"]);
    let env = docker.prints(&["logs", "near"]).unwrap();
    assert!(!env.contains("affinity"), "{env}");
    // A name with its node, as classic Swarm printed it.
    assert_eq!(field(&docker, "n2/db", ".Name"), "/db");
    assert_eq!(docker.run(&["inspect", "n1/db"]).unwrap().code, 1);
    let info = docker.prints(&["info"]).unwrap();
    assert!(info.contains("Nodes: 3") && info.contains("Reserved CPUs"), "{info}");
}

#[test]
fn what_fits_nowhere_now_waits_with_a_reason_for_each_node_and_what_never_can_is_refused() {
    let bed = three();
    let docker = bed.face(2);
    run(&docker, "arm", &["-e", "constraint:arch==arm64"], "true");
    let why = bed.program(&[3]).prints(&["why", "arm"]).unwrap();
    for node in ["n1", "n2", "n3"] {
        assert!(
            why.contains(&format!("{node}: constraint arch==aarch64"))
                || why.contains(&format!("{node}: constraint arch==arm64")),
            "{why}"
        );
    }
    let huge = docker.run(&["run", "-d", "-m", "9999g", "busybox:local", "true"]).unwrap();
    assert!(
        huge.code == 125 && huge.err.contains("no resources available to schedule container"),
        "{huge:?}"
    );
    for typo in
        ["constraint:arch=arm64", "affinity:container", "waitfor:contianer==a", "reschedule:sometimes"]
    {
        let refused = docker.run(&["run", "-d", "-e", typo, "busybox:local", "true"]).unwrap();
        assert_eq!(refused.code, 125, "{typo}: {refused:?}");
    }
}

#[test]
fn a_port_of_a_node_has_one_holder_and_the_next_goes_elsewhere() {
    let bed = three();
    let docker = bed.face(3);
    for k in 1..=3 {
        run(&docker, &format!("web{k}"), &["-p", "8080:80"], "sleep 600");
    }
    let mut nodes = ["web1", "web2", "web3"].map(|name| field(&docker, name, ".Node.Name"));
    nodes.sort();
    assert_eq!(nodes, ["n1", "n2", "n3"]);
    run(&docker, "web4", &["-p", "8080:80"], "sleep 600");
    let why = bed.program(&[1]).prints(&["why", "web4"]).unwrap();
    assert!(why.contains("8080/tcp"), "{why}");
    docker.prints(&["rm", "-f", "web2"]).unwrap();
    await_true(SOON, || field(&docker, "web4", ".State.Status") == "running").unwrap();
}

#[test]
fn who_shares_anothers_network_or_volumes_runs_beside_it() {
    let bed = three();
    let docker = bed.face(1);
    run(&docker, "db", &["-v", "/data", "-e", "constraint:node==n3"], "echo kept > /data/file; sleep 600");
    let shares = [
        "run",
        "--name",
        "reader",
        "--net",
        "container:db",
        "--volumes-from",
        "db",
        "busybox:local",
        "cat",
        "/data/file",
    ];
    await_true(SOON, || docker.prints(&["exec", "db", "cat", "/data/file"]).is_ok()).unwrap();
    assert_eq!(docker.prints(&shares).unwrap(), "kept\n");
    assert_eq!(field(&docker, "reader", ".Node.Name"), "n3");
}
