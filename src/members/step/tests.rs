use pinode_raft::Member;

use super::*;

const FINE: Look = Look { in_reach: true, caught_up: true, open: true, dead: false, removed: false };
/// Out of reach and lost, but not for long.
const GONE: Look = Look { in_reach: false, caught_up: false, open: false, dead: false, removed: false };
const DEAD: Look = Look { dead: true, ..GONE };
const REMOVED: Look = Look { removed: true, ..GONE };
/// Out of reach a moment ago.
const SILENT: Look = Look { in_reach: false, ..FINE };

/// Members 1, 2, … called `n1`, `n2`, …, all of them fine; the first leads, five may vote.
struct Case {
    voters: Vec<NodeId>,
    names: BTreeMap<NodeId, String>,
    looks: BTreeMap<NodeId, Look>,
    most: usize,
}

fn case(voters: &[NodeId], members: u64) -> Case {
    let names = (1..=members).map(|id| (id, format!("n{id}"))).collect();
    let looks = (1..=members).map(|id| (id, FINE)).collect();
    Case { voters: voters.to_vec(), names, looks, most: 5 }
}

impl Case {
    fn look(mut self, id: NodeId, look: Look) -> Case {
        self.looks.insert(id, look);
        self
    }

    fn all(self, ids: &[NodeId], look: Look) -> Case {
        ids.iter().fold(self, |case, id| case.look(*id, look))
    }

    /// A new disk under the name of `namesake`.
    fn new_disk(mut self, id: NodeId, namesake: NodeId) -> Case {
        self.names.insert(id, format!("n{namesake}"));
        self.look(id, FINE)
    }

    fn most(self, most: usize) -> Case {
        Case { most, ..self }
    }

    fn membership(&self, config: Vec<BTreeSet<NodeId>>) -> Membership {
        let member = |name: &String| Member { name: name.clone(), peer: format!("{name}:1") };
        let nodes: BTreeMap<NodeId, Member> = self.names.iter().map(|(id, n)| (*id, member(n))).collect();
        Membership::new(config, nodes).unwrap()
    }

    fn step(&self) -> Option<Step> {
        let membership = self.membership(vec![self.voters.iter().copied().collect()]);
        next_step(&View { membership: &membership, looks: &self.looks, me: 1, most: self.most })
    }
}

fn vote<const N: usize>(ids: [NodeId; N]) -> Option<Step> {
    Some(Step::Vote(ids.into()))
}

fn forget<const N: usize>(ids: [NodeId; N]) -> Option<Step> {
    Some(Step::Forget(ids.into()))
}

#[test]
fn a_fourth_node_stays_a_learner_and_a_fifth_makes_five_voters() {
    assert_eq!(case(&[1, 2, 3], 4).step(), None);
    assert_eq!(case(&[1, 2, 3], 5).step(), vote([1, 2, 3, 4, 5]));
}

#[test]
fn who_has_not_caught_up_or_is_out_of_reach_does_not_vote_yet() {
    assert_eq!(case(&[1], 3).look(3, Look { caught_up: false, ..FINE }).step(), None);
    assert_eq!(case(&[1], 3).look(3, SILENT).step(), None);
    assert_eq!(case(&[1], 3).step(), vote([1, 2, 3]));
}

#[test]
fn there_are_never_more_voters_than_are_set() {
    assert_eq!(case(&[1, 2, 3, 4, 5], 9).step(), None);
    assert_eq!(case(&[1, 2, 3, 4, 5], 9).most(7).step(), vote([1, 2, 3, 4, 5, 6, 7]));
    assert_eq!(case(&[1, 2, 3], 9).most(3).step(), None);
    assert_eq!(case(&[1], 9).most(1).step(), None);
}

