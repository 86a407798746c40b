//! What a node has heard at first contact, and what follows from it. No IO, no clock.
//!
//! Two nodes never found two clusters together: a node decides on a list of ids only when every named peer has answered,
//! in one round, that it is empty and sees exactly that list; and once it has decided, its own view is frozen. So if two
//! nodes that name each other decide, each had seen the other's view equal to its own.

use std::collections::{BTreeMap, BTreeSet};

use pinode_raft::Member;
use pinode_scheduler::NodeId;
use pinode_scheduler::mutant::{self, Mutant};
use pinode_scheduler::settings::VOTERS_DEFAULT;
use sha2::{Digest, Sha256};

use crate::transport::wire::{Founder, Joiner, cluster_name};

/// The founders of a cluster, by id.
pub type Founders = BTreeMap<NodeId, Member>;

/// What one round of asking came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Round {
    /// All of them are empty and see the same.
    Agreed(Founders),
    /// There is a cluster.
    Cluster([u8; 32]),
    /// Sentences: what is still in the way.
    Missing(Vec<String>),
    /// Two peers belong to two clusters.
    TwoClusters(String, String),
}

/// A node before its cluster.
#[derive(Debug)]
pub(super) struct Agreement {
    own: Founder,
    frozen: bool,
}

impl Agreement {
    pub(super) fn new(me: Joiner, peers: &BTreeSet<String>) -> Agreement {
        let mut set = peers.clone();
        set.insert(me.addr.clone());
        Agreement {
            own: Founder { me, set, view: Vec::new(), cluster: None, founders: Vec::new() },
            frozen: false,
        }
    }

    /// What this node says of itself.
    pub(super) fn own(&self) -> &Founder {
        &self.own
    }

    /// The addresses to ask.
    pub(super) fn peers(&self) -> Vec<String> {
        self.own.set.iter().filter(|addr| **addr != self.own.me.addr).cloned().collect()
    }

    /// From now on the node is not empty.
    pub(super) fn belong(&mut self, cluster: [u8; 32], founders: &Founders) {
        self.own.cluster = Some(cluster);
        self.own.founders = joiners(founders);
        self.frozen = true;
    }

    /// Draws the conclusion from one round: each peer's answer, or a sentence why there is none.
    pub(super) fn conclude(&mut self, answers: &[(String, Result<Founder, String>)]) -> Round {
        let mut missing = Vec::new();
        let mut empty: BTreeMap<NodeId, &Founder> = BTreeMap::new();
        let mut members: Vec<(&String, &Founder, [u8; 32])> = Vec::new();
        for (addr, answer) in answers {
            match answer {
                Err(why) => missing.push(why.clone()),
                Ok(other) if other.me.node == self.own.me.node => {}
                Ok(other) => match other.cluster {
                    Some(cluster) => members.push((addr, other, cluster)),
                    None => drop(empty.insert(other.me.node, other)),
                },
            }
        }
        if let Some((addr, _, cluster)) = members.first() {
            if let Some((other, _, _)) = members.iter().find(|(_, _, other)| other != cluster) {
                return Round::TwoClusters((*addr).clone(), (*other).clone());
            }
            return self.accept(*cluster, members.iter().map(|(_, founder, _)| *founder));
        }
        if !missing.is_empty() && !mutant::is(Mutant::FoundsAlone) {
            self.see(Vec::new());
            return Round::Missing(missing);
        }
        let mut view: Vec<Joiner> = empty.values().map(|other| other.me.clone()).collect();
        view.push(self.own.me.clone());
        view.sort_unstable();
        missing.extend(empty.values().filter_map(|other| self.objection(other, &view)));
        self.see(view.clone());
        if missing.is_empty() || mutant::is(Mutant::FoundsAlone) {
            self.frozen = true;
            Round::Agreed(founders(&view))
        } else {
            Round::Missing(missing)
        }
    }

    fn see(&mut self, view: Vec<Joiner>) {
        if !self.frozen {
            self.own.view = view;
        }
    }

