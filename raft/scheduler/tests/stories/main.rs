//! What the scheduler promises, as stories: a few commands, then what is so and nothing else.

mod cascade;
mod cycles;
mod losses;
mod placement;
mod random;
mod requests;
mod stopping;
mod waiting;
mod world;
