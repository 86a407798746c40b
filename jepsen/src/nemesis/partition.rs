//! Cuts in the network: who hears whom, in every shape that has a name.

use super::wire::{self, Rule};
use super::{Ground, Harm};
use crate::history::FaultKind;
use crate::random::Random;

/// One node is cut off from all others.
pub fn isolate(ground: &Ground, random: &mut Random) -> Harm {
    let one = ground.shuffled(random).into_iter().take(1).collect();
    split(ground, one, "one is alone")
}

/// The leader is cut off from all others.
pub fn leader(ground: &Ground, _: &mut Random) -> Harm {
    match ground.leader() {
        Some(leader) => split(ground, vec![leader], "the leader is alone"),
        None => Harm::skipped(FaultKind::Partition, "nobody leads"),
    }
}

/// Two halves, one of them by one larger if they cannot be equal.
pub fn halves(ground: &Ground, random: &mut Random) -> Harm {
    let mut some = ground.shuffled(random);
    some.truncate(ground.nodes.len() / 2);
    split(ground, some, "two halves")
}

/// Everybody hears a majority, and no two of them the same one.
pub fn ring(ground: &Ground, random: &mut Random) -> Harm {
    let all = ground.shuffled(random);
    let rules = ring_rules(&all);
    if rules.is_empty() {
        return Harm::skipped(FaultKind::Partition, "a majority ring needs five nodes");
    }
    lay(ground, (&all, &[], "each hears another majority"), rules)
}

/// Two groups that only one node hears both of.
pub fn bridge(ground: &Ground, random: &mut Random) -> Harm {
    let all = ground.shuffled(random);
    let Some((bridge, rest)) = all.split_first() else {
        return Harm::skipped(FaultKind::Partition, "there is no node");
    };
    let (left, right) = rest.split_at(rest.len() / 2);
    let note = format!("only n{bridge} hears both sides");
    lay(ground, (rest, &[], &note), wire::between(left, right))
}

fn split(ground: &Ground, some: Vec<usize>, note: &str) -> Harm {
    let others: Vec<usize> = ground.numbers().into_iter().filter(|k| !some.contains(k)).collect();
    let few = |group: &[usize]| if group.len() < ground.majority() { group.to_vec() } else { Vec::new() };
    let alone = [few(&some), few(&others)].concat();
    lay(ground, (&some, &alone, note), wire::between(&some, &others))
}

pub(super) fn lay(
    ground: &Ground,
    (nodes, alone, note): (&[usize], &[usize], &str),
    rules: Vec<Rule>,
) -> Harm {
    let laid = rules.clone();
    let harm = Harm::strike(
        (FaultKind::Partition, nodes, note.to_owned()),
        || wire::lay(ground, &rules),
        move |ground| wire::lift(ground, &laid),
    );
    harm.leaving(alone)
}

/// In a circle each hears its nearest neighbours, so many that they are a majority with it.
fn ring_rules(all: &[usize]) -> Vec<Rule> {
    let count = all.len();
    let reach = (count / 2).div_ceil(2);
    let mut rules = Vec::new();
    for (at, one) in all.iter().enumerate() {
        for (other_at, other) in all.iter().enumerate() {
            let apart = at.abs_diff(other_at);
            if apart.min(count - apart) > reach {
                rules.push(Rule::drop(*one, *other));
            }
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_ring_of_five_each_hears_three_with_itself_and_no_two_the_same() {
        let all = [1, 2, 3, 4, 5];
        let rules = ring_rules(&all);
        let heard: Vec<Vec<usize>> = all
            .iter()
            .map(|at| all.iter().copied().filter(|from| !rules.contains(&Rule::drop(*at, *from))).collect())
            .collect();
        assert!(heard.iter().all(|heard| heard.len() == 3), "{heard:?}");
        assert!((1..5).all(|k| heard[k] != heard[k - 1]));
    }

    #[test]
    fn three_are_too_few_for_a_ring() {
        assert_eq!(ring_rules(&[1, 2, 3]), []);
    }
}
