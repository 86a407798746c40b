//! A disk without room.

use super::{Ground, Harm, disk};
use crate::history::FaultKind;
use crate::random::Random;

/// Of one pinode.
pub fn one(ground: &Ground, random: &mut Random) -> Harm {
    Harm::or_skipped(FaultKind::DiskFull, ground.victim(random).map(|k| fill(ground, k)))
}

fn fill(ground: &Ground, k: usize) -> Harm {
    if !disk::is_there(ground, k) {
        return Harm::skipped(FaultKind::DiskFull, "its disk is the host's");
    }
    let filler = ground.bed.data_dir(k).join("filler").display().to_string();
    let away = filler.clone();
    Harm::strike(
        (FaultKind::DiskFull, &[k], "not a byte is free".to_owned()),
        || disk::sh(ground, k, &format!("cat /dev/zero >'{filler}' 2>&1 || true")),
        move |ground| disk::sh(ground, k, &format!("rm -f '{away}'")),
    )
}
