//! Where harm is done: machines, and which of their pinodes somebody holds down.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;

use crate::history::OwnEnd;
use crate::moment;
use crate::node::Node;
use crate::random::Random;
use crate::testbed::{self, Testbed};
use crate::wait::in_time;

/// Last lines of a log that are kept as last words.
const LAST_WORDS: usize = 4;

/// Longest wait for healed nodes to see each other as up, and the pause between two looks.
const WHOLE_SOON: Duration = Duration::from_secs(30);
const WHOLE_LOOK: Duration = Duration::from_millis(300);

/// Machines under harm.
#[derive(Debug)]
pub struct Ground {
    /// They.
    pub bed: Testbed,
    /// Their nodes.
    pub nodes: Vec<Node>,
    down: Mutex<BTreeSet<usize>>,
}

impl Ground {
    /// Of a whole testbed.
    pub fn new(bed: Testbed) -> Ground {
        let nodes = Node::all(&bed);
        Ground { bed, nodes, down: Mutex::default() }
    }

    /// From now on nobody starts this pinode.
    pub fn hold_down(&self, k: usize) {
        self.down().insert(k);
    }

    /// Starts a pinode that was held down. One that does not come up is no failure of the harness: it is tried again and
    /// again, and judges miss it in the end.
    pub fn let_up(&self, k: usize) {
        // Held while it starts: nobody else may find it missing meanwhile, and start it too.
        let mut down = self.down();
        down.remove(&k);
        if let Err(error) = self.bed.start_node(k) {
            eprintln!("       {} does not come up yet: {error:#}", testbed::name(k));
        }
    }

    /// Starts each pinode that has ended by itself, as an init system would. Which they were.
    pub fn start_ended(&self) -> Vec<OwnEnd> {
        let mut ends = Vec::new();
        for k in self.nodes.iter().map(|node| node.number) {
            // Held while it starts, so that nobody kills what is half there.
            let down = self.down();
            if down.contains(&k) || self.bed.pid(k).is_ok() {
                continue;
            }
            let log = self.bed.log(k);
            let lines: Vec<&str> = log.lines().collect();
            let words = lines.get(lines.len().saturating_sub(LAST_WORDS)..).unwrap_or_default().join("\n");
            ends.push(OwnEnd { node: testbed::name(k), seen_ns: moment::now(), words });
            // Who ends again at once is found ended again at the next look.
            drop(self.bed.start_node(k));
        }
        ends
    }

    fn down(&self) -> MutexGuard<'_, BTreeSet<usize>> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who leads, as any node sees it.
    pub fn leader(&self) -> Option<usize> {
        let told = self
            .nodes
            .iter()
            .find_map(|node| node.client.status().ok()?["leader"].as_str().map(str::to_owned));
        told.and_then(|name| testbed::number(&name).ok())
    }

    /// A victim: every second time the leader.
    pub fn victim(&self, random: &mut Random) -> anyhow::Result<usize> {
        let leader = if random.between(0, 1) == 0 { self.leader() } else { None };
        leader.or_else(|| random.pick(&self.numbers()).copied()).context("there is no node")
    }

    /// The numbers of all nodes.
    pub fn numbers(&self) -> Vec<usize> {
        self.nodes.iter().map(|node| node.number).collect()
    }

    /// The same in another order.
    pub fn shuffled(&self, random: &mut Random) -> Vec<usize> {
        let mut numbers = self.numbers();
        random.shuffle(&mut numbers);
        numbers
    }

    /// How many nodes are a majority.
    pub fn majority(&self) -> usize {
        self.nodes.len() / 2 + 1
    }

    /// Whether every node sees every node as up, soon: what was healed a moment ago needs a while.
    pub fn is_whole_soon(&self) -> anyhow::Result<bool> {
        in_time(WHOLE_SOON, WHOLE_LOOK, || self.is_whole())
    }

    /// Whether every node counts on every node's vote, soon: one on a new disk takes the old one's place a moment after it
    /// is up.
    pub fn all_vote_soon(&self) -> anyhow::Result<bool> {
        let counts = |node: &Node, other: &Node| node.counts_on(&other.name).unwrap_or(false);
        in_time(WHOLE_SOON, WHOLE_LOOK, || self.each_of_each(counts))
    }

    fn is_whole(&self) -> bool {
        self.each_of_each(|node, other| {
            node.thinks_of(&other.name).is_ok_and(|state| state.as_deref() == Some("up"))
        })
    }

    /// Whether every node holds this of every node, itself too.
    fn each_of_each(&self, holds: impl Fn(&Node, &Node) -> bool) -> bool {
        self.nodes.iter().all(|node| self.nodes.iter().all(|other| holds(node, other)))
    }
}