    /// There is a cluster. If this node is one of its founders, the others have seen this disk agree to it: it founds
    /// the same one. Else it joins.
    fn accept<'a>(&self, cluster: [u8; 32], mut members: impl Iterator<Item = &'a Founder>) -> Round {
        let list =
            members.find(|member| !member.founders.is_empty()).map(|member| founders(&member.founders));
        match list {
            Some(list) if cluster_id(&list) == cluster && list.contains_key(&self.own.me.node) => {
                Round::Agreed(list)
            }
            Some(_) | None => Round::Cluster(cluster),
        }
    }

    fn objection(&self, other: &Founder, view: &[Joiner]) -> Option<String> {
        let addr = &other.me.addr;
        let named = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(",");
        if other.view == view {
            None
        } else if other.set != self.own.set {
            let (theirs, ours) = (named(&other.set), named(&self.own.set));
            Some(format!(
                "{addr} founds with {theirs}, this node with {ours}: give the first nodes the same --peers"
            ))
        } else {
            Some(format!("{addr} has not heard from all of its peers yet"))
        }
    }
}

pub(super) fn joiners(founders: &Founders) -> Vec<Joiner> {
    let joiner = |(node, member): (&NodeId, &Member)| Joiner {
        node: *node,
        name: member.name.clone(),
        addr: member.peer.clone(),
    };
    founders.iter().map(joiner).collect()
}

fn founders(list: &[Joiner]) -> Founders {
    list.iter().map(|one| (one.node, Member { name: one.name.clone(), peer: one.addr.clone() })).collect()
}

/// SHA-256 of the sorted founders.
pub(super) fn cluster_id(founders: &Founders) -> [u8; 32] {
    let mut hash = Sha256::new();
    for (id, member) in founders {
        hash.update(format!("{id:016x} {}\n", member.peer));
    }
    hash.finalize().into()
}

/// The founders that vote: the largest odd number, at most five, lowest ids first.
pub(super) fn first_voters(founders: &Founders) -> Founders {
    let count = odd(founders.len().min(usize::from(VOTERS_DEFAULT)));
    founders.iter().take(count).map(|(id, member)| (*id, member.clone())).collect()
}

/// The largest odd number up to `most`.
pub(super) fn odd(most: usize) -> usize {
    if most.is_multiple_of(2) { most.saturating_sub(1) } else { most }
}

