//! Networks that are cut in one direction only, and networks that fall apart node by node.

use std::time::Duration;

use super::wire::{self, Rule};
use super::{Ground, Harm};
use crate::background::Stop;
use crate::history::FaultKind;
use crate::random::Random;

/// Between two steps of a swizzle, in milliseconds.
const STEP_MS: (u64, u64) = (300, 1_500);

/// One node hears nobody, and is heard.
pub fn deaf(ground: &Ground, random: &mut Random) -> Harm {
    one_way(ground, random, "hears nobody", Rule::drop)
}

/// One node hears everybody, and is heard by nobody.
pub fn mute(ground: &Ground, random: &mut Random) -> Harm {
    one_way(ground, random, "is heard by nobody", |one, other| Rule::drop(other, one))
}

fn one_way(ground: &Ground, random: &mut Random, note: &str, rule: fn(usize, usize) -> Rule) -> Harm {
    let made = ground.victim(random).map(|one| {
        let others = ground.numbers().into_iter().filter(|other| *other != one);
        let rules: Vec<Rule> = others.map(|other| rule(one, other)).collect();
        let laid = rules.clone();
        let harm = Harm::strike(
            (FaultKind::OneWay, &[one], note.to_owned()),
            || wire::lay(ground, &rules),
            move |ground| wire::lift(ground, &laid),
        );
        harm.leaving(&[one])
    });
    Harm::or_skipped(FaultKind::OneWay, made)
}

/// Some nodes are cut off one after the other, and come back in another order.
pub fn swizzle(ground: &Ground, random: &mut Random) -> Harm {
    let all = ground.shuffled(random);
    let some: Vec<usize> = all.iter().copied().take(ground.nodes.len() / 2 + 1).collect();
    let mut back = some.clone();
    random.shuffle(&mut back);
    let mut random = random.fork(1);
    let mut later = random.fork(2);
    let of = move |one: usize| wire::between(&[one], &all);
    let of_later = of.clone();
    let harm = Harm::strike(
        (FaultKind::Partition, &some, "one after the other, back in another order".to_owned()),
        || each(&some, &mut random, |one| wire::lay(ground, &of(one))),
        move |ground| each(&back, &mut later, |one| wire::lift(ground, &of_later(one))),
    );
    harm.leaving(&some)
}

fn each(
    nodes: &[usize],
    random: &mut Random,
    mut act: impl FnMut(usize) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for one in nodes {
        act(*one)?;
        // Ends early when the program shall end; the act itself is never left out.
        Stop::default().sleep(Duration::from_millis(random.between(STEP_MS.0, STEP_MS.1)));
    }
    Ok(())
}
