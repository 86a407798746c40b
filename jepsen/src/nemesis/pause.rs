//! SIGSTOP: a process that hangs, and goes on as if nothing had happened.

use super::{Ground, Harm};
use crate::history::FaultKind;
use crate::random::Random;
use crate::testbed::Process;

/// A pinode: longer than its lease, it may not act when it goes on.
pub fn pinode(ground: &Ground, random: &mut Random) -> Harm {
    pause(ground, random, (FaultKind::Pause, Process::Pinode))
}

/// An engine.
pub fn engine(ground: &Ground, random: &mut Random) -> Harm {
    pause(ground, random, (FaultKind::EngineHang, Process::Dockerd))
}

/// What an engine stands on.
pub fn containerd(ground: &Ground, random: &mut Random) -> Harm {
    pause(ground, random, (FaultKind::EngineHang, Process::Containerd))
}

fn pause(ground: &Ground, random: &mut Random, (what, process): (FaultKind, Process)) -> Harm {
    let made = ground.victim(random).map(|k| {
        Harm::strike(
            (what, &[k], format!("{process:?} stopped").to_lowercase()),
            || ground.bed.signal(k, process, "STOP"),
            move |ground| {
                // Somebody else may have ended it meanwhile: then there is nothing that could go on.
                drop(ground.bed.signal(k, process, "CONT"));
                Ok(())
            },
        )
    });
    Harm::or_skipped(what, made)
}
