//! Rules in the machines' networks, which drop what comes from other machines. Clients still reach every node.

use std::process::Command;

use super::Ground;
use crate::testbed::run;

/// On machine `at`, what comes from machine `from` is dropped: all of it, or this share.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    pub(super) at: usize,
    pub(super) from: usize,
    pub(super) share: Option<f64>,
}

impl Rule {
    /// Everything.
    pub(super) fn drop(at: usize, from: usize) -> Rule {
        Rule { at, from, share: None }
    }
}

/// Both directions between each of `some` and each of `others`.
pub(super) fn between(some: &[usize], others: &[usize]) -> Vec<Rule> {
    let pairs = some.iter().flat_map(|one| others.iter().map(move |other| (*one, *other)));
    pairs
        .filter(|(one, other)| one != other)
        .flat_map(|(one, other)| [Rule::drop(one, other), Rule::drop(other, one)])
        .collect()
}

/// Puts rules in place.
pub(super) fn lay(ground: &Ground, rules: &[Rule]) -> anyhow::Result<()> {
    rules.iter().try_for_each(|rule| iptables(ground, rule, "-A"))
}

/// Takes rules away; those that never were there, too.
pub(super) fn lift(ground: &Ground, rules: &[Rule]) -> anyhow::Result<()> {
    for rule in rules {
        if iptables(ground, rule, "-C").is_ok() {
            iptables(ground, rule, "-D")?;
        }
    }
    Ok(())
}

fn iptables(ground: &Ground, rule: &Rule, act: &str) -> anyhow::Result<()> {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/run/netns/{}", ground.bed.namespace(rule.at)));
    command.args(["--", "iptables", "-w", "5", act, "INPUT", "-s", &ground.bed.address(rule.from)]);
    if let Some(share) = rule.share {
        command.args(["-m", "statistic", "--mode", "random", "--probability", &format!("{share:.3}")]);
    }
    run(command.args(["-j", "DROP"])).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_between_two_groups_is_a_rule_a_pair_and_direction_and_none_within_a_group() {
        let rules = between(&[1], &[2, 3]);
        let pairs: Vec<(usize, usize)> = rules.iter().map(|rule| (rule.at, rule.from)).collect();
        assert_eq!(pairs, [(1, 2), (2, 1), (1, 3), (3, 1)]);
        assert_eq!(between(&[1], &[1]), []);
    }
}
