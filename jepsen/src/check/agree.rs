//! Nodes that applied the same entries are in the same state, at every moment that was looked at; and in the end all of
//! them have applied the same, and show the same, within half a minute of the last healing.

use std::collections::BTreeMap;

use super::Violation;
use crate::history::{AT_THE_END, Digest, History, View};
use crate::moment;

/// Longest time until nodes that are healed agree, in seconds.
const WITHIN: f64 = 30.0;

/// Judges it.
pub fn judge(history: &History) -> Vec<Violation> {
    let mut violations = split(history);
    violations.extend(absent(history));
    violations.extend(behind(history));
    violations.extend(different(history));
    violations.extend(late(history));
    violations
}

fn late(history: &History) -> Option<Violation> {
    let (healed, agreed) = (history.healed_ns?, history.agreed_ns?);
    let seconds = moment::seconds(healed, agreed);
    (seconds > WITHIN)
        .then(|| Violation(format!("the nodes agreed only {seconds:.0} s after all harm was undone")))
}

/// Two digests of the same entries.
fn split(history: &History) -> Vec<Violation> {
    let mut of: BTreeMap<u64, Vec<&Digest>> = BTreeMap::new();
    for digest in &history.digests {
        let known = of.entry(digest.applied_index).or_default();
        if known.iter().all(|other| other.state_hash != digest.state_hash) {
            known.push(digest);
        }
    }
    let split = of.into_iter().filter(|(_, digests)| digests.len() > 1);
    split
        .map(|(index, digests)| {
            let told: Vec<String> =
                digests.iter().map(|d| format!("{} ({})", d.node, short(&d.state_hash))).collect();
            Violation(format!("after entry {index} the states of {} differ", told.join(" and ")))
        })
        .collect()
}

/// Nodes that were not there for the last looks.
fn absent(history: &History) -> Vec<Violation> {
    let seen = |node: &String| history.views_of(AT_THE_END).any(|view| view.node == *node);
    let absent = history.nodes.iter().filter(|node| !seen(node) || last_digest(history, node).is_none());
    absent.map(|node| Violation(format!("{node} does not answer {AT_THE_END}"))).collect()
}

fn last_digest<'a>(history: &'a History, node: &str) -> Option<&'a Digest> {
    history.digests.iter().find(|digest| digest.moment == AT_THE_END && digest.node == node)
}

fn behind(history: &History) -> Vec<Violation> {
    let last: Vec<&Digest> = history.nodes.iter().filter_map(|node| last_digest(history, node)).collect();
    let Some(newest) = last.iter().map(|digest| digest.applied_index).max() else { return Vec::new() };
    let behind = last.into_iter().filter(|digest| digest.applied_index < newest);
    behind
        .map(|digest| {
            let (node, index) = (&digest.node, digest.applied_index);
            Violation(format!("{node} has applied {index} entries {AT_THE_END}, and others {newest}"))
        })
        .collect()
}

fn different(history: &History) -> Vec<Violation> {
    let mut views = history.views_of(AT_THE_END);
    let Some(first) = views.next() else { return Vec::new() };
    views.flat_map(|other| [unlike(first, other), unlike_only_there(first, other)].concat()).collect()
}

fn unlike(first: &View, other: &View) -> Vec<Violation> {
    let (one, two) = (&first.node, &other.node);
    let differ = first.containers.iter().filter_map(|seen| {
        let name = &seen.name;
        match other.containers.iter().find(|there| there.id == seen.id) {
            None => Some(format!("{one} shows {name}, and {two} does not")),
            Some(there) if there != seen => {
                let (here, there) = (&seen.state, &there.state);
                Some(format!("{one} and {two} show {name} differently ({here} and {there})"))
            }
            Some(_) => None,
        }
    });
    differ.map(Violation).collect()
}

fn unlike_only_there(first: &View, other: &View) -> Vec<Violation> {
    let more =
        other.containers.iter().filter(|seen| first.containers.iter().all(|there| there.id != seen.id));
    more.map(|seen| Violation(format!("{} shows {}, and {} does not", other.node, seen.name, first.node)))
        .collect()
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{at, good, sentences, view};
    use super::*;

    fn last<'a>(history: &'a mut History, node: &str) -> &'a mut Digest {
        let mut digests = history.digests.iter_mut();
        digests.find(|digest| digest.moment == AT_THE_END && digest.node == node).unwrap()
    }

    #[test]
    fn nodes_that_show_the_same_are_good() {
        assert_eq!(judge(&good()), []);
    }

    #[test]
    fn two_states_after_the_same_entry_are_found() {
        let mut history = good();
        last(&mut history, "n2").state_hash = "other".to_owned();
        assert_eq!(
            sentences(judge(&history)),
            ["after entry 500 the states of n1 (50000) and n2 (other) differ"]
        );
    }

    #[test]
    fn a_node_that_lags_behind_at_the_end_is_found() {
        let mut history = good();
        last(&mut history, "n3").applied_index = 499;
        assert_eq!(sentences(judge(&history)), ["n3 has applied 499 entries at the end, and others 500"]);
    }

    #[test]
    fn a_node_that_never_came_back_is_found() {
        let mut history = good();
        history.views.retain(|view| view.node != "n3");
        assert_eq!(sentences(judge(&history)), ["n3 does not answer at the end"]);
    }

    #[test]
    fn a_container_that_one_node_shows_differently_is_named() {
        let mut history = good();
        let there = view(&mut history, "n2", AT_THE_END);
        there
            .containers
            .iter_mut()
            .filter(|seen| seen.name == "p.first")
            .for_each(|seen| seen.state = "running".to_owned());
        let said = sentences(judge(&history));
        assert_eq!(said, ["n1 and n2 show p.first differently (succeeded and running)"]);
    }

    #[test]
    fn a_container_that_one_node_lacks_or_has_alone_is_named() {
        let mut history = good();
        view(&mut history, "n2", AT_THE_END).containers.retain(|seen| seen.name != "p.first");
        assert_eq!(sentences(judge(&history)), ["n1 shows p.first, and n2 does not"]);
        let mut history = good();
        view(&mut history, "n1", AT_THE_END).containers.retain(|seen| seen.name != "p.first");
        assert_eq!(sentences(judge(&history))[0], "n2 shows p.first, and n1 does not");
    }

    #[test]
    fn nodes_that_need_more_than_half_a_minute_to_agree_are_found() {
        let mut history = good();
        history.agreed_ns = Some(at(42_000 + 31_000));
        assert_eq!(sentences(judge(&history)), ["the nodes agreed only 31 s after all harm was undone"]);
    }
}
