//! A full disk is refused as such, and leaves nothing half-made.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use pinode_jepsen::Testbed;

use crate::world::{shell, states};

/// A small file system in a file, mounted over a folder as every process of this host and its machines sees it.
struct Small {
    folder: std::path::PathBuf,
}

impl Small {
    fn over(bed: &Testbed, folder: &Path, megabytes: u64) -> Small {
        let image = bed.machine(1).join("small.img");
        File::create(&image).unwrap().set_len(megabytes << 20).unwrap();
        run(Command::new("mkfs.ext4").arg("-q").arg("-m0").arg(&image));
        fs::create_dir_all(folder).unwrap();
        run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(folder));
        Small { folder: folder.to_owned() }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.folder).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "unmount {}", self.folder.display());
    }
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}

#[test]
fn a_full_shared_folder_refuses_a_film_with_507_and_keeps_none_of_it() {
    let bed = Testbed::up(&pinode_jepsen::testbed::Options::STORY, Path::new(env!("CARGO_BIN_EXE_pinode")))
        .unwrap();
    bed.image("build").unwrap();
    // Mounted before the nodes start, but after the machines: what is mounted on the host reaches them as a folder.
    let _small = Small::over(&bed, &bed.shared_dir(), 8);
    for k in bed.all() {
        bed.start_node(k).unwrap();
    }
    bed.await_whole().unwrap();
    let film = bed.machine(1).join("film.mp4");
    File::create(&film).unwrap().set_len(64 << 20).unwrap();
    let printed = bed.program(&[1]).run(&["encode", film.to_str().unwrap()]).unwrap();
    assert!(printed.code == 125 && printed.err.contains("full"), "{printed:?}");
    assert_eq!(fs::read_dir(bed.shared_dir().join("films")).unwrap().count(), 0);
    assert_eq!(states(&bed.client(1)), []);
}

#[test]
fn a_node_whose_own_disk_is_full_stops_and_the_others_go_on() {
    let bed = Testbed::up(&pinode_jepsen::testbed::Options::STORY, Path::new(env!("CARGO_BIN_EXE_pinode")))
        .unwrap();
    let _small = Small::over(&bed, &bed.data_dir(3), 24);
    for k in bed.all() {
        bed.start_node(k).unwrap();
    }
    bed.await_whole().unwrap();
    let filler = bed.data_dir(3).join("filler");
    run(Command::new("sh").arg("-c").arg(format!("cat /dev/zero > {} 2>/dev/null; true", filler.display())));
    for k in 0..8 {
        bed.client(1).submit(&shell(&format!("c{k}"), "true")).unwrap();
        assert_eq!(bed.client(1).wait(&format!("c{k}")).unwrap()["state"], "succeeded");
    }
    fs::remove_file(&filler).unwrap();
    bed.start_node(3).unwrap();
    bed.await_whole().unwrap();
    assert_eq!(states(&bed.client(3)), states(&bed.client(1)));
}
