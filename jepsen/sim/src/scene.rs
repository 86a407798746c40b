//! What goes wrong in a run: everything, or what brings one kind of mistake to light again and again.

use crate::nemesis::{EVERYTHING, Harm};

/// What goes wrong in a run.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// Kinds of harm, each with its weight.
    pub harm: &'static [(u64, Harm)],
    /// Of a hundred runs, so many begin with a network that is cut.
    pub cut_at_first: u64,
    /// Everything that leases leave room for is used up from the first moment.
    pub strained: bool,
}

impl Scene {
    /// Everything.
    pub const EVERYTHING: Scene = Scene { harm: EVERYTHING, cut_at_first: 25, strained: false };
    /// Engines show all their vices.
    pub const ENGINES: Scene = Scene { harm: &[(1, Harm::Engine)], cut_at_first: 0, strained: false };
    /// All power goes at once, and disks are slow enough to lose something then.
    pub const BLACKOUTS: Scene = Scene {
        harm: &[(1, Harm::Blackout), (4, Harm::SlowDisk), (1, Harm::Process)],
        cut_at_first: 0,
        strained: false,
    };
    /// The network is cut, and mended at the wrong moment.
    pub const CUTS: Scene =
        Scene { harm: &[(4, Harm::Partition), (1, Harm::SlowDisk)], cut_at_first: 0, strained: false };
    /// The network is cut before there is a cluster.
    pub const FOUNDINGS: Scene = Scene { cut_at_first: 100, ..Scene::CUTS };
    /// Nodes come back late, with what they had to say.
    pub const LATE: Scene = Scene {
        harm: &[(3, Harm::Partition), (1, Harm::Pause), (1, Harm::Process)],
        cut_at_first: 0,
        strained: false,
    };
    /// Clocks are wrong, leases run out, and engines take all the time to kill that a lease leaves them.
    pub const CLOCKS: Scene =
        Scene { harm: &[(2, Harm::Clock), (1, Harm::Lonely)], cut_at_first: 0, strained: true };
    /// Snapshots are made, and nodes start from them.
    pub const SNAPSHOTS: Scene = Scene {
        harm: &[(2, Harm::Snapshot), (1, Harm::Process), (1, Harm::Power)],
        cut_at_first: 0,
        strained: false,
    };
    /// Old copies of disks come back.
    pub const OLD_DISKS: Scene = Scene { harm: &[(1, Harm::Restore)], cut_at_first: 0, strained: false };
}
