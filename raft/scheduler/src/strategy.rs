//! Which of the nodes that fit takes a container. Integers only, so that all nodes rank alike.

use crate::id::ContainerId;
use crate::node::Node;
use crate::spec::Strategy;

/// Odd, and with bits all over: 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Strategy {
    /// The lowest rank takes the container. The last figure is the node's id or, where chance decides, as good as one:
    /// no two nodes rank alike.
    pub(crate) fn rank(self, node: &Node, index: u64, id: ContainerId) -> [u64; 4] {
        match self {
            Strategy::Spread => spread(node),
            Strategy::Binpack => binpack(node),
            Strategy::Random => [draw(index, id, node.id), node.id, 0, 0],
        }
    }
}

/// The fewest containers, then the fewest reserved CPUs, then who waited longest for a claim (so that a chain on an
/// idle cluster wanders), then the lowest id.
fn spread(node: &Node) -> [u64; 4] {
    [node.holds.len() as u64, node.reserved.cpu_milli, node.last_claim, node.id]
}

/// The least room: the share that is taken of its CPUs, its memory and its slots, in thousandths, added up. Then the
/// most containers, then the lowest id.
fn binpack(node: &Node) -> [u64; 4] {
    let (all, used, holds) = (node.facts.capacity, node.reserved, node.holds.len() as u64);
    let taken = share(used.cpu_milli, all.cpu_milli)
        .saturating_add(share(used.memory, all.memory))
        .saturating_add(share(holds, u64::from(crate::filter::slots(node))));
    [u64::MAX - taken, u64::MAX - holds, node.id, 0]
}

fn share(used: u64, all: u64) -> u64 {
    let thousandths = u128::from(used) * 1000 / u128::from(all.max(1));
    u64::try_from(thousandths).unwrap_or(u64::MAX)
}

/// A number for this node in this entry that nobody could have chosen: each container draws anew at each entry, and
/// every replay draws the same.
fn draw(index: u64, id: ContainerId, node: u64) -> u64 {
    let words = id.0.chunks(8).map(|bytes| bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    words.chain([node]).fold(mix(index), |drawn, word| mix(drawn ^ word))
}

/// One step of SplitMix64 (Steele, Lea and Flood, 2014): every bit of the input changes half of the output's.
fn mix(word: u64) -> u64 {
    let mut word = word.wrapping_add(GOLDEN);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
