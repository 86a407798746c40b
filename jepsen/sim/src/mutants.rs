//! Each planted bug is looked for in seed after seed, until a judge catches it.

use std::time::Duration;

use pinode_scheduler::mutant::{self, Mutant};

use crate::nemesis::{Harm, TRUE_RATES};
use crate::run::{Plan, Scene, run};
use crate::world::Told;

/// Seeds after which a bug counts as not caught.
const SEEDS: u64 = 60;
/// Simulated time of each.
const LENGTH: Duration = Duration::from_secs(360);

/// What goes wrong where a bug is looked for: what brings it to light, again and again.
fn scene(mutant: Mutant) -> Scene {
    const ENGINE: &[(u64, Harm)] = &[(1, Harm::Engine)];
    const DARK: &[(u64, Harm)] = &[(1, Harm::Blackout), (4, Harm::SlowDisk), (1, Harm::Process)];
    const CUT: &[(u64, Harm)] = &[(4, Harm::Partition), (1, Harm::SlowDisk)];
    const LATE: &[(u64, Harm)] = &[(3, Harm::Partition), (1, Harm::Pause), (1, Harm::Process)];
    const CLOCKS: &[(u64, Harm)] = &[(1, Harm::Clock), (2, Harm::Partition)];
    const SNAPSHOTS: &[(u64, Harm)] = &[(2, Harm::Snapshot), (1, Harm::Process), (1, Harm::Power)];
    const OLD: &[(u64, Harm)] = &[(1, Harm::Restore)];
    let harm = match mutant {
        Mutant::StartsTwice
        | Mutant::BelievesRestartedEngine
        | Mutant::TrustsEvents
        | Mutant::BelievesOwnKill
        | Mutant::ClosesPatternsEarly
        | Mutant::FollowsHashOrder => ENGINE,
        Mutant::AcknowledgesUnsynced => DARK,
        Mutant::TakesStaleReports => LATE,
        Mutant::DeclaresLostEarly
        | Mutant::RenewsCondemned
        | Mutant::ReadsStale
        | Mutant::DropsReports
        | Mutant::FoundsAlone => CUT,
        Mutant::LeasesOnWallClock => CLOCKS,
        Mutant::ForgetsRequests => SNAPSHOTS,
        Mutant::OpensQuarantined => OLD,
    };
    Scene { harm, cut_at_first: if mutant == Mutant::FoundsAlone { 100 } else { 0 } }
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
