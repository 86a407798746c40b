//! What the state has come to hold since its first layout. It is the state's last field, so that a record of the first
//! layout is one that ends before it; and it is empty until the cluster has agreed on a level that speaks of it, so that
//! nodes of both versions hold the same bytes until then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{NodeId, SessionId};
use crate::state::State;

/// The newest feature level that this version speaks. Level 1 is the first; a new command, or another answer of `apply`,
/// is one more.
///
/// | level | since it |
/// | --- | --- |
/// | 2 | a node that leaves is away for a while (`Away`), and the cluster has one pace (`Paced`) |
pub const LEVEL: u16 = 2;

/// The level from which on nodes may be away.
pub const LEVEL_AWAY: u16 = 2;
/// The level from which on the cluster has a pace.
pub const LEVEL_PACE: u16 = 2;

/// The fields of the later levels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    /// The level that was agreed on, where it is not the first.
    pub(crate) level: Option<u16>,
    /// Nodes that left and mean to come back.
    pub(crate) away: BTreeMap<NodeId, Away>,
    /// How fast the cluster is.
    pub(crate) pace: Pace,
}

/// A node left and means to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Away {
    /// Under this session's number.
    pub(crate) session: u64,
    /// So long its containers go on without it, in milliseconds from before it said so.
    pub(crate) grace_ms: u64,
}

/// How fast the cluster is: as its slowest voter. Zeros say that nobody has said anything yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// How long a sync of the slowest voter's disk takes, as far as elections must wait for it; in milliseconds.
    pub sync_ms: u32,
    /// How long a lease must be at least, in milliseconds.
    pub lease_ms: u32,
}

impl State {
    /// The feature level that all nodes speak, and that the log may use.
    pub fn level(&self) -> u16 {
        self.later.level.unwrap_or(1)
    }

    /// How long the containers of a session go on without their node, in milliseconds; none if it is not away.
    pub fn away_ms(&self, session: SessionId) -> Option<u64> {
        let away = self.later.away.get(&session.node)?;
        (away.session == session.number).then_some(away.grace_ms)
    }

    /// How fast the cluster is.
    pub fn pace(&self) -> Pace {
        self.later.pace
    }

    /// Whether it holds nothing that the first layout could not say.
    pub fn is_of_the_first_layout(&self) -> bool {
        self.later == Later::default()
    }
}
