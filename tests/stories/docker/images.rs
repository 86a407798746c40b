//! Images without a registry.

use pinode_jepsen::program::Program;

use super::{field, run};
use crate::world::three;

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
    let told =
        docker.prints(&["events", "--since", "5m", "--until", "0s", "--filter", "event=preparing"]).unwrap();
    assert!(told.contains("fetches image busybox:local from n"), "{told}");
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
    pinode_jepsen::testbed::await_true(crate::world::SOON, there).unwrap();
}

#[test]
fn an_image_that_nobody_has_is_missing_as_docker_says_it() {
    let bed = three();
    let made = bed.face(1).run(&["create", "--pull", "never", "nobody:has-it", "true"]).unwrap();
    assert_eq!(made.code, 1, "{made:?}");
    assert!(made.err.contains("No such image: nobody:has-it"), "{made:?}");
}