#[test]
fn a_lower_setting_takes_votes_from_who_is_out_of_reach_first_and_never_from_the_leader() {
    assert_eq!(case(&[1, 2, 3, 4, 5], 5).most(3).step(), vote([1, 2, 3]));
    assert_eq!(case(&[1, 2, 3, 4, 5], 5).most(3).look(2, SILENT).step(), vote([1, 3, 4]));
    let other_leads = case(&[1, 2, 3], 3).most(1);
    let membership = other_leads.membership(vec![[1, 2, 3].into()]);
    let view = View { membership: &membership, looks: &other_leads.looks, me: 3, most: 1 };
    assert_eq!(next_step(&view), vote([3]));
}

#[test]
fn a_voter_that_is_out_of_reach_for_a_moment_keeps_its_vote() {
    assert_eq!(case(&[1, 2, 3], 4).look(3, SILENT).step(), None);
    assert_eq!(case(&[1, 2, 3], 4).look(3, GONE).step(), None);
}

#[test]
fn a_dead_voter_gives_its_vote_to_a_healthy_learner() {
    assert_eq!(case(&[1, 2, 3], 4).look(3, DEAD).step(), vote([1, 2, 4]));
    assert_eq!(case(&[1, 2, 3, 4, 5], 7).all(&[2, 5], DEAD).step(), vote([1, 3, 4, 6, 7]));
    assert_eq!(case(&[1, 2, 3], 4).look(3, DEAD).look(4, SILENT).step(), None, "the learner is not healthy");
}

#[test]
fn a_dead_voter_that_comes_back_learns_and_votes_where_there_is_room() {
    assert_eq!(case(&[1, 2, 4], 4).step(), None);
    assert_eq!(case(&[1, 2, 4], 5).step(), vote([1, 2, 3, 4, 5]));
}

#[test]
fn one_dead_voter_without_a_spare_stays_because_an_even_number_survives_no_more() {
    assert_eq!(case(&[1, 2, 3], 3).look(3, DEAD).step(), None);
    assert_eq!(case(&[1, 2, 3, 4, 5], 5).look(3, DEAD).step(), None);
}

#[test]
fn two_dead_voters_without_a_spare_go_together() {
    assert_eq!(case(&[1, 2, 3, 4, 5], 5).all(&[2, 5], DEAD).step(), vote([1, 3, 4]));
    let seven = case(&[1, 2, 3, 4, 5, 6, 7], 7).most(7);
    assert_eq!(seven.all(&[5, 6, 7], DEAD).step(), vote([1, 2, 3, 4, 5]));
}

#[test]
fn three_that_live_and_a_spare_are_not_made_four_by_two_dead_ones() {
    assert_eq!(case(&[1, 2, 3, 4, 5], 6).all(&[2, 5], DEAD).step(), vote([1, 3, 4]));
}

#[test]
fn nothing_is_changed_without_a_majority() {
    assert_eq!(case(&[1, 2, 3], 5).all(&[2, 3], DEAD).step(), None);
    assert_eq!(case(&[1, 2, 3, 4, 5], 5).all(&[2, 5], DEAD).look(3, SILENT).step(), None);
}

#[test]
fn nobody_gets_a_majority_that_is_out_of_reach() {
    // Two of the three that would vote do not answer.
    let case = case(&[1, 2, 3, 4, 5], 5).most(3).look(2, SILENT).look(3, SILENT);
    assert_eq!(case.step(), vote([1, 4, 5]));
}

#[test]
fn a_node_that_an_operator_declared_gone_votes_no_more_and_is_forgotten() {
    assert_eq!(case(&[1, 2, 3], 4).look(3, REMOVED).step(), vote([1, 2, 4]));
    assert_eq!(case(&[1, 2, 4], 4).look(3, REMOVED).step(), forget([3]));
    assert_eq!(case(&[1, 2, 3], 3).look(3, REMOVED).step(), vote([1]), "two voters are worse than one");
    assert_eq!(case(&[1, 2, 3, 4, 5], 5).look(2, REMOVED).step(), vote([1, 3, 4]));
}

#[test]
fn a_node_that_was_declared_gone_and_is_in_reach_does_not_vote_again() {
    assert_eq!(case(&[1], 3).look(3, Look { removed: true, ..FINE }).step(), forget([3]));
}

