//! Wall clocks that jump: hours ahead, days back, or a little. Nothing may be decided by them.

use std::fs;

use anyhow::Context;

use super::{Ground, Harm};
use crate::history::FaultKind;
use crate::random::Random;

/// Jumps in seconds, as faketime reads them.
const JUMPS: [&str; 8] = ["+3600", "-3600", "+86400", "-86400", "+1.5", "-1.5", "+20", "-30000000"];

/// The clock of one pinode, while it runs.
pub fn jump(ground: &Ground, random: &mut Random) -> Harm {
    if !ground.bed.options().fake_time {
        return Harm::skipped(FaultKind::WallClock, "the nodes do not read their clocks through faketime");
    }
    let jump = random.pick(&JUMPS).copied().unwrap_or_default();
    let made = ground.victim(random).map(|k| {
        Harm::strike(
            (FaultKind::WallClock, &[k], format!("{jump} s")),
            || set(ground, k, jump),
            move |ground| set(ground, k, "+0"),
        )
    });
    Harm::or_skipped(FaultKind::WallClock, made)
}

/// Renamed into place, so that nobody reads half of it.
fn set(ground: &Ground, k: usize, offset: &str) -> anyhow::Result<()> {
    let path = ground.bed.machine(k).join("wall_offset");
    let new = path.with_extension("new");
    fs::write(&new, format!("{offset}\n")).with_context(|| format!("write {}", new.display()))?;
    fs::rename(&new, &path).with_context(|| format!("rename {} to {}", new.display(), path.display()))
}
