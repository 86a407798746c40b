//! Nodes of two versions are one cluster, and each is upgraded under work. The older program is built from an earlier
//! commit, which takes minutes, so this is run by hand:
//!
//! `git worktree add /tmp/old COMMIT && cargo build --manifest-path /tmp/old/Cargo.toml`, then
//! `PINODE_PREVIOUS=/tmp/old/target/debug/pinode cargo test --test stories -- --ignored upgrade`

use std::path::{Path, PathBuf};

use pinode_jepsen::Testbed;
use pinode_jepsen::testbed::{Options, await_true};
use serde_json::Value;

use crate::world::{SOON, long_runs_on, shell, shell_after, start_with, states};

fn previous() -> PathBuf {
    let Some(path) = std::env::var_os("PINODE_PREVIOUS") else {
        panic!("PINODE_PREVIOUS names an older pinode")
    };
    PathBuf::from(path)
}

/// Nobody knows anything that the others do not: the digests of all are one.
fn await_one_state(bed: &Testbed) {
    let hash = |k: usize| bed.client(k).status().map(|status| status["state_hash"].clone());
    let agree = || {
        let first = hash(1).unwrap_or(Value::Null);
        first.is_string() && bed.all().all(|k| hash(k).is_ok_and(|hash| hash == first))
    };
    await_true(SOON, agree).unwrap();
}

#[test]
#[ignore = "needs an older pinode: see above"]
fn a_cluster_is_upgraded_node_by_node_under_work_and_nothing_is_lost() {
    let (old, new) = (previous(), Path::new(env!("CARGO_BIN_EXE_pinode")));
    let bed = Testbed::whole(&Options::STORY, &old).unwrap();
    let submit = |k: usize, name: &str| {
        bed.client(k).submit(&shell(&format!("{name}-a"), "sleep 1")).unwrap();
        let after = format!("container=={name}-a");
        bed.client(k).submit(&shell_after(&format!("{name}-b"), "true", &after)).unwrap();
    };
    bed.client(1).submit(&shell_after("last", "true", "container==gate")).unwrap();
    submit(1, "old");
    for k in bed.all() {
        bed.stop_node(k).unwrap();
        submit(k % 3 + 1, &format!("without{k}"));
        start_with(&bed, k, new, &[]);
        bed.await_whole().unwrap();
        submit(k, &format!("with{k}"));
        // Both versions hold the same state, byte by byte.
        await_one_state(&bed);
    }
    // From here on all speak the newer level: a node that leaves keeps its containers.
    long_runs_on(&bed, 2, "sleep 15");
    bed.stop_node(2).unwrap();
    start_with(&bed, 2, new, &[]);
    bed.await_whole().unwrap();
    bed.client(3).submit(&shell("gate", "true")).unwrap();
    for name in ["long", "last"] {
        assert_eq!(bed.client(2).wait(name).unwrap()["state"], "succeeded");
    }
    assert_eq!(bed.client(1).container("long").unwrap()["attempt"], 1);
    let ended = || states(&bed.client(1)).iter().all(|(_, state)| state == "succeeded");
    await_true(SOON, ended).unwrap_or_else(|_| panic!("{:?}", states(&bed.client(1))));
    assert_eq!(states(&bed.client(1)).len(), 17);
}
