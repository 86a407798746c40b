//! What must hold in every world, and what must be reached in some, so that the rest is not true of an empty world.

use stateright::Property;

use super::log::Phase;
use super::protocol::{CONTAINERS, Protocol, Rerun};
use super::world::{Docker, Event, Process, World};

/// Nothing fenced runs twice at the same time.
pub const NO_OVERLAP: &str = "two attempts of a fenced container never run at the same time";
/// The container, not the attempt, of `never`.
pub const NEVER_ONCE: &str = "`rerun: never` starts once, ever";
/// One start an attempt.
pub const ONE_START: &str = "an attempt starts at most once";
/// Success is only what Docker vouches for.
pub const SUCCESS: &str = "nothing succeeds that has not ended by itself";
/// The log is protected against the dead.
pub const DEAD: &str = "an attempt that is over changes nothing";
/// Condemned is condemned.
pub const CONDEMNED: &str = "no renewal of a condemned session is granted";
/// A session has its time.
pub const AT_ONCE: &str = "no session is lost at the moment in which it was opened";
/// Nobody waits for a worker that has nothing more to say.
pub const HEARD: &str = "what a worker told last is never refused while its container waits for it";

/// The lost one's work goes on.
pub const RUNS_ELSEWHERE: &str = "a container of a lost node runs elsewhere";
/// A lease ends.
pub const LAPSE: &str = "the lease of a node that runs something ends";
/// A late exit counts.
pub const LATE: &str = "a late exit is counted";
/// The second container follows the first.
pub const CHAIN: &str = "both containers succeed";
/// The guard does its work.
pub const GUARDED: &str = "a guard fences";
/// A session goes on in another process.
pub const RESUMED: &str = "a container survives its pinode";
/// A declined claim finds another node.
pub const DECLINED: &str = "what one node declined runs on another";
/// The one that must not run twice waits.
pub const UNKNOWN: &str = "what must not run twice waits for its node";
/// The eager one does overlap, or its checker sees nothing.
pub const EAGER: &str = "an eager container runs twice at the same time";

/// All that apply within these bounds.
pub fn all(protocol: &Protocol) -> Vec<Property<Protocol>> {
    let mut all = vec![
        Property::always(NO_OVERLAP, no_overlap),
        Property::always(NEVER_ONCE, never_once),
        Property::always(ONE_START, |_, world: &World| {
            world.starts.iter().flatten().all(|starts| *starts <= 1)
        }),
        Property::always(SUCCESS, |_, world: &World| {
            (0..CONTAINERS).all(|c| !world.has_succeeded(c) || world.ended[c])
        }),
        Property::always(DEAD, |_, world: &World| world.event != Event::DeadChanged),
        Property::always(CONDEMNED, |_, world: &World| world.event != Event::CondemnedGranted),
        Property::always(AT_ONCE, |_, world: &World| world.event != Event::LostAtOnce),
        Property::always(HEARD, heard),
    ];
    // A model without one of its guards is asked for what breaks, not for what is reached.
    if protocol.without.is_none() {
        all.extend(reached(protocol));
    }
    all
}

fn reached(protocol: &Protocol) -> Vec<Property<Protocol>> {
    let mut reached = vec![
        Property::sometimes(LAPSE, |protocol, world: &World| {
            world.nodes.iter().any(|node| {
                node.acting > 0 && node.is_lapsed() && world.ladder(protocol, node).next().is_some()
            })
        }),
        Property::sometimes(LATE, |_, world: &World| world.event == Event::LateExitCounted),
        Property::sometimes(CHAIN, |_, world: &World| (0..CONTAINERS).all(|c| world.has_succeeded(c))),
        Property::sometimes(RESUMED, |_, world: &World| {
            world.faults == 0 && world.nodes.iter().any(|node| node.may && runs(node.tries.iter().flatten()))
        }),
        Property::sometimes(DECLINED, |_, world: &World| {
            let barred = |c: usize| world.log.containers[c].barred.contains(&true);
            (0..CONTAINERS).any(|c| barred(c) && runs(world.nodes.iter().flat_map(|node| &node.tries[c])))
        }),
    ];
    let rerun = protocol.bounds.rerun;
    if rerun.contains(&Rerun::Fenced) {
        reached.push(Property::sometimes(RUNS_ELSEWHERE, runs_elsewhere));
        reached.push(Property::sometimes(GUARDED, |_, world: &World| {
            world.nodes.iter().any(|node| {
                node.process == Process::Guarded
                    && node.tries.iter().flatten().any(|one| one.docker == Docker::Killed)
            })
        }));
    }
    if rerun.contains(&Rerun::Never) {
        reached.push(Property::sometimes(UNKNOWN, |_, world: &World| {
            world.log.containers.iter().any(|c| c.phase == Phase::Unknown)
        }));
    }
    if rerun.contains(&Rerun::Eager) {
        reached.push(Property::sometimes(EAGER, |protocol: &Protocol, world: &World| {
            (0..CONTAINERS).any(|c| protocol.bounds.rerun[c] == Rerun::Eager && world.overlaps(c))
        }));
    }
    reached
}

fn runs<'a>(tries: impl IntoIterator<Item = &'a super::world::Try>) -> bool {
    tries.into_iter().any(|one| one.docker == Docker::Running)
}

fn no_overlap(protocol: &Protocol, world: &World) -> bool {
    (0..CONTAINERS).all(|c| protocol.bounds.rerun[c] != Rerun::Fenced || !world.overlaps(c))
}

fn never_once(protocol: &Protocol, world: &World) -> bool {
    let starts = |c: usize| world.starts[c].iter().sum::<u8>();
    (0..CONTAINERS).all(|c| protocol.bounds.rerun[c] != Rerun::Never || starts(c) <= 1)
}

/// A worker that has said its last word, and was refused, would never say another.
fn heard(_: &Protocol, world: &World) -> bool {
    (0..CONTAINERS).all(|c| {
        let container = &world.log.containers[c];
        let waits = matches!(container.phase, Phase::Claimed | Phase::Unknown);
        let one = || world.nodes[usize::from(container.claim.0)].tries[c][usize::from(container.attempt) - 1];
        !waits || !one().over || one().report.is_some()
    })
}

fn runs_elsewhere(_: &Protocol, world: &World) -> bool {
    (0..CONTAINERS).any(|c| {
        let before = world.log.holder(c, 0);
        let lost = before.is_some_and(|node| !world.log.sessions[node].open);
        let now = world.log.holder(c, 1).filter(|node| Some(*node) != before);
        lost && now.is_some_and(|node| world.nodes[node].tries[c][1].docker == Docker::Running)
    })
}
