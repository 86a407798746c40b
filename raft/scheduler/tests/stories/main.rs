//! What the scheduler promises, as stories: a few commands, then what is so and nothing else.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a story that is surprised must fail at once, and says so by a panic"
)]

mod affinities;
mod architectures;
mod away;
mod blackouts;
mod cascade;
mod constraints;
mod cycles;
mod draining;
mod lifecycle;
mod losses;
mod nodes;
mod placement;
mod random;
mod requests;
mod reruns;
mod rooms;
mod stopping;
mod strategies;
mod waiting;
mod world;
