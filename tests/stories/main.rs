//! Three real machines, each with a real Docker Engine and a `pinode`, seen from outside. One story a file.
//!
//! They need root, and run one after the other: `tests/run` starts them.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a story that is surprised must fail at once")]

mod away;
mod chain;
mod command_line;
mod compose;
mod disk;
mod docker;
mod engine;
mod film;
mod glusterfs;
mod idle;
mod last_resort;
mod loopback;
mod member;
mod membership;
mod power;
mod refusal;
mod shared;
mod upgrade;
mod waiting;
mod web;
mod world;
