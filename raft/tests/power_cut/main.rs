//! A node's folder on a real file system that loses what was not synced, cut off before every sync: what was answered is
//! there, and nothing is set aside. Mounted with FUSE, so it needs root: `cargo test -p pinode-raft --test power_cut`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests fail so")]

mod disk;
mod life;
mod mount;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use disk::{Cut, Disk};
use life::{Answered, Known, Rest, is_in, live};
use mount::Syncing;
use tempfile::TempDir;

/// Acts of a node, each with one sync at least.
const ACTS: u64 = 100;
/// Of the first version's logs, which they keep: what suits these suits larger ones.
const OLD_SEGMENT_BYTES: usize = 512 << 10;

/// At each sync; those that lose half lose another half each.
const CUTS: u64 = 4;

/// What the cuts at one moment leave, and what must be there.
struct Left {
    dir: TempDir,
    cuts: Vec<(Cut, PathBuf)>,
    known: (Known, Known),
}

impl Left {
    fn of(disk: &Disk, sync: u64, known: (Known, Known)) -> Left {
        let dir = tempfile::tempdir().unwrap();
        let cuts = [Cut::Everything, Cut::Nothing, Cut::half(2 * sync), Cut::half(2 * sync + 1)];
        let cuts = cuts.into_iter().map(|cut| {
            let node = dir.path().join(format!("{cut:?}"));
            disk.after(cut, &node).unwrap();
            (cut, node.join("node"))
        });
        let cuts = cuts.collect();
        Left { dir, cuts, known }
    }

    fn missing(self, sync: u64) -> Vec<String> {
        let wrong = self.cuts.iter().filter_map(|(cut, node)| {
            let error = is_in(node, &self.known).err()?;
            Some(format!("before sync {sync}, {cut:?}: {error:#}"))
        });
        let wrong = wrong.collect();
        drop(self.dir);
        wrong
    }
}

/// What came of cutting before every sync.
struct Told {
    syncs: u64,
    /// The most that an act wrote to one file between two syncs of it, in bytes.
    unsynced: usize,
    /// What was not there, after a cut before which sync.
    missing: Vec<String>,
}

/// A node's folder with a log as the first version made it.
fn make_old(node: &Path) {
    drop(pinode_raft::open(node, 1, Box::new(|_| ())).unwrap());
    let log = node.join("log");
    let sled = log.join("sled");
    fs::remove_dir_all(&sled).unwrap();
    drop(sled::Config::new().path(&sled).segment_size(OLD_SEGMENT_BYTES).open().unwrap());
    for path in [sled.join("db"), sled.join("conf"), sled, log] {
        fs::File::open(path).unwrap().sync_all().unwrap();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Log {
    New,
    Old,
}

async fn cut_before_every_sync(acts: u64, log: Log, syncing: Syncing) -> Told {
    let answered = Answered::default();
    let left = Arc::new(Mutex::new(Vec::new()));
    let take = {
        let (answered, left) = (answered.clone(), left.clone());
        let mut syncs = 0;
        move |disk: &Disk| {
            syncs += 1;
            let taken = (syncs, disk.unsynced_bytes(), Left::of(disk, syncs, answered.get()));
            left.lock().unwrap().push(taken);
        }
    };
    let dir = tempfile::tempdir().unwrap();
    let mounted = mount::mount(dir.path(), syncing, Box::new(take));
    let mounted = mounted.expect("mount a file system, for which it takes root and /dev/fuse");
    let node = dir.path().join("node");
    if log == Log::Old {
        make_old(&node);
        left.lock().unwrap().clear();
    }
    let mut told = Told { syncs: 0, unsynced: 0, missing: Vec::new() };
    let mut look = |after: Rest| {
        let taken = std::mem::take(&mut *left.lock().unwrap());
        for (sync, unsynced, left) in taken {
            told.syncs = sync;
            if after == Rest::Act {
                told.unsynced = told.unsynced.max(unsynced);
            }
            told.missing.extend(left.missing(sync));
        }
    };
    // The second process finds what the first has left in memory when it was killed.
    for acts in [0..acts / 2, acts / 2..acts] {
        live(&node, acts, &answered, &mut look).await.unwrap();
    }
    drop(mounted);
    let Told { syncs, unsynced, missing } = &told;
    println!("syncs={syncs} cuts={} unsynced_bytes={unsynced} missing={}", CUTS * syncs, missing.len());
    told
}

async fn what_was_answered_is_there(log: Log) {
    let told = cut_before_every_sync(ACTS, log, Syncing::Honest).await;
    assert!(told.syncs > ACTS, "{} syncs", told.syncs);
    assert!(told.missing.is_empty(), "{:#?}", &told.missing[..told.missing.len().min(20)]);
    assert!(told.unsynced > OLD_SEGMENT_BYTES / 4, "{} bytes are no test of what follows", told.unsynced);
    assert!(told.unsynced < OLD_SEGMENT_BYTES, "sled may cut off what it moved {} bytes ago", told.unsynced);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_there_after_a_power_cut_at_any_sync() {
    what_was_answered_is_there(Log::New).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_is_in_a_log_of_the_first_version() {
    what_was_answered_is_there(Log::Old).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_lies_about_its_syncs_is_caught() {
    let told = cut_before_every_sync(10, Log::New, Syncing::Lying).await;
    assert!(!told.missing.is_empty());
}
