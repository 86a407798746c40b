//! All scenarios by name: which harm, for how long, and on which machines.

use std::path::Path;

use super::film::{self, Reel};
use super::{Setting, storm};
use crate::history::History;
use crate::nemesis::{
    Ground, Harm, disk_fail, disk_full, disk_slow, engine, kill, link, loss, members, one_way, partition,
    pause, power, wall, wipe,
};
use crate::random::Random;
use crate::testbed::Options;

/// Does one piece of harm.
pub(super) type Strike = fn(&Ground, &mut Random) -> Harm;

/// How long harm lasts, measured by the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// A good deal less than a lease.
    Short,
    /// Until a node is given up.
    Long,
    /// Either.
    Any,
}

/// One scenario.
#[derive(Debug)]
pub struct Scenario {
    /// What it is called on the command line.
    pub name: &'static str,
    /// For people.
    pub what: &'static str,
    pub(super) strikes: &'static [(Strike, Hold)],
    pub(super) needs: Needs,
}

/// What its machines must have.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Needs {
    /// A disk of its own for each pinode.
    pub(super) disks: bool,
    /// Wall clocks through faketime.
    fake_time: bool,
    /// A machine more.
    spare: bool,
    /// So many machines at least.
    nodes: usize,
}

const PLAIN: Needs = Needs { disks: false, fake_time: false, spare: false, nodes: 0 };
const DISKS: Needs = Needs { disks: true, ..PLAIN };

/// In the order in which `all` runs them.
pub const SCENARIOS: [Scenario; 19] = [
    storm(
        "kill",
        "kill -9 of pinode, of one, of all, of all but one",
        &[(kill::one, Hold::Any), (kill::all, Hold::Short), (kill::all_but_one, Hold::Any)],
    ),
    storm("leave", "SIGTERM to pinode, and its return", &[(kill::leave, Hold::Any)]),
    storm("pause", "SIGSTOP of pinode, for less and for more than its lease", &[(pause::pinode, Hold::Any)]),
    storm(
        "partition",
        "one alone, the leader alone, two halves, a bridge",
        &[
            (partition::isolate, Hold::Any),
            (partition::leader, Hold::Long),
            (partition::halves, Hold::Any),
            (partition::bridge, Hold::Any),
        ],
    ),
    Scenario {
        name: "ring",
        what: "five nodes: each hears a majority, and no two the same one",
        strikes: &[(partition::ring, Hold::Any)],
        needs: Needs { nodes: 5, ..PLAIN },
    },
    storm(
        "one-way",
        "one that hears nobody, one that nobody hears, a network that falls apart node by node",
        &[(one_way::deaf, Hold::Any), (one_way::mute, Hold::Any), (one_way::swizzle, Hold::Short)],
    ),
    storm("loss", "2 to 35 of 100 packets are lost", &[(loss::everywhere, Hold::Any)]),
    storm("link", "packets late, twice, and out of order", &[(link::bad, Hold::Any)]),
    storm(
        "power",
        "a machine loses its power, or all do",
        &[(power::one, Hold::Any), (power::all, Hold::Short), (power::one, Hold::Long)],
    ),
    storm("boot-clock", "machines boot with another boot clock", &[(power::boot_clock, Hold::Short)]),
    Scenario {
        name: "wall-clock",
        what: "wall clocks jump hours ahead, days back, or a little",
        strikes: &[(wall::jump, Hold::Short)],
        needs: Needs { fake_time: true, ..PLAIN },
    },
    storm(
        "engine",
        "engines are killed and stopped, and hang",
        &[
            (engine::kill, Hold::Any),
            (engine::stop, Hold::Any),
            (pause::engine, Hold::Short),
            (pause::containerd, Hold::Short),
        ],
    ),
    storm("shim", "what stands between an engine and a container is killed", &[(engine::shim, Hold::Short)]),
    Scenario {
        name: "disk-full",
        what: "a pinode's disk is full",
        strikes: &[(disk_full::one, Hold::Any)],
        needs: DISKS,
    },
    Scenario {
        name: "disk-slow",
        what: "a pinode's disk does nothing for a while, again and again, or until it is healed",
        strikes: &[(disk_slow::card, Hold::Long), (disk_slow::hang, Hold::Short)],
        needs: DISKS,
    },
    Scenario {
        name: "disk-fail",
        what: "a pinode's writes and syncs fail",
        strikes: &[(disk_fail::one, Hold::Any)],
        needs: DISKS,
    },
    storm("wipe", "a pinode forgets everything", &[(wipe::one, Hold::Short)]),
    Scenario {
        name: "members",
        what: "nodes are drained, added and removed",
        strikes: &[(members::drain, Hold::Any), (members::add, Hold::Long), (members::remove, Hold::Short)],
        needs: Needs { spare: true, ..PLAIN },
    },
    storm(
        "mix",
        "whatever can be done to the same machines, one after the other and at once",
        &[
            (kill::one, Hold::Any),
            (pause::pinode, Hold::Any),
            (partition::isolate, Hold::Any),
            (partition::halves, Hold::Short),
            (one_way::deaf, Hold::Short),
            (one_way::mute, Hold::Short),
            (loss::everywhere, Hold::Short),
            (engine::kill, Hold::Short),
            (engine::stop, Hold::Short),
            (engine::shim, Hold::Short),
            (power::one, Hold::Any),
        ],
    ),
];

const fn storm(name: &'static str, what: &'static str, strikes: &'static [(Strike, Hold)]) -> Scenario {
    Scenario { name, what, strikes, needs: PLAIN }
}

/// The one that is no storm.
pub const FILM: &str = "film";

/// All names, in the order in which `all` runs them.
pub fn names() -> Vec<&'static str> {
    std::iter::once(FILM).chain(SCENARIOS.iter().map(|scenario| scenario.name)).collect()
}

/// Runs the one of this name. An error is the harness's own failure; what pinode does wrong is in the history.
pub fn run(name: &str, setting: &Setting, reel: &Reel, pinode: &Path) -> anyhow::Result<History> {
    match SCENARIOS.iter().find(|scenario| scenario.name == name) {
        None => film::run(setting, reel, pinode),
        Some(scenario) => {
            let Needs { fake_time, spare, nodes, .. } = scenario.needs;
            let nodes = nodes.max(setting.options.nodes);
            let options = Options { fake_time, spare: usize::from(spare), nodes, ..setting.options.clone() };
            storm::run(scenario, &Setting { options, ..setting.clone() }, pinode)
        }
    }
}
