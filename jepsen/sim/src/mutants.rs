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
        | Mutant::FollowsHashOrder => Scene::ENGINES,
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
    }
}

/// Looks for one bug; none if no seed shows it.
pub fn look_for(mutant: Mutant) -> anyhow::Result<Option<Caught>> {
    for seed in 0..SEEDS {
        let scene = scene(mutant);
        let plan = Plan { seed, machines: 5, length: LENGTH, rates: TRUE_RATES, scene, told: Told::Nothing };
        let planted = move || {
            mutant::plant(Some(mutant));
            run(&plan)
        };
        let ran = std::thread::scope(|scope| scope.spawn(planted).join());
        let outcome = ran.map_err(|_| anyhow::anyhow!("{mutant:?} made seed {seed} panic"))??;
        let found = outcome.violations.into_iter().find(|sentence| sentence.starts_with(judge_of(mutant)));
        if let Some(sentence) = found {
            return Ok(Some(Caught { seed, sentence }));
        }
    }
    Ok(None)
}
