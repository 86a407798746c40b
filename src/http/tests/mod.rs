//! The door as a stranger sees it: a whole node in one process, with a log on disk and an engine that only answers.

mod containers;
mod engine;
mod films;
pub(crate) mod node;
mod nodes;
mod pages;
mod shape;
mod uploads;