#[test]
fn a_removed_and_a_dead_voter_leave_together() {
    let case = case(&[1, 2, 3, 4, 5], 5).look(4, REMOVED).look(5, DEAD);
    assert_eq!(case.step(), vote([1, 2, 3]));
}

#[test]
fn a_joint_change_that_a_leader_left_behind_is_finished_first() {
    let case = case(&[1, 2, 3], 9);
    let joint = case.membership(vec![[1, 2, 3].into(), [1, 2, 9].into()]);
    let view = View { membership: &joint, looks: &case.looks, me: 1, most: 5 };
    assert_eq!(next_step(&view), Some(Step::Finish([1, 2, 9].into())));
}

#[test]
fn a_wiped_disk_takes_the_place_of_the_id_that_had_its_name_and_that_one_is_forgotten() {
    assert_eq!(case(&[1, 2, 3], 3).new_disk(9, 3).look(3, GONE).step(), vote([1, 2, 9]));
    assert_eq!(case(&[1, 2, 9], 3).new_disk(9, 3).look(3, GONE).step(), forget([3]));
    // A learner's place as well.
    assert_eq!(case(&[1, 2, 3], 4).new_disk(9, 4).look(4, GONE).step(), forget([4]));
}

#[test]
fn a_namesake_that_may_still_live_is_not_replaced_and_the_newcomer_does_not_vote() {
    let two = || case(&[1, 2, 3], 4).new_disk(9, 3);
    assert_eq!(two().look(3, Look { open: false, ..FINE }).step(), None);
    assert_eq!(two().look(3, SILENT).step(), None);
}

#[test]
fn a_new_disk_that_has_not_caught_up_replaces_nobody() {
    let case = case(&[1, 2, 3], 3).new_disk(9, 3).look(3, GONE);
    assert_eq!(case.look(9, Look { caught_up: false, ..FINE }).step(), None);
}

#[test]
fn an_even_number_of_voters_becomes_an_odd_one() {
    assert_eq!(case(&[1, 2], 2).step(), vote([1]));
    assert_eq!(case(&[1, 2], 3).step(), vote([1, 2, 3]));
    assert_eq!(case(&[1, 2, 3, 4], 4).step(), vote([1, 2, 3]));
}

/// Whatever fails and comes back in whatever order: the number of voters is odd, the leader is among them, a majority of
/// them is in reach, and after a few steps nothing more is changed.
#[test]
fn every_order_of_losses_comes_to_rest_with_an_odd_number_of_voters() {
    for seed in 0..20_000_u64 {
        let mut dice = seed;
        let mut draw = |below: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % below
        };
        let mut case = case(&[1, 2, 3], 3 + draw(5)).most(1 + 2 * draw(4) as usize);
        for _ in 0..8 {
            let id = 2 + draw(case.names.len() as u64);
            if case.names.contains_key(&id) {
                let look = [FINE, SILENT, GONE, DEAD, REMOVED][draw(5) as usize];
                case = case.look(id, look);
            }
            for steps in 0.. {
                assert!(steps < 10, "seed {seed}: it does not come to rest");
                match case.step() {
                    None => break,
                    Some(Step::Vote(voters)) => {
                        let reached = voters.iter().filter(|id| case.looks[id].in_reach).count();
                        assert!(voters.len() % 2 == 1 && voters.contains(&1), "seed {seed}: {voters:?}");
                        assert!(reached > voters.len() / 2 && voters.len() <= case.most, "seed {seed}");
                        case.voters = voters.into_iter().collect();
                    }
                    Some(Step::Forget(ids)) => {
                        assert!(ids.iter().all(|id| !case.voters.contains(id)), "seed {seed}");
                        ids.iter().for_each(|id| drop(case.names.remove(id)));
                        case.looks.retain(|id, _| !ids.contains(id));
                    }
                    Some(Step::Finish(_)) => panic!("seed {seed}: nothing was begun"),
                }
            }
        }
    }
}
