//! Idle means idle: an SD card has a limited number of writes in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use pinode_jepsen::Testbed;

use crate::world::{shell, three};

/// After the last entry, before a cluster counts as idle.
const SETTLE: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(60);

#[test]
fn an_idle_cluster_writes_nothing_for_a_minute() {
    let bed = three();
    bed.client(1).submit(&shell("a", "true")).unwrap();
    bed.client(1).wait("a").unwrap();
    sleep(SETTLE);
    let before: Vec<_> = bed.all().map(|k| written(&bed, k)).collect();
    sleep(IDLE);
    let after: Vec<_> = bed.all().map(|k| written(&bed, k)).collect();
    assert_eq!(before, after);
}

/// Bytes that the process has written, and every file of its data folder with its time and size.
fn written(bed: &Testbed, k: usize) -> (u64, BTreeMap<String, (u64, String)>) {
    let io = fs::read_to_string(format!("/proc/{}/io", bed.pid(k).unwrap())).unwrap();
    let bytes = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).unwrap();
    let mut files = BTreeMap::new();
    walk(&bed.data_dir(k), &mut files);
    (bytes.parse().unwrap(), files)
}

fn walk(folder: &Path, files: &mut BTreeMap<String, (u64, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let meta = entry.metadata().unwrap();
        if meta.is_dir() {
            walk(&entry.path(), files);
        } else {
            let changed = format!("{:?}", meta.modified().unwrap());
            files.insert(entry.path().display().to_string(), (meta.len(), changed));
        }
    }
}
