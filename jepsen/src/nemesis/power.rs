//! A power cut, and the power's return: with the clocks as they were, or with another boot clock.

use std::fs;

use anyhow::Context;

use super::{Ground, Harm};
use crate::history::FaultKind;
use crate::random::Random;

/// Boot clocks of real machines differ by weeks; seconds.
const BOOT_OFFSET: (u64, u64) = (1, 5_000_000);

/// Cuts the power of machine `k`. Healing it is the machine's boot, and its engine's; its pinode is started by who has
/// looked at the engine first.
pub fn cut(ground: &Ground, k: usize, why: &str) -> Harm {
    ground.hold_down(k);
    Harm::strike(
        (FaultKind::Cut, &[k], why.to_owned()),
        || ground.bed.cut(k),
        move |ground| ground.bed.power(k),
    )
}

/// One machine.
pub fn one(ground: &Ground, random: &mut Random) -> Harm {
    Harm::or_skipped(
        FaultKind::Cut,
        ground.victim(random).map(|k| booted(cut(ground, k, "one machine"), &[k])),
    )
}

/// All of them at once: a blackout.
pub fn all(ground: &Ground, _: &mut Random) -> Harm {
    let all = ground.numbers();
    all.iter().for_each(|k| ground.hold_down(*k));
    let (cut, back) = (all.clone(), all.clone());
    let harm = Harm::strike(
        (FaultKind::Cut, &all, "all machines at once".to_owned()),
        || cut.iter().try_for_each(|k| ground.bed.cut(*k)),
        move |ground| back.iter().try_for_each(|k| ground.bed.power(*k)),
    );
    booted(harm, &all)
}

/// One machine, whose boot clock is another one afterwards.
pub fn boot_clock(ground: &Ground, random: &mut Random) -> Harm {
    let offset = random.between(BOOT_OFFSET.0, BOOT_OFFSET.1);
    let made = ground.victim(random).map(|k| {
        ground.hold_down(k);
        let path = ground.bed.machine(k).join("boot_offset");
        let harm = Harm::strike(
            (FaultKind::BootClock, &[k], format!("its boot clock is {offset} s ahead from now on")),
            || {
                ground.bed.cut(k)?;
                fs::write(&path, format!("{offset}\n")).with_context(|| format!("write {}", path.display()))
            },
            move |ground| ground.bed.power(k),
        );
        booted(harm, &[k])
    });
    Harm::or_skipped(FaultKind::BootClock, made)
}

/// Harm whose healing starts the pinodes, too.
fn booted(harm: Harm, nodes: &[usize]) -> Harm {
    let nodes = nodes.to_vec();
    harm.then(move |ground| nodes.iter().for_each(|k| ground.let_up(*k)))
}
