//! Goes through the model, tells how far it is, and what it found.

use std::collections::BTreeSet;
use std::thread::{available_parallelism, sleep};
use std::time::{Duration, Instant};

use anyhow::ensure;
use stateright::{Checker, Expectation, HasDiscoveries, Model, Path};

use super::action::Action;
use super::protocol::{Bounds, Mutant, Protocol, Rerun};
use super::world::World;
use crate::interrupt;

/// Between two lines of progress.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// Between two looks at whether it is done.
const LOOK: Duration = Duration::from_millis(20);

/// What a run found.
#[derive(Debug, Default)]
pub struct Found {
    /// Distinct worlds.
    pub states: usize,
    /// Properties that were asked.
    pub properties: usize,
    /// Properties that do not hold: which, and the steps to where it does not.
    pub violations: Vec<(&'static str, Vec<String>)>,
    /// What should be reached and was not: then the run proves nothing.
    pub missing: Vec<&'static str>,
}

/// The worlds that are gone through: each policy, in both places of the chain.
pub fn worlds(deep: bool) -> Vec<Protocol> {
    let pairs = [[Rerun::Fenced, Rerun::Never], [Rerun::Eager, Rerun::Fenced]];
    let bounds = |rerun| if deep { Bounds::deep(rerun) } else { Bounds::short(rerun) };
    pairs.map(|rerun| Protocol { bounds: bounds(rerun), without: None }).to_vec()
}

/// Goes through all of them, or through the one in which it is seen what a missing guard protects from; the number of
/// violations.
pub fn run(deep: bool, without: Option<Mutant>) -> anyhow::Result<usize> {
    interrupt::listen()?;
    let (mut states, mut properties, mut violations) = (0, 0, 0);
    for protocol in without.map_or_else(|| worlds(deep), |guard| vec![guard.world()]) {
        let Bounds { rerun: [first, second], lease, kill, margin, error, faults, .. } = protocol.bounds;
        println!(
            "first is {first:?}, second {second:?}; L={lease} K={kill} M={margin}, clocks differ by {error}, {faults} faults"
        );
        let began = Instant::now();
        let mut told = began;
        let found = explore(protocol, |states, depth| {
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                println!("{:5} s: {states} worlds, {depth} steps deep", began.elapsed().as_secs());
            }
            interrupt::check()
        })?;
        println!("{} worlds in {:.1} s", found.states, began.elapsed().as_secs_f64());
        for (property, steps) in &found.violations {
            println!("violated: {property}");
            for (number, step) in steps.iter().enumerate() {
                println!("  {:3}. {step}", number + 1);
            }
        }
        ensure!(
            found.missing.is_empty() || !found.violations.is_empty(),
            "the run proves nothing, because these are never reached: {}",
            found.missing.join("; ")
        );
        states += found.states;
        properties += found.properties;
        violations += found.violations.len();
    }
    println!("states={states} properties={properties} violations={violations}");
    Ok(violations)
}

/// Goes through one world, breadth first, so that the steps to what is wrong are as few as can be. `tell` hears how many
/// worlds there are so far, and how many steps deep; its error ends the run.
pub fn explore(
    protocol: Protocol,
    mut tell: impl FnMut(usize, usize) -> anyhow::Result<()>,
) -> anyhow::Result<Found> {
    let threads = available_parallelism().map_or(1, usize::from);
    let enough = match protocol.without {
        Some(guard) => HasDiscoveries::AnyOf(BTreeSet::from([guard.breaks().0])),
        None => HasDiscoveries::AnyFailures,
    };
    let checker = protocol.checker().threads(threads).finish_when(enough).spawn_bfs();
    while !checker.is_done() {
        tell(checker.unique_state_count(), checker.max_depth())?;
        sleep(LOOK);
    }
    let mut found = Found { states: checker.unique_state_count(), ..Found::default() };
    for property in protocol.properties() {
        found.properties += 1;
        match (&property.expectation, checker.discovery(property.name)) {
            (Expectation::Always, Some(path)) => found.violations.push((property.name, steps(path))),
            (Expectation::Sometimes, None) => found.missing.push(property.name),
            (Expectation::Always, None) | (Expectation::Sometimes | Expectation::Eventually, _) => {}
        }
    }
    Ok(found)
}

fn steps(path: Path<World, Action>) -> Vec<String> {
    path.into_actions().iter().map(Action::to_string).collect()
}
