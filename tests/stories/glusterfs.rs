//! A real GlusterFS volume as the shared folder: three bricks, one of which dies with its node.

use std::path::Path;
use std::process::Command;

use pinode_jepsen::Testbed;
use pinode_jepsen::testbed::{Options, await_true};

use crate::shared::on;
use crate::world::{SOON, shell};

/// Has every brick everything, as machine `k` sees it?
fn healed(bed: &Testbed, k: usize) -> bool {
    let info = bed.exec(k, &["gluster", "--mode=script", "volume", "heal", "pinode", "info"]);
    let counts = info.unwrap_or_default();
    counts.lines().filter(|line| *line == "Number of entries: 0").count() == bed.options().nodes
}

#[test]
fn a_volume_goes_on_without_the_brick_of_a_node_that_lost_its_power_and_heals_it_afterwards() {
    let pinode = Path::new(env!("CARGO_BIN_EXE_pinode"));
    let bed = Testbed::up_on_glusterfs(&Options::STORY, pinode).unwrap();
    bed.start_nodes().unwrap();
    let client = bed.client(1);
    let succeeds = |spec, name: &str| {
        client.submit(&spec).unwrap();
        let ended = client.wait(name).unwrap();
        assert_eq!(ended["state"], "succeeded", "{ended:#}");
    };
    let file = bed.shared_dir().join("uploads/a").display().to_string();

    succeeds(on("n1", shell("write", "echo film > /uploads/a")), "write");
    succeeds(on("n3", shell("read", "grep film /uploads/a")), "read");
    // What was read before is not handed out again when another node has written since.
    for round in 10..20 {
        bed.exec(1, &["sh", "-c", &format!("echo {round} > {file}")]).unwrap();
        assert_eq!(bed.exec(2, &["cat", &file]).unwrap(), format!("{round}\n"));
    }

    // Without a word to anybody: a process that is killed would still close its connections.
    let cable = format!("v-{}-3", bed.options().prefix);
    assert!(Command::new("ip").args(["link", "set", &cable, "down"]).status().unwrap().success());
    bed.cut(3).unwrap();
    let timed = format!("a=$(date +%s%N); echo later > {file}; echo $((($(date +%s%N) - a) / 1000000))");
    println!("the first write waited {} ms", bed.exec(1, &["sh", "-c", &timed]).unwrap().trim());
    succeeds(on("n2", shell("meanwhile", "grep later /uploads/a && echo more > /uploads/b")), "meanwhile");
    assert!(!healed(&bed, 1), "a brick is away, and lacks nothing");

    bed.power(3).unwrap();
    await_true(SOON, || healed(&bed, 1)).unwrap();
    let brick = bed.machine(3).join("glusterfs/brick/uploads");
    assert_eq!(std::fs::read_to_string(brick.join("a")).unwrap(), "later\n");
    assert_eq!(std::fs::read_to_string(brick.join("b")).unwrap(), "more\n");
    bed.start_node(3).unwrap();
    bed.await_whole().unwrap();
    succeeds(on("n3", shell("back", "grep more /uploads/b")), "back");
}

#[test]
fn nodes_of_one_name_and_one_process_number_make_one_id_together() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..100 {
        std::fs::create_dir(folder.path().join(round.to_string())).unwrap();
    }
    // Each is process 1 of a machine of its own, as it might be on the first boot of cards written from one image.
    let make = ". deploy/lib/say.sh && . deploy/lib/gluster.sh && for f in \"$0\"/*; do (gluster_make_id \"$f\") || exit; done";
    let start = |_| {
        let mut node = Command::new("unshare");
        node.args(["--pid", "--fork", "bash", "-c", make])
            .arg(folder.path())
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        node.spawn().unwrap()
    };
    let nodes: Vec<_> = (0..3).map(start).collect();
    for mut node in nodes {
        assert!(node.wait().unwrap().success(), "it says why, above");
    }
    for made in std::fs::read_dir(folder.path()).unwrap() {
        let inside: Vec<_> =
            std::fs::read_dir(made.unwrap().path()).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(inside.len(), 1, "the id, and nothing of its making: {inside:?}");
        assert_eq!(std::fs::read_to_string(&inside[0]).unwrap().trim().len(), 32);
    }
}
