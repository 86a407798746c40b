//! kill -9 of pinode, of one or of all; and SIGTERM, which it may answer politely.

use super::{Ground, Harm};
use crate::history::FaultKind;
use crate::random::Random;

/// One.
pub fn one(ground: &Ground, random: &mut Random) -> Harm {
    Harm::or_skipped(FaultKind::Kill, ground.victim(random).map(|k| kill(ground, vec![k], "one")))
}

/// All but one, which is then without a majority.
pub fn all_but_one(ground: &Ground, random: &mut Random) -> Harm {
    let mut some = ground.shuffled(random);
    let Some(left) = some.pop() else { return Harm::skipped(FaultKind::Kill, "there is no node") };
    kill(ground, some, "all but one").leaving(&[left])
}

/// All, one right after the other.
pub fn all(ground: &Ground, random: &mut Random) -> Harm {
    kill(ground, ground.shuffled(random), "all at once")
}

/// SIGTERM to one.
pub fn leave(ground: &Ground, random: &mut Random) -> Harm {
    let made = ground.victim(random).map(|k| {
        ground.hold_down(k);
        Harm::strike(
            (FaultKind::Leave, &[k], "one".to_owned()),
            || ground.bed.stop_node(k),
            move |ground| {
                ground.let_up(k);
                Ok(())
            },
        )
    });
    Harm::or_skipped(FaultKind::Leave, made)
}

fn kill(ground: &Ground, nodes: Vec<usize>, note: &str) -> Harm {
    nodes.iter().for_each(|k| ground.hold_down(*k));
    let back = nodes.clone();
    Harm::strike(
        (FaultKind::Kill, &nodes, note.to_owned()),
        || nodes.iter().try_for_each(|k| ground.bed.kill_node(*k)),
        move |ground| {
            back.iter().for_each(|k| ground.let_up(*k));
            Ok(())
        },
    )
}
