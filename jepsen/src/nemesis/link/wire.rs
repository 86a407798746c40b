//! A bridge of our own: the machine is unplugged from the network, and every frame between the two passes through here.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::ErrorKind;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pnet_datalink::{Channel, Config, DataLinkReceiver, DataLinkSender};

use super::Plugs;
use super::quality::Quality;
use crate::background::{Background, Stop};
use crate::random::Random;
use crate::testbed::run;

/// Frames are looked after this often.
const TICK: Duration = Duration::from_millis(1);
/// Frames that wait at most in one direction; a network drops what is too much.
const WAITING_MAX: usize = 20_000;

/// A machine with a bad link.
#[derive(Debug)]
pub(super) struct Bridge {
    plugs: Plugs,
    threads: Background,
}

impl Bridge {
    /// Between the machine's plug and the network.
    pub(super) fn insert(plugs: Plugs, quality: Quality, random: &Random) -> anyhow::Result<Bridge> {
        let Plugs { network, machine, ours, far } = &plugs;
        // One that an interrupted run has left behind.
        drop(ip(&["del", ours]));
        ip(&["add", ours, "type", "veth", "peer", "name", far])?;
        for args in
            [&["set", ours, "up"][..], &["set", far, "master", network, "up"], &["set", machine, "nomaster"]]
        {
            ip(args)?;
        }
        let (to_machine, from_machine) = open(machine)?;
        let (to_network, from_network) = open(ours)?;
        let mut threads = Background::default();
        for (purpose, from, to) in [(1, from_machine, to_network), (2, from_network, to_machine)] {
            let (quality, random) = (quality.clone(), random.fork(purpose));
            threads.run(move |stop| pass(stop, (from, to), &quality, random));
        }
        Ok(Bridge { plugs, threads })
    }

    /// The machine is plugged in as before.
    pub(super) fn remove(self) -> anyhow::Result<()> {
        drop(self.threads);
        ip(&["set", &self.plugs.machine, "master", &self.plugs.network])?;
        ip(&["del", &self.plugs.ours])
    }
}

fn ip(args: &[&str]) -> anyhow::Result<()> {
    run(Command::new("ip").arg("link").args(args)).map(drop)
}

type Ends = (Box<dyn DataLinkSender>, Box<dyn DataLinkReceiver>);

fn open(name: &str) -> anyhow::Result<Ends> {
    let interface = pnet_datalink::interfaces().into_iter().find(|interface| interface.name == name);
    let interface = interface.with_context(|| format!("find the interface {name}"))?;
    let config = Config { read_timeout: Some(TICK), ..Config::default() };
    match pnet_datalink::channel(&interface, config).with_context(|| format!("open {name}"))? {
        Channel::Ethernet(to, from) => Ok((to, from)),
        _ => bail!("{name} has no frames"),
    }
}

/// Frames of one direction, each at its time.
fn pass(
    stop: &Stop,
    (mut from, mut to): (Box<dyn DataLinkReceiver>, Box<dyn DataLinkSender>),
    quality: &Quality,
    mut random: Random,
) {
    let mut waiting: BinaryHeap<Reverse<(Instant, u64, Vec<u8>)>> = BinaryHeap::new();
    let mut number = 0;
    while !stop.is_wanted() {
        match from.next() {
            Ok(frame) if waiting.len() < WAITING_MAX => {
                let now = Instant::now();
                for delay in quality.delays(&mut random) {
                    number += 1;
                    waiting.push(Reverse((now + delay, number, frame.to_vec())));
                }
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {}
            // The interface is gone: so is the link.
            Err(_) => return,
        }
        while waiting.peek().is_some_and(|Reverse((due, ..))| *due <= Instant::now()) {
            let Some(Reverse((_, _, frame))) = waiting.pop() else { break };
            // A frame that is not taken is a frame that is lost.
            drop(to.send_to(&frame, None));
        }
    }
}
