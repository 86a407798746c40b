//! A power cut, and the power's return.

use crate::history::{Fault, FaultKind, FaultOutcome};
use crate::moment;
use crate::testbed::{Testbed, name};

/// Cuts the power of machine `k`: engine, containers and pinode end in one instant.
pub fn cut(bed: &Testbed, k: usize, why: &str) -> Fault {
    act(FaultKind::Cut, k, why, || bed.cut(k))
}

/// Power back, and the machine's engine with it; its pinode is started by who has looked at the engine first.
pub fn power(bed: &Testbed, k: usize, why: &str) -> Fault {
    act(FaultKind::Power, k, why, || bed.power(k))
}

/// There was no occasion for it.
pub fn skipped(why: &str) -> Fault {
    let now = moment::now();
    Fault {
        what: FaultKind::Cut,
        node: String::new(),
        began_ns: now,
        ended_ns: now,
        outcome: FaultOutcome::Skipped,
        note: why.to_owned(),
    }
}

fn act(what: FaultKind, k: usize, why: &str, act: impl FnOnce() -> anyhow::Result<()>) -> Fault {
    let began_ns = moment::now();
    let (outcome, note) = match act() {
        Ok(()) => (FaultOutcome::Installed, why.to_owned()),
        Err(error) => (FaultOutcome::Indeterminate, format!("{why}: {error:#}")),
    };
    Fault { what, node: name(k), began_ns, ended_ns: moment::now(), outcome, note }
}
