//! Who is a member: a disk that was wiped is a new node, and takes its name's place when the old one is lost.

use std::fs;

use pinode_jepsen::testbed::await_true;

use crate::world::{SOON, shell, three};

#[test]
fn a_wiped_disk_is_a_new_node_and_replaces_the_old_one_under_its_name() {
    let bed = three();
    let members = |k: usize| bed.client(k).status().unwrap()["members"].as_array().unwrap().clone();
    let id_of_n3 = |k: usize| members(k).into_iter().find(|m| m["name"] == "n3").map(|m| m["id"].clone());
    bed.client(1).submit(&shell("before", "true")).unwrap();
    let before = id_of_n3(1).unwrap();
    bed.kill_node(3).unwrap();
    fs::remove_dir_all(bed.data_dir(3)).unwrap();
    bed.start_node(3).unwrap();
    let replaced = || {
        let now = members(1);
        now.len() == 3 && now.iter().all(|m| m["voter"] == true) && id_of_n3(1).is_some_and(|id| id != before)
    };
    await_true(SOON, replaced).unwrap();
    bed.await_whole().unwrap();
    assert_eq!(bed.client(3).wait("before").unwrap()["state"], "succeeded");
    // It votes: without one of the others there is still a majority.
    bed.kill_node(1).unwrap();
    bed.client(3).submit(&shell("after", "true")).unwrap();
    assert_eq!(bed.client(3).wait("after").unwrap()["state"], "succeeded");
}

#[test]
fn a_disk_that_was_put_back_from_an_older_copy_is_set_aside() {
    let bed = three();
    bed.kill_node(3).unwrap();
    let copy = bed.machine(3).join("copy");
    copy_folder(&bed.data_dir(3), &copy);
    // The copy will count its next start as this one counts.
    bed.start_node(3).unwrap();
    bed.await_whole().unwrap();
    bed.client(3).submit(&shell("meanwhile", "true")).unwrap();
    assert_eq!(bed.client(3).wait("meanwhile").unwrap()["state"], "succeeded");
    bed.kill_node(3).unwrap();
    fs::remove_dir_all(bed.data_dir(3)).unwrap();
    fs::rename(&copy, bed.data_dir(3)).unwrap();
    // It may answer for a moment, until a peer tells it.
    drop(bed.start_node(3));
    await_true(SOON, || bed.pid(3).is_err()).unwrap();
    assert!(bed.log(3).contains("old copy"), "{}", bed.log(3));
    assert!(bed.start_node(3).is_err());
    assert_eq!(bed.client(1).wait("meanwhile").unwrap()["state"], "succeeded");
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.metadata().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
