//! Why a node cannot take a container. A value: placing asks for thousands of them and reads none, `why` prints them.

use std::fmt;

use crate::container::Decline;
use crate::filter::{Affinity, Constraint};
use crate::node::Drain;
use crate::spec::HostPort;

/// What stands in the way.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Obstacle<'a> {
    /// The node's session is lost.
    Lost,
    /// The leader has not heard from it.
    Silent,
    /// An operator wants nothing new on it.
    Draining(Drain),
    /// Something ails it.
    Ailing(&'a str),
    /// It declined.
    Barred(&'a Decline),
    /// It is not such a one; what it is instead, where a label says so.
    Constraint(&'a Constraint, Is<'a>),
    /// The image is made for another machine.
    Architecture(&'a str, &'a str),
    /// A volume has its data on another node.
    Volume(&'a str, &'a str),
    /// It sees another shared folder, or none.
    Unshared,
    /// It has, or has not, such a thing.
    Affinity(&'a Affinity),
    /// It lacks a container that this one needs beside it: who lacks whom.
    Alone { needs: &'a str, whom: &'a str, exists: bool },
    /// A port is taken, by whom.
    Port(HostPort, &'a str),
    /// It has no slot left of so many; whether a label says how many.
    Slots(u32, bool),
    /// Too few CPUs are free: asked, free.
    Cpus(u64, u64),
    /// Too little memory is free: asked, free.
    Memory(u64, u64),
}

/// What a node is, seen from a constraint that it does not meet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Is<'a> {
    /// Its label says this.
    This(&'a str),
    /// It has no such label.
    Nothing,
    /// Its name says it all.
    Itself,
}

impl fmt::Display for Obstacle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::Lost => f.write_str("its session is lost"),
            Obstacle::Silent => f.write_str("it has not been heard from"),
            Obstacle::Draining(drain) => f.write_str(&drain.sentence()),
            Obstacle::Ailing(sentence) => f.write_str(sentence),
            Obstacle::Barred(reason) => f.write_str(&reason.sentence()),
            Obstacle::Constraint(constraint, Is::Itself) => write!(f, "constraint {constraint}"),
            Obstacle::Constraint(constraint, Is::This(value)) => {
                write!(f, "constraint {constraint} (it is {value})")
            }
            Obstacle::Constraint(constraint, Is::Nothing) => {
                write!(f, "constraint {constraint} (it has no label {})", constraint.key)
            }
            Obstacle::Architecture(image, arch) => write!(f, "image {image} is made for {arch}"),
            Obstacle::Volume(volume, home) => write!(f, "volume {volume} is on {home}"),
            Obstacle::Unshared => f.write_str("it does not see the shared folder that the others see"),
            Obstacle::Affinity(affinity) => write!(f, "affinity {affinity}"),
            Obstacle::Alone { needs, whom, exists: true } => {
                write!(f, "it has no {whom}, which {needs} needs beside it")
            }
            Obstacle::Alone { needs, whom, exists: false } => {
                write!(f, "it has no {whom}, which {needs} needs beside it; no node has")
            }
            Obstacle::Port(port, holder) => write!(f, "port {port} is taken by {holder}"),
            Obstacle::Slots(all, false) => write!(f, "all its {all} slots are taken"),
            Obstacle::Slots(all, true) => write!(f, "all its {all} slots are taken (label containerslots)"),
            Obstacle::Cpus(asked, free) => write!(f, "{} CPUs asked, {} free", cpus(*asked), cpus(*free)),
            Obstacle::Memory(asked, free) => write!(f, "{} memory asked, {} free", mib(*asked), mib(*free)),
        }
    }
}

/// Thousandths as people write CPUs.
pub(crate) fn cpus(milli: u64) -> String {
    let text = format!("{}.{:03}", milli / 1000, milli % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Bytes as people write memory.
pub(crate) fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
