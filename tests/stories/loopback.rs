//! People may reach each node from its own machine only; nodes reach each other all the same.

use std::thread;
use std::time::Duration;

use pinode_jepsen::Testbed;
use pinode_jepsen::testbed::{Options, await_true};

use crate::world::SOON;

const PINODE: &str = env!("CARGO_BIN_EXE_pinode");

/// Three nodes that listen to people on loopback.
fn three() -> Testbed {
    let bed = Testbed::up(&Options::STORY, PINODE.as_ref()).unwrap();
    let peer = |k: usize| bed.url(k).trim_start_matches("http://").replace(":7373", ":7374");
    let peers = bed.all().map(peer).collect::<Vec<_>>().join(",");
    for k in bed.all() {
        let (dir, own) = (bed.machine(k), peer(k));
        let (dir, shared, engine) = (dir.display(), bed.shared_dir(), bed.engine(k));
        let shared = shared.display();
        let node = format!(
            "PINODE_LEASE_SECONDS=3 setsid -f {PINODE} join --name n{k} --peer-listen {own} --peers {peers} \
             --data-dir {dir}/pinode --docker-host {engine} --shared-dir {shared} --insecure \
             --socket {dir}/pinode.sock </dev/null >{dir}/pinode.log 2>&1"
        );
        bed.exec(k, &["sh", "-c", &node]).unwrap();
    }
    for k in bed.all() {
        let whole = || on(&bed, k, &["nodes"]).is_ok_and(|nodes| nodes.matches(" up ").count() == 3);
        await_true(SOON, whole).unwrap_or_else(|_| panic!("n{k} is not whole: {}", bed.log(k)));
    }
    bed
}

/// What the `pinode` command on machine `k` prints.
fn on(bed: &Testbed, k: usize, words: &[&str]) -> anyhow::Result<String> {
    let here = [PINODE, "--host", "http://127.0.0.1:7373"];
    bed.exec(k, &[&here as &[&str], words].concat())
}

#[test]
fn logs_come_from_whichever_node_has_them_while_it_listens_to_its_own_machine_only() {
    let bed = three();
    let script = "echo begins; sleep 4; echo ends";
    let run =
        ["run", "-d", "--name", "far", "--constraint", "node==n3", "--network", "none", "busybox:local"];
    on(&bed, 1, &[&run as &[&str], &["sh", "-c", script]].concat()).unwrap();
    thread::scope(|scope| {
        let followed = scope.spawn(|| on(&bed, 2, &["logs", "-f", "far"]).unwrap());
        let begun = || on(&bed, 1, &["logs", "far"]).is_ok_and(|logs| logs == "begins\n");
        await_true(Duration::from_secs(20), begun).unwrap();
        assert_eq!(followed.join().unwrap(), "begins\nends\n");
    });
    assert_eq!(on(&bed, 1, &["logs", "far"]).unwrap(), "begins\nends\n");
}
