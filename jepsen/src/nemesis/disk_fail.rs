//! A disk that answers with errors: what lies below its device has no room for new blocks, so writes and syncs fail in
//! the middle of a file system that believes it has room.

use super::{Ground, Harm, disk};
use crate::history::FaultKind;
use crate::random::Random;

/// Of one pinode. Healing it is what a person does: the file system is checked, and mounted again.
pub fn one(ground: &Ground, random: &mut Random) -> Harm {
    Harm::or_skipped(FaultKind::DiskFail, ground.victim(random).map(|k| fail(ground, k)))
}

fn fail(ground: &Ground, k: usize) -> Harm {
    if !disk::is_there(ground, k) {
        return Harm::skipped(FaultKind::DiskFail, "its disk is the host's");
    }
    let (backing, folder) = (disk::backing(ground, k), ground.bed.data_dir(k).display().to_string());
    let filler = format!("{backing}/filler");
    let mend = format!(
        "rm -f '{filler}'; umount '{folder}'; e2fsck -fy '{backing}/disk.img' >/dev/null; [ $? -lt 4 ] || exit 1; \
         mount -o loop '{backing}/disk.img' '{folder}'"
    );
    // What the file system has blocks for already would still be written: it is made to want new ones.
    let use_up = format!(
        "cat /dev/zero >'{filler}'; dd if=/dev/zero of='{folder}/want' bs=64k count=64 conv=fsync; true"
    );
    Harm::strike(
        (FaultKind::DiskFail, &[k], "writes and syncs fail".to_owned()),
        || disk::sh(ground, k, &format!("({use_up}) 2>/dev/null")),
        move |ground| {
            ground.hold_down(k);
            // It may have ended by itself, as it should.
            drop(ground.bed.kill_node(k));
            disk::sh(ground, k, &mend)?;
            disk::sh(ground, k, &format!("rm -f '{}'", ground.bed.data_dir(k).join("want").display()))?;
            ground.let_up(k);
            Ok(())
        },
    )
}