impl Round {
    /// For the log.
    pub(super) fn sentence(&self) -> String {
        match self {
            Round::Agreed(founders) => format!("{} nodes agree", founders.len()),
            Round::Cluster(cluster) => format!("there is {} already", cluster_name(Some(cluster))),
            Round::Missing(what) => what.join("; "),
            Round::TwoClusters(one, other) => format!("{one} and {other} belong to different clusters"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joiner(node: NodeId) -> Joiner {
        Joiner { node, name: format!("n{node}"), addr: format!("h{node}:1") }
    }

    /// Node `node`, told to found with the nodes `peers`.
    fn node(node: NodeId, peers: &[NodeId]) -> Agreement {
        Agreement::new(joiner(node), &peers.iter().map(|peer| joiner(*peer).addr).collect())
    }

    /// One round of `nodes[who]`: it asks all that it was told of; who is not in `nodes` does not answer.
    fn round(nodes: &mut [Agreement], who: usize) -> Round {
        let ask = |addr: String| {
            let found = nodes.iter().find(|node| node.own.me.addr == addr);
            (addr.clone(), found.map(|node| node.own.clone()).ok_or(format!("no answer from {addr}")))
        };
        let answers: Vec<_> = nodes[who].peers().into_iter().map(ask).collect();
        let round = nodes[who].conclude(&answers);
        if let Round::Agreed(founders) = &round {
            nodes[who].belong(cluster_id(founders), founders);
        }
        round
    }

    fn agreed(round: &Round) -> Option<Vec<NodeId>> {
        match round {
            Round::Agreed(founders) => Some(founders.keys().copied().collect()),
            Round::Cluster(_) | Round::Missing(_) | Round::TwoClusters(..) => None,
        }
    }

    #[test]
    fn three_nodes_that_name_each_other_found_one_cluster() {
        let mut nodes = [node(1, &[2, 3]), node(2, &[1, 3]), node(3, &[1, 2, 3])];
        for who in 0..2 {
            assert_eq!(agreed(&round(&mut nodes, who)), None, "not all have heard from all yet");
        }
        for who in [2, 0, 1] {
            assert_eq!(agreed(&round(&mut nodes, who)), Some(vec![1, 2, 3]));
        }
        assert_eq!(nodes[0].own.cluster, nodes[2].own.cluster);
    }

    #[test]
    fn no_answer_is_not_empty() {
        let mut nodes = [node(1, &[2, 3]), node(2, &[1, 3])];
        for _ in 0..5 {
            for who in 0..2 {
                assert!(matches!(round(&mut nodes, who), Round::Missing(_)));
            }
        }
    }

    #[test]
    fn different_peer_lists_never_found_and_say_why() {
        let mut nodes = [node(1, &[2, 3]), node(2, &[1, 3]), node(3, &[1])];
        for _ in 0..5 {
            for who in 0..3 {
                assert_eq!(agreed(&round(&mut nodes, who)), None);
            }
        }
        let sentence = round(&mut nodes, 0).sentence();
        assert!(sentence.contains("h3:1 founds with h1:1,h3:1, this node with h1:1,h2:1,h3:1"), "{sentence}");
    }

    #[test]
    fn a_node_named_by_an_alias_is_one_node() {
        let mut nodes = [node(1, &[2]), node(2, &[1])];
        nodes[0].own.set.insert("alias-of-h1:1".to_owned());
        let mut ask = |who: usize| {
            let (own, other) = (nodes[who].own.clone(), nodes[1 - who].own.clone());
            let answers =
                [("alias-of-h1:1".to_owned(), Ok(nodes[0].own.clone())), (other.me.addr.clone(), Ok(other))];
            let answers = if own.me.node == 1 { &answers[..] } else { &answers[1..] };
            agreed(&nodes[who].conclude(answers))
        };
        assert_eq!([ask(0), ask(1), ask(0)], [None, Some(vec![1, 2]), Some(vec![1, 2])]);
    }

    #[test]
    fn who_was_outside_joins() {
        let mut nodes = [node(1, &[2]), node(2, &[1]), node(3, &[1, 2, 3])];
        for who in [0, 1, 2, 0, 1] {
            round(&mut nodes, who);
        }
        let cluster = nodes[0].own.cluster.unwrap();
        assert_eq!(round(&mut nodes, 2), Round::Cluster(cluster));
    }

    #[test]
    fn a_founder_that_was_killed_before_it_founded_founds_the_same() {
        let mut nodes = [node(1, &[2, 3]), node(2, &[1, 3]), node(3, &[1, 2])];
        for who in [0, 1, 2, 0] {
            round(&mut nodes, who);
        }
        nodes[2] = node(3, &[1, 2]);
        assert_eq!(agreed(&round(&mut nodes, 2)), Some(vec![1, 2, 3]));
        assert_eq!(nodes[2].own.cluster, nodes[0].own.cluster);
    }

    #[test]
    fn a_disk_that_was_wiped_after_the_founding_is_a_new_node() {
        let mut nodes = [node(1, &[2, 3]), node(2, &[1, 3]), node(3, &[1, 2])];
        for who in [0, 1, 2, 0, 1, 2] {
            round(&mut nodes, who);
        }
        nodes[2] =
            Agreement::new(Joiner { node: 9, ..joiner(3) }, &["h1:1".to_owned(), "h2:1".to_owned()].into());
        assert!(matches!(round(&mut nodes, 2), Round::Cluster(_)));
    }

    #[test]
    fn two_clusters_are_not_joined() {
        let mut nodes = [node(1, &[]), node(2, &[]), node(3, &[1, 2])];
        for who in 0..2 {
            assert!(agreed(&round(&mut nodes, who)).is_some());
        }
        assert!(matches!(round(&mut nodes, 2), Round::TwoClusters(..)));
    }

    /// Every order of rounds, with a wipe anywhere: the disks that found never found two clusters with each other.
    #[test]
    fn no_order_of_rounds_and_wipes_founds_two_clusters_that_share_a_majority() {
        for seed in 0..20_000_u64 {
            let mut nodes = vec![node(1, &[2, 3]), node(2, &[1, 3]), node(3, &[1, 2])];
            let mut dice = seed;
            let mut fresh = 10;
            for _ in 0..12 {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let who = (dice >> 33) as usize % 3;
                if (dice >> 40).is_multiple_of(6) {
                    fresh += 1;
                    let me = Joiner { node: fresh, ..nodes[who].own.me.clone() };
                    let set = nodes[who].own.set.clone();
                    nodes[who] = Agreement::new(me, &set);
                } else {
                    round(&mut nodes, who);
                }
            }
            let mut living: BTreeMap<[u8; 32], usize> = BTreeMap::new();
            for node in &nodes {
                let is_founder = node.own.founders.iter().any(|one| one.node == node.own.me.node);
                if let Some(cluster) = node.own.cluster.filter(|_| is_founder) {
                    *living.entry(cluster).or_default() += 1;
                }
            }
            assert!(living.values().filter(|count| **count >= 2).count() <= 1, "seed {seed}");
        }
    }
}
