//! Planted bugs: each is a mistake that somebody could make, and that a judge of the simulation must catch. Without the
//! feature `mutants` there are none, and [`is`] is the constant `false`.

/// A bug, by what pinode then does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// A start whose answer was lost is sent again.
    StartsTwice,
    /// What is not synced yet is acknowledged.
    AcknowledgesUnsynced,
    /// Exit 0 of an engine that was away is believed.
    BelievesRestartedEngine,
    /// Whether a report is about the present attempt is not judged when it is applied.
    TakesStaleReports,
    /// A session is declared lost as soon as it is suspected.
    DeclaresLostEarly,
    /// A read that asks for no stale answer gets what is there.
    ReadsStale,
    /// Who misses the engine's events never looks for himself.
    TrustsEvents,
    /// A pattern means what exists when it is submitted, and is not live.
    ClosesPatternsEarly,
    /// `apply` follows the order of a hash map.
    FollowsHashOrder,
    /// A snapshot forgets which requests were answered.
    ForgetsRequests,
    /// Leases are counted on the wall clock.
    LeasesOnWallClock,
    /// A report that is not committed at the first try is dropped.
    DropsReports,
    /// A condemned session is granted a renewal.
    RenewsCondemned,
    /// A folder that was set aside is opened as if nothing had been.
    OpensQuarantined,
    /// Exit 0 after our own signal is a success.
    BelievesOwnKill,
    /// Each founds with whoever has answered.
    FoundsAlone,
    /// Who waits for a success is released by a failure.
    ReleasesAfterFailure,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Mutant; 17] = [
        Mutant::StartsTwice,
        Mutant::AcknowledgesUnsynced,
        Mutant::BelievesRestartedEngine,
        Mutant::TakesStaleReports,
        Mutant::DeclaresLostEarly,
        Mutant::ReadsStale,
        Mutant::TrustsEvents,
        Mutant::ClosesPatternsEarly,
        Mutant::FollowsHashOrder,
        Mutant::ForgetsRequests,
        Mutant::LeasesOnWallClock,
        Mutant::DropsReports,
        Mutant::RenewsCondemned,
        Mutant::OpensQuarantined,
        Mutant::BelievesOwnKill,
        Mutant::FoundsAlone,
        Mutant::ReleasesAfterFailure,
    ];
}

#[cfg(feature = "mutants")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// From now on this thread's nodes have that bug, and no other.
#[cfg(feature = "mutants")]
pub fn plant(mutant: Option<Mutant>) {
    PLANTED.set(mutant);
}

/// Whether this bug is planted.
#[cfg(feature = "mutants")]
pub fn is(mutant: Mutant) -> bool {
    PLANTED.get() == Some(mutant)
}

/// No bug is planted.
#[cfg(not(feature = "mutants"))]
pub const fn is(_: Mutant) -> bool {
    false
}

/// Where a hash map of this process would have a node.
#[cfg(feature = "mutants")]
#[expect(clippy::disallowed_types, reason = "that is the bug")]
pub(crate) fn hash_order(node: u64) -> u64 {
    use std::hash::BuildHasher;
    std::collections::hash_map::RandomState::new().hash_one(node)
}

#[cfg(feature = "mutants")]
impl crate::state::State {
    /// As a snapshot that forgets them would keep it.
    pub fn without_requests(mut self) -> Self {
        self.requests.clear();
        self.request_order.clear();
        self
    }
}
