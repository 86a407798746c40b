//! openraft's settings. Its defaults fit no Pi, and none can be changed after the start.

use openraft::{Config, ConfigError, SnapshotPolicy};
use pinode_scheduler::later::Pace;

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

    /// The class for a disk whose sync takes so long, as [`pace_of`] says it: fast, or an SD card's with at least ten
    /// syncs before a candidacy.
    pub fn for_sync(sync_ms: u32) -> Timeouts {
        if sync_ms <= FAST_SYNC_MS {
            return Timeouts::FAST;
        }
        let election_min_ms = Timeouts::SD.election_min_ms.max(u64::from(sync_ms) * SYNCS_AN_ELECTION);
        Timeouts { election_min_ms, election_max_ms: election_min_ms * 3 / 2, ..Timeouts::SD }
    }

    /// F: how long a failover takes at most. A follower waits out its trust in the leader and then its election timeout;
    /// a vote and a first entry are synced on two disks.
    pub fn failover_ms(self, sync_ms: u32) -> u64 {
        2 * self.election_max_ms + 4 * u64::from(sync_ms)
    }
}

/// Syncs that fit into the shortest election timeout (openraft's own rule).
const SYNCS_AN_ELECTION: u64 = 10;
/// With slower syncs a disk is no longer fast, in milliseconds.
pub const FAST_SYNC_MS: u32 = 15;
/// Paces of a cluster, in milliseconds a sync. Few, so that nobody changes from one to the next and back.
const PACES_MS: [u32; 5] = [FAST_SYNC_MS, 100, 200, 400, 800];

/// The pace for a slowest voter whose syncs take so long, and the lease that it needs. L ≥ R + 2F, and a renewal comes
/// every tenth of a lease: then one lost leader fences nobody. A slower disk than the slowest pace is treated as that.
pub fn pace_of(slowest_sync_ms: u32) -> Pace {
    let [.., slowest] = PACES_MS;
    let sync_ms = PACES_MS.into_iter().find(|pace| slowest_sync_ms <= *pace).unwrap_or(slowest);
    let failover_ms = Timeouts::for_sync(sync_ms).failover_ms(sync_ms);
    let lease_ms = (2 * failover_ms * 10).div_ceil(9);
    Pace { sync_ms, lease_ms: u32::try_from(lease_ms).unwrap_or(u32::MAX) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_lease_is_long_enough_for_a_good_sd_card() {
        assert_eq!(pace_of(2), Pace { sync_ms: 15, lease_ms: 1_467 });
        assert!(pace_of(100).lease_ms <= 10_000, "{:?}", pace_of(100));
    }

    #[test]
    fn a_pace_leaves_ten_syncs_to_an_election_and_two_failovers_to_a_lease() {
        for measured in [0, 16, 100, 101, 300, 799] {
            let Pace { sync_ms, lease_ms } = pace_of(measured);
            let timeouts = Timeouts::for_sync(sync_ms);
            assert!(measured <= sync_ms && timeouts.election_min_ms >= u64::from(sync_ms) * 10);
            let renewal_ms = lease_ms / 10;
            assert!(u64::from(lease_ms - renewal_ms) >= 2 * timeouts.failover_ms(sync_ms) - 1);
            raft_config("test", timeouts).unwrap();
        }
    }

    #[test]
    fn a_disk_that_is_slower_than_any_pace_has_the_slowest() {
        assert_eq!(pace_of(60_000), pace_of(800));
    }
}
