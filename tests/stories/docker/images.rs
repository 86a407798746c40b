//! Images: without a registry, and with one.

use std::path::Path;

use pinode_jepsen::Testbed;
use pinode_jepsen::program::Program;
use pinode_jepsen::testbed::await_true;

use super::{field, run};
use crate::world::{SOON, three};

#[test]
fn an_image_that_is_loaded_or_built_through_one_node_is_on_all() {
    let bed = three();
    let docker = bed.face(1);
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("image.tar");
    let archive = archive.to_str().unwrap();
    docker.prints(&["tag", "busybox:local", "mine:1"]).unwrap();
    docker.prints(&["save", "-o", archive, "mine:1"]).unwrap();
    docker.prints(&["rmi", "mine:1"]).unwrap();
    let loaded = docker.prints(&["load", "-i", archive]).unwrap();
    assert!(loaded.contains("Loaded image: mine:1"), "{loaded}");
    std::fs::write(
        folder.path().join("Dockerfile"),
        "FROM mine:1\nRUN echo built > /built\nCMD cat /built\n",
    )
    .unwrap();
    docker.prints(&["build", "--network", "none", "-t", "built:1", folder.path().to_str().unwrap()]).unwrap();
    docker.prints(&["import", archive, "imported:1"]).unwrap();
    for k in bed.all() {
        for image in ["mine:1", "built:1", "imported:1"] {
            let engine = Program::of_docker("docker", &bed.engine(k));
            assert!(engine.run(&["image", "inspect", image]).unwrap().code == 0, "{image} on n{k}");
        }
    }
    let on_three = ["run", "--rm", "--net", "none", "-e", "constraint:node==n3", "built:1"];
    assert_eq!(bed.face(2).prints(&on_three).unwrap(), "built\n");
    assert!(docker.prints(&["history", "--no-trunc", "built:1"]).unwrap().contains("cat /built"));
    docker.prints(&["rmi", "-f", "built:1"]).unwrap();
    assert!(!docker.prints(&["images"]).unwrap().contains("built"));
}

#[test]
fn a_node_fetches_the_image_of_its_claim_from_one_that_has_it() {
    let bed = three();
    bed.docker(1, &["tag", "busybox:local", "only1:1"]).unwrap();
    bed.docker(3, &["rmi", "busybox:local"]).unwrap();
    let docker = bed.face(2);
    run(&docker, "there", &["-e", "constraint:node==n3"], "sleep 600");
    assert_eq!(field(&docker, "there", ".Node.Name"), "n3");
    // The command cuts its end to a whole second, so the newest events are not in it at once.
    let told = || {
        let args = ["events", "--since", "5m", "--until", "0s", "--filter", "event=preparing"];
        docker.prints(&args).unwrap()
    };
    await_true(SOON, || told().contains("fetches image busybox:local from n")).unwrap();
    // An affinity to an image goes where it is.
    let there = || bed.client(1).container("near").is_ok_and(|near| near["node"] == "n1");
    docker
        .prints(&[
            "run",
            "-d",
            "--net",
            "none",
            "--name",
            "near",
            "-e",
            "affinity:image==only1:1",
            "only1:1",
            "sleep",
            "600",
        ])
        .unwrap();
    await_true(SOON, there).unwrap();
}

#[test]
fn an_image_that_nobody_has_is_missing_as_docker_says_it() {
    let bed = three();
    let made = bed.face(1).run(&["create", "--pull", "never", "nobody:has-it", "true"]).unwrap();
    assert_eq!(made.code, 1, "{made:?}, {}", bed.log(1));
    assert!(made.err.contains("No such image: nobody:has-it"), "{made:?}");
}

/// Debian's `docker-registry` on every machine, all with the same images, at the address where engines ask for no
/// certificate.
fn registries(bed: &Testbed) {
    let program = std::env::var("PINODE_REGISTRY").unwrap_or_else(|_| "docker-registry".to_owned());
    let config = bed.folder().join("registry.yml");
    let images = bed.folder().join("registry");
    let text = format!(
        "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:5000'}}\n",
        images.display()
    );
    std::fs::write(&config, text).unwrap();
    for k in bed.all() {
        let log = bed.machine(k).join("registry.log");
        let serve = format!("{program} serve {} >{} 2>&1 &", config.display(), log.display());
        bed.exec(k, &["sh", "-c", &serve]).unwrap();
        let answers = || bed.exec(k, &["curl", "-sf", "http://127.0.0.1:5000/v2/"]).is_ok();
        let said = |_| std::fs::read_to_string(Path::new(&log)).unwrap_or_default();
        await_true(SOON, answers).map_err(said).unwrap();
    }
}

#[test]
fn an_image_comes_from_its_registry_to_every_node_by_a_pull_and_to_one_by_a_run() {
    let bed = three();
    registries(&bed);
    let image = "127.0.0.1:5000/shelf/tool:1";
    bed.docker(1, &["tag", "busybox:local", image]).unwrap();
    bed.docker(1, &["push", image]).unwrap();
    bed.docker(1, &["rmi", image]).unwrap();
    let has = |k: usize| bed.docker(k, &["image", "inspect", image]).is_ok();
    let docker = bed.face(2);
    docker.prints(&["pull", image]).unwrap();
    assert!(bed.all().all(has));
    docker.prints(&["rmi", image]).unwrap();
    assert!(!bed.all().any(has));
    let spec = serde_json::json!({"name": "tool", "image": image, "cmd": ["true"], "network_mode": "none"});
    bed.client(3).submit(&spec).unwrap();
    await_true(SOON, || bed.client(1).container("tool").is_ok_and(|tool| tool["state"] == "succeeded"))
        .unwrap();
    assert_eq!(bed.all().filter(|k| has(*k)).count(), 1);
    let told = bed.client(1).container("tool").unwrap();
    assert_eq!(told["attempt"], 1, "{told}");
    let absent = docker.run(&["run", "--rm", "127.0.0.1:5000/shelf/none:1", "true"]).unwrap();
    assert!(absent.code == 125 && absent.err.contains("shelf/none"), "{absent:?}");
}
