//! Networks that are cut, in all shapes.

use std::collections::BTreeSet;

use super::Hand;

/// Some shape, for a while.
pub async fn some(mut hand: Hand) {
    let count = hand.cluster.count();
    let mut all: Vec<usize> = (0..count).collect();
    hand.random.shuffle(&mut all);
    let (shape, ways) = match hand.random.between(0, 5) {
        0 => ("halves", between(&all[..count / 2], &all[count / 2..])),
        1 => ("one alone", between(&all[..1], &all[1..])),
        2 => match hand.cluster.leader().await {
            Some(leader) => {
                let others: Vec<usize> = all.into_iter().filter(|other| *other != leader).collect();
                ("the leader alone", between(&[leader], &others))
            }
            None => return,
        },
        3 => ("one hears nobody", one_way(&all[1..], &all[..1])),
        4 => ("nobody hears one", one_way(&all[..1], &all[1..])),
        // Each hears its neighbours, and everybody sees another majority.
        _ => ("a ring", ring(&all)),
    };
    hand.cluster.net.cut(&ways);
    hand.done(format_args!("cut: {shape} {ways:?}"));
    if hand.random.percent(70) {
        hand.wait(500, 9_000).await
    } else {
        hand.wait(9_000, 35_000).await
    }
    hand.cluster.net.mend(&ways);
    hand.cluster.trace.event(format_args!("mended: {shape}"));
}

/// One machine that is not the leader's hears nobody and is heard by nobody, for longer than a lease.
pub async fn lonely(mut hand: Hand) {
    let leader = hand.cluster.leader().await;
    let mut all: Vec<usize> = (0..hand.cluster.count()).filter(|number| Some(*number) != leader).collect();
    hand.random.shuffle(&mut all);
    let Some(one) = all.first().copied() else { return };
    let others: Vec<usize> = (0..hand.cluster.count()).filter(|number| *number != one).collect();
    let ways = between(&[one], &others);
    hand.cluster.net.cut(&ways);
    hand.done(format_args!("cut: n{one} alone, for long"));
    hand.wait(16_000, 30_000).await;
    hand.cluster.net.mend(&ways);
    hand.cluster.trace.event(format_args!("mended: n{one} is not alone any more"));
}

fn one_way(from: &[usize], to: &[usize]) -> BTreeSet<(usize, usize)> {
    from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to))).collect()
}

pub(super) fn between(some: &[usize], others: &[usize]) -> BTreeSet<(usize, usize)> {
    one_way(some, others).into_iter().chain(one_way(others, some)).collect()
}

fn ring(all: &[usize]) -> BTreeSet<(usize, usize)> {
    let count = all.len();
    let far = |one: usize, other: usize| {
        let apart = one.abs_diff(other);
        apart.min(count - apart) > 1
    };
    let places = (0..count).flat_map(|one| (0..count).map(move |other| (one, other)));
    places.filter(|(one, other)| far(*one, *other)).map(|(one, other)| (all[one], all[other])).collect()
}
