//! openraft's settings. Its defaults fit no Pi, and none can be changed after the start.

use openraft::{Config, ConfigError, SnapshotPolicy};

/// Entries between two snapshots.
pub const SNAPSHOT_EVERY: u64 = 5_000;
/// Entries kept behind a snapshot: down to the snapshot before it, which takes over should the newest not verify, and
/// for followers that lag a little.
pub const KEPT_BEHIND_SNAPSHOT: u64 = 7_500;
/// Most entries in one message to a follower.
pub const ENTRIES_PER_MESSAGE: u64 = 300;

/// Heartbeats and elections, in milliseconds. A follower's first candidacy comes `election_max` plus an election
/// timeout after the last heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Between two heartbeats.
    pub heartbeat_ms: u64,
    /// Shortest wait of a candidate.
    pub election_min_ms: u64,
    /// Longest; also how long a follower trusts a silent leader.
    pub election_max_ms: u64,
}

impl Timeouts {
    /// For disks whose sync takes a few milliseconds.
    pub const FAST: Timeouts = Timeouts { heartbeat_ms: 75, election_min_ms: 150, election_max_ms: 300 };
    /// For SD cards.
    pub const SD: Timeouts = Timeouts { heartbeat_ms: 300, election_min_ms: 1_000, election_max_ms: 1_500 };
}

/// A validated openraft configuration.
pub fn raft_config(cluster: &str, timeouts: Timeouts) -> Result<Config, ConfigError> {
    Config {
        cluster_name: cluster.to_owned(),
        heartbeat_interval: timeouts.heartbeat_ms,
        election_timeout_min: timeouts.election_min_ms,
        election_timeout_max: timeouts.election_max_ms,
        install_snapshot_timeout: 60_000,
        max_payload_entries: ENTRIES_PER_MESSAGE,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(SNAPSHOT_EVERY),
        max_in_snapshot_log_to_keep: KEPT_BEHIND_SNAPSHOT,
        purge_batch_size: 256,
        // A node that comes back must not depose a leader that the others hear.
        enable_pre_vote: Some(true),
        // A restarted leader may have been declared lost meanwhile: it asks for votes as everybody.
        enable_leader_restore: Some(false),
        // A log that went back is a restored disk: the hello refuses it, Raft must not paper over it.
        allow_log_reversion: Some(false),
        ..Config::default()
    }
    .validate()
}

// The log reaches down to the snapshot before the newest: a snapshot is begun when so many entries are applied, and more
// come while it is built.
const _: () = assert!(KEPT_BEHIND_SNAPSHOT > SNAPSHOT_EVERY + SNAPSHOT_EVERY / 4);
