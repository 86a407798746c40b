//! The simulation itself: that a seed means something, and that its judges see what they are for.

#![expect(clippy::unwrap_used, reason = "a simulation that cannot run must fail at once")]

use std::time::Duration;

use pinode_sim::{Outcome, Plan, Rates, Scene, TRUE_RATES, Told, run};

fn plan(seed: u64, scene: Scene, rates: Rates) -> Plan {
    Plan { seed, machines: 5, length: Duration::from_secs(240), rates, scene, told: Told::Nothing }
}

/// As a seed is run: on a thread of its own.
fn outcome(plan: &Plan) -> Outcome {
    std::thread::scope(|scope| scope.spawn(|| run(plan)).join()).unwrap().unwrap()
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_seed_another() {
    let plan = plan(7, Scene::EVERYTHING, TRUE_RATES);
    let first = outcome(&plan);
    assert_eq!(first.digest, outcome(&plan).digest);
    assert_ne!(first.digest, outcome(&Plan { seed: 8, ..plan }).digest);
}

#[test]
fn clocks_that_are_less_than_a_hundredth_off_violate_nothing() {
    for seed in 0..3 {
        let outcome = outcome(&plan(seed, Scene::CLOCKS, TRUE_RATES));
        assert_eq!(outcome.violations, [""; 0], "seed {seed}");
    }
}

#[test]
fn clocks_that_are_a_third_off_are_caught_by_who_judges_leases() {
    // Somebody slow has to be lost by somebody fast while a program runs that lasts: in so long, that comes about.
    let length = Duration::from_secs(600);
    let caught = |seed| {
        let outcome = outcome(&Plan { length, ..plan(seed, Scene::CLOCKS, Rates(300)) });
        outcome.violations.iter().any(|said| said.starts_with("overlap"))
    };
    assert!((0..10).any(caught), "ten seeds, and nothing ran twice at once");
}
