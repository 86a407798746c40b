//! A full disk is refused as such, and leaves nothing half-made.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use pinode_jepsen::Testbed;

use crate::world::{shell, states};

/// A small file system, mounted over a folder on some machines.
pub(crate) struct Small<'a> {
    bed: &'a Testbed,
    machines: Vec<usize>,
    folder: PathBuf,
    device: String,
}

impl Small<'_> {
    pub(crate) fn over<'a>(bed: &'a Testbed, folder: &Path, megabytes: u64, machines: &[usize]) -> Small<'a> {
        let image = bed.machine(1).join("small.img");
        File::create(&image).unwrap().set_len(megabytes << 20).unwrap();
        run(Command::new("mkfs.ext4").arg("-q").arg("-m0").arg(&image));
        fs::create_dir_all(folder).unwrap();
        let device = run(Command::new("losetup").args(["--find", "--show"]).arg(&image)).trim().to_owned();
        for k in machines {
            bed.exec(*k, &["mount", &device, folder.to_str().unwrap()]).unwrap();
        }
        Small { bed, machines: machines.to_vec(), folder: folder.to_owned(), device }
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        for k in &self.machines {
            drop(self.bed.exec(*k, &["umount", "-l", self.folder.to_str().unwrap_or_default()]));
        }
        drop(Command::new("losetup").args(["-d", &self.device]).status());
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_full_shared_folder_refuses_a_film_with_507_and_keeps_none_of_it() {
    let bed = Testbed::up(&pinode_jepsen::testbed::Options::STORY, Path::new(env!("CARGO_BIN_EXE_pinode")))
        .unwrap();
    bed.image("build").unwrap();
    let _small = Small::over(&bed, &bed.shared_dir(), 8, &[1, 2, 3]);
    bed.start_nodes().unwrap();
    let film = bed.machine(1).join("film.mp4");
    File::create(&film).unwrap().set_len(64 << 20).unwrap();
    let printed = bed.program(&[1]).run(&["encode", film.to_str().unwrap()]).unwrap();
    assert!(printed.code == 125 && printed.err.contains("full"), "{printed:?}");
    let films = bed.shared_dir().join("films");
    assert_eq!(bed.exec(1, &["ls", "-A", films.to_str().unwrap()]).unwrap(), "");
    assert_eq!(states(&bed.client(1)), []);
}

#[test]
fn the_others_go_on_without_a_node_whose_own_disk_is_full() {
    let bed = Testbed::up(&pinode_jepsen::testbed::Options::STORY, Path::new(env!("CARGO_BIN_EXE_pinode")))
        .unwrap();
    let _small = Small::over(&bed, &bed.data_dir(3), 24, &[3]);
    bed.start_nodes().unwrap();
    let filler = bed.data_dir(3).join("filler").display().to_string();
    bed.exec(3, &["sh", "-c", &format!("cat /dev/zero > {filler}; true")]).unwrap();
    for k in 0..8 {
        bed.client(1).submit(&shell(&format!("c{k}"), "true")).unwrap();
        assert_eq!(bed.client(1).wait(&format!("c{k}")).unwrap()["state"], "succeeded");
    }
    bed.exec(3, &["rm", &filler]).unwrap();
    bed.start_node(3).unwrap();
    bed.await_whole().unwrap();
    assert_eq!(states(&bed.client(3)), states(&bed.client(1)));
}
