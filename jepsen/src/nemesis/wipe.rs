//! A disk that comes back empty: a node that has forgotten everything may not vote as the one it was.

use super::{Ground, Harm};
use crate::history::FaultKind;
use crate::random::Random;

/// One node, while all others are up.
pub fn one(ground: &Ground, random: &mut Random) -> Harm {
    if !ground.is_whole() {
        return Harm::skipped(
            FaultKind::Wipe,
            "not all nodes are up, and two that forget are more than a cluster bears",
        );
    }
    Harm::or_skipped(FaultKind::Wipe, ground.victim(random).map(|k| wipe(ground, k)))
}

fn wipe(ground: &Ground, k: usize) -> Harm {
    ground.hold_down(k);
    Harm::strike(
        (FaultKind::Wipe, &[k], "killed, and all it had stored deleted".to_owned()),
        || {
            ground.bed.kill_node(k)?;
            empty(ground, k)
        },
        move |ground| {
            ground.let_up(k);
            Ok(())
        },
    )
}

/// Deletes what a node has stored; the folder stays, it may be a file system of its own.
pub(super) fn empty(ground: &Ground, k: usize) -> anyhow::Result<()> {
    let folder = ground.bed.data_dir(k);
    let find = ["find", &folder.display().to_string(), "-mindepth", "1", "-delete"];
    ground.bed.exec(k, &find).map(drop)
}
