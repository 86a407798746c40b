//! What this node owes, held against what its Docker Engine shows. The agent launches, watches, classifies and reports;
//! it never decides what should run, and never touches the log.

mod classify;
mod dispatch;
pub mod docker;
#[cfg(any(test, feature = "fake-engine"))]
pub mod fake;
mod gate;
mod images;
mod intents;
mod launch;
pub mod reset;
pub mod runtime;
mod silence;
#[cfg(test)]
mod tests;
mod worker;

pub use dispatch::{Agent, AgentConfig, Authority, Report, What};
pub use gate::Gate;
pub use images::ImageSource;
pub use intents::{Intents, Signal};
pub use launch::{SHARED_DRIVER, docker_name};
pub use silence::{Stage, StillLoud};
