//! What is done to whom, and when: a history each.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `catalog` | all scenarios by name: which harm, on which machines |
//! | `storm` | harm after harm beside a workload, then calm, and the last looks |
//! | `film` | a film is encoded, and one of the nodes that encode it loses its power |
//! | `survivors` | the nodes that are left, watched until they have settled and until everything has ended |

pub mod catalog;
pub mod film;
mod storm;
mod survivors;

use crate::history::History;
use crate::moment;
use crate::node::Node;
use crate::testbed::Options;
use std::time::Duration;

/// A node's lease, where nothing else is said: pinode's own.
pub const LEASE_SECONDS: f64 = 10.0;

/// What every scenario is run with.
#[derive(Clone, Debug)]
pub struct Setting {
    /// All choices follow from it.
    pub seed: u64,
    /// The line that runs it again.
    pub again: String,
    /// For how long harm is done.
    pub seconds: u64,
    /// Machines.
    pub options: Options,
}

/// A history in which nothing has happened yet.
fn begin(scenario: &str, setting: &Setting, began_ns: u64, nodes: &[Node]) -> History {
    let lease = Duration::from_secs_f64(setting.options.lease_seconds.unwrap_or(LEASE_SECONDS));
    History {
        scenario: scenario.to_owned(),
        seed: setting.seed,
        again: setting.again.clone(),
        began_ns,
        lease_ns: moment::nanoseconds(lease),
        nodes: nodes.iter().map(|node| node.name.clone()).collect(),
        ..History::default()
    }
}
