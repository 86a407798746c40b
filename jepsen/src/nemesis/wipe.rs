//! A disk that comes back empty: a node that has forgotten everything may not vote as the one it was.

use anyhow::ensure;

use super::{Ground, Harm};
use crate::history::FaultKind;
use crate::random::Random;

/// One node, while all others are up and vote.
pub fn one(ground: &Ground, random: &mut Random) -> Harm {
    let made = ground.is_whole_soon().and_then(|whole| {
        ensure!(whole, "not all nodes are up, and two that forget are more than a cluster bears");
        ensure!(
            ground.all_vote_soon()?,
            "not all nodes vote, and two that forget are more than a cluster bears"
        );
        ground.victim(random).map(|k| wipe(ground, k))
    });
    Harm::or_skipped(FaultKind::Wipe, made)
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
