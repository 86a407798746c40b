//! Each planted bug is looked for in seed after seed, until a judge catches it.

use std::time::Duration;

use pinode_scheduler::mutant::{self, Mutant};

use crate::nemesis::TRUE_RATES;
use crate::run::{Plan, run};
use crate::scene::Scene;
use crate::world::Told;

/// Seeds after which a bug counts as not caught.
const SEEDS: u64 = 60;
/// Simulated time of each.
const LENGTH: Duration = Duration::from_secs(360);

/// What goes wrong where a bug is looked for.
fn scene(mutant: Mutant) -> Scene {
    match mutant {
        Mutant::StartsTwice
        | Mutant::BelievesRestartedEngine
        | Mutant::TrustsEvents
        | Mutant::BelievesOwnKill
        | Mutant::ClosesPatternsEarly
        | Mutant::FollowsHashOrder
        | Mutant::ReleasesAfterFailure => Scene::ENGINES,
        Mutant::AcknowledgesUnsynced => Scene::BLACKOUTS,
        Mutant::TakesStaleReports => Scene::LATE,
        Mutant::DeclaresLostEarly | Mutant::RenewsCondemned | Mutant::ReadsStale | Mutant::DropsReports => {
            Scene::CUTS
        }
        Mutant::FoundsAlone => Scene::FOUNDINGS,
        Mutant::LeasesOnWallClock => Scene::CLOCKS,
        Mutant::ForgetsRequests => Scene::SNAPSHOTS,
        Mutant::OpensQuarantined => Scene::OLD_DISKS,
    }
}

/// What caught a bug.
#[derive(Clone, Debug)]
pub struct Caught {
    /// In which seed.
    pub seed: u64,
    /// What a judge said.
    pub sentence: String,
}

/// The property whose judge a bug is made for; others may catch it as well.
pub fn judge_of(mutant: Mutant) -> &'static str {
    match mutant {
        Mutant::StartsTwice => "once",
        Mutant::AcknowledgesUnsynced => "accepted",
        Mutant::BelievesRestartedEngine | Mutant::BelievesOwnKill => "codes",
        Mutant::TakesStaleReports => "monotone",
        Mutant::DeclaresLostEarly => "overlap",
        Mutant::RenewsCondemned | Mutant::LeasesOnWallClock => "authority",
        Mutant::ReadsStale => "reads",
        Mutant::TrustsEvents | Mutant::ClosesPatternsEarly | Mutant::DropsReports => "stuck",
        Mutant::FollowsHashOrder | Mutant::ForgetsRequests => "agree",
        Mutant::OpensQuarantined => "quarantine",
        Mutant::FoundsAlone => "founding",
        Mutant::ReleasesAfterFailure => "order",
    }
}

/// Looks for one bug; none if no seed shows it. A judge that says the same of the seed without the bug has caught nothing.
pub fn look_for(mutant: Mutant) -> anyhow::Result<Option<Caught>> {
    for seed in 0..SEEDS {
        let Some(sentence) = said(mutant, seed, Some(mutant))? else { continue };
        if let Some(healthy) = said(mutant, seed, None)? {
            anyhow::bail!("seed {seed} is judged so without the bug, too: {healthy}");
        }
        return Ok(Some(Caught { seed, sentence }));
    }
    Ok(None)
}

/// What the judge of `mutant` says of a seed of its scene.
fn said(mutant: Mutant, seed: u64, planted: Option<Mutant>) -> anyhow::Result<Option<String>> {
    let scene = scene(mutant);
    let plan = Plan { seed, machines: 5, length: LENGTH, rates: TRUE_RATES, scene, told: Told::Nothing };
    let live = move || {
        mutant::plant(planted);
        run(&plan)
    };
    let ran = std::thread::scope(|scope| scope.spawn(live).join());
    let outcome = ran.map_err(|_| anyhow::anyhow!("{mutant:?} made seed {seed} panic"))??;
    Ok(outcome.violations.into_iter().find(|sentence| sentence.starts_with(judge_of(mutant))))
}
