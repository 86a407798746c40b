//! What really happened in the engine, whoever heard of it: for who judges afterwards.

use tokio::time::Instant;

/// One deed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: Instant,
    /// The engine's id.
    pub docker_id: String,
    /// The container's pinode name.
    pub name: String,
    /// Its attempt.
    pub attempt: u32,
    /// What.
    pub what: Happened,
}

/// What happened to a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It began, once more or for the first time.
    Started,
    /// It ended.
    Ended {
        /// What the engine shows.
        code: i64,
        /// It came to its own end, and nobody sent it a signal.
        by_itself: bool,
    },
}
