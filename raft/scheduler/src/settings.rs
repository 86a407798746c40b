//! What an operator sets for the whole cluster.

use serde::{Deserialize, Serialize};

/// Voters unless somebody says otherwise: two of five may be lost.
pub const VOTERS_DEFAULT: u8 = 5;
/// Most voters: each more makes every commit slower.
pub const VOTERS_MAX: u8 = 7;
/// How long a voter may be lost before a learner takes its place, in milliseconds, unless somebody says otherwise.
pub const REPLACE_VOTER_AFTER_MS: u64 = 300_000;
/// Shortest such time: a restart of a process must cost nobody its vote.
pub const REPLACE_VOTER_AFTER_MIN_MS: u64 = 1_000;

/// What holds for the whole cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Most voters; odd.
    pub voters: u8,
    /// How long a voter may be lost before a learner takes its place, in milliseconds.
    pub replace_voter_after_ms: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { voters: VOTERS_DEFAULT, replace_voter_after_ms: REPLACE_VOTER_AFTER_MS }
    }
}
