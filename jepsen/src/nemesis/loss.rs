//! Packets that get lost, between all nodes and in both directions.

use super::wire::{self, Rule};
use super::{Ground, Harm};
use crate::history::FaultKind;
use crate::random::Random;

/// Lost packets in a hundred: from a bad cable to a network that is nearly none.
const PERCENT: (u64, u64) = (2, 35);

/// The same share for everybody.
pub fn everywhere(ground: &Ground, random: &mut Random) -> Harm {
    let percent = random.between(PERCENT.0, PERCENT.1);
    let all = ground.numbers();
    let pairs =
        all.iter().flat_map(|at| all.iter().map(move |from| (*at, *from))).filter(|(at, from)| at != from);
    let share = Some(percent as f64 / 100.0);
    let rules: Vec<Rule> = pairs.map(|(at, from)| Rule { at, from, share }).collect();
    let laid = rules.clone();
    Harm::strike(
        (FaultKind::Loss, &all, format!("{percent} of 100 packets")),
        || wire::lay(ground, &rules),
        move |ground| wire::lift(ground, &laid),
    )
}
