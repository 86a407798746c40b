//! How fast the log is, and how much room it takes in the long run.

use std::fs;
use std::path::Path;
use std::time::Duration;

use openraft::storage::{IOFlushed, RaftLogStorage, RaftLogStorageExt};
use openraft::type_config::TypeConfigExt;

use super::{entry, large, store};
use crate::codec::LogIdV1;
use crate::config::{KEPT_BEHIND_SNAPSHOT, SNAPSHOT_EVERY};
use crate::types::{LogEntry, TypeConfig};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: cargo test --release -p pinode-raft -- --ignored --nocapture commits_a_second"]
async fn commits_a_second() {
    for writers in [1_u64, 64] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = store(dir.path());
        let began = tokio::time::Instant::now();
        let mut index = 0;
        while began.elapsed() < Duration::from_secs(3) {
            let mut waits = Vec::new();
            for _ in 0..writers {
                let (tell, told) = TypeConfig::oneshot();
                store.append([entry(index)], IOFlushed::signal(tell)).await.unwrap();
                waits.push(told);
                index += 1;
            }
            for told in waits {
                told.await.unwrap().unwrap();
            }
        }
        println!("writers={writers} appends_a_second={:.0}", index as f64 / began.elapsed().as_secs_f64());
    }
}

/// Of all files in it, in bytes.
fn size_of(dir: &Path) -> u64 {
    let sizes = fs::read_dir(dir).unwrap().map(|file| {
        let file = file.unwrap();
        if file.file_type().unwrap().is_dir() {
            size_of(&file.path())
        } else {
            file.metadata().unwrap().len()
        }
    });
    sizes.sum()
}

/// A container a second is about six entries of this size. sled moves what lives out of a segment once half of it does not,
/// and cuts its file off when its last segments are empty: the file breathes at about four times of what is in it. From the
/// second day on it must not breathe higher.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo test -p pinode-raft -- --ignored --nocapture days_of_entries"]
async fn days_of_entries_take_no_more_room_than_one_after_the_first() {
    const A_DAY: u64 = 24 * 3_600 * 6;
    const AT_ONCE: u64 = 60;
    const BYTES_EACH: usize = 400;
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(dir.path());
    let mut usual = Vec::new();
    let mut next = 0;
    for day in 1..=8 {
        let mut sizes = Vec::new();
        while next < day * A_DAY {
            let entries: Vec<LogEntry> =
                (next..next + AT_ONCE).map(|index| large(index, BYTES_EACH)).collect();
            store.blocking_append(entries).await.unwrap();
            next += AT_ONCE;
            sizes.push(size_of(dir.path()));
            if next % SNAPSHOT_EVERY < AT_ONCE
                && let Some(upto) = next.checked_sub(KEPT_BEHIND_SNAPSHOT + 1)
            {
                store.purge(LogIdV1 { term: 1, node: 1, index: upto }.into()).await.unwrap();
                // In a day that lasts as long there is a sync for each entry, and with each goes a portion.
                for _ in 0..20 {
                    store.measure_sync().await.unwrap();
                }
            }
        }
        sizes.sort_unstable();
        let (least, most) = (sizes[0], sizes[sizes.len() - 1]);
        let mean = sizes.iter().sum::<u64>() / sizes.len() as u64;
        println!("day={day} entries={next} bytes_least={least} bytes_mean={mean} bytes_most={most}");
        usual.push(mean);
        let live = (KEPT_BEHIND_SNAPSHOT + SNAPSHOT_EVERY) * BYTES_EACH as u64;
        assert!(most <= 6 * live, "{most} bytes at most on day {day}, {live} of them entries");
    }
    for (day, size) in (3..).zip(&usual[2..]) {
        assert!(*size <= usual[1] * 11 / 10, "{size} bytes on day {day}, {} on the second", usual[1]);
    }
}
