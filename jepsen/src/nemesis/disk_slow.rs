//! A disk that does nothing for a while: each sync takes as long as on a bad SD card, or much longer. The file system is
//! frozen and thawed, which needs nothing that a kernel may lack.

use std::thread::sleep;
use std::time::Duration;

use super::{Ground, Harm, disk};
use crate::history::FaultKind;
use crate::random::Random;

/// Longest time for which a bad card does nothing, in milliseconds, as a script waits between two thaws.
const CARD_MS: (u64, u64) = (150, 500);

/// One disk, frozen and thawed in turn.
pub fn card(ground: &Ground, random: &mut Random) -> Harm {
    let made = ground.victim(random).map(|k| {
        if !disk::is_there(ground, k) {
            return Harm::skipped(FaultKind::DiskSlow, "its disk is the host's");
        }
        let seconds = random.between(CARD_MS.0, CARD_MS.1) as f64 / 1000.0;
        let folder = ground.bed.data_dir(k).display().to_string();
        let flag = format!("{}/slow", disk::backing(ground, k));
        let script = format!(
            "touch '{flag}'; (while [ -e '{flag}' ]; do fsfreeze -f '{folder}'; sleep {seconds}; fsfreeze -u '{folder}'; \
             sleep 0.02; done) >/dev/null 2>&1 &"
        );
        Harm::strike(
            (FaultKind::DiskSlow, &[k], format!("does nothing for {seconds} s, again and again")),
            || disk::sh(ground, k, &script),
            move |ground| {
                disk::sh(ground, k, &format!("rm -f '{flag}'"))?;
                sleep(Duration::from_secs_f64(seconds + 0.3));
                thaw(ground, k);
                Ok(())
            },
        )
    });
    Harm::or_skipped(FaultKind::DiskSlow, made)
}

/// One disk, frozen until it is healed.
pub fn hang(ground: &Ground, random: &mut Random) -> Harm {
    let made = ground.victim(random).map(|k| {
        if !disk::is_there(ground, k) {
            return Harm::skipped(FaultKind::DiskSlow, "its disk is the host's");
        }
        let folder = ground.bed.data_dir(k).display().to_string();
        Harm::strike(
            (FaultKind::DiskSlow, &[k], "does nothing at all".to_owned()),
            || disk::sh(ground, k, &format!("fsfreeze -f '{folder}'")),
            move |ground| {
                thaw(ground, k);
                Ok(())
            },
        )
    });
    Harm::or_skipped(FaultKind::DiskSlow, made)
}

/// One that is not frozen refuses to be thawed, and is as it should be.
fn thaw(ground: &Ground, k: usize) {
    let folder = ground.bed.data_dir(k).display().to_string();
    drop(ground.bed.exec(k, &["fsfreeze", "-u", &folder]));
}
