//! An attempt is started at most once; and what must never run twice is started once, ever.

use std::collections::BTreeMap;

use super::at;
use crate::history::{Deed, History, Rerun};

pub(super) fn judge(history: &History) -> Vec<String> {
    let starts = || history.deeds.iter().filter(|deed| deed.ended.is_none());
    let mut of_attempt: BTreeMap<(&str, u32), Vec<&Deed>> = BTreeMap::new();
    let mut of_name: BTreeMap<&str, Vec<&Deed>> = BTreeMap::new();
    for start in starts() {
        of_attempt.entry((&start.name, start.attempt)).or_default().push(start);
        of_name.entry(&start.name).or_default().push(start);
    }
    let twice =
        of_attempt.into_iter().filter(|(_, starts)| starts.len() > 1).map(|((name, attempt), starts)| {
            format!("attempt {attempt} of {name} was started {}", places(&starts))
        });
    let never = of_name.into_iter().filter(|(name, starts)| {
        let job = history.jobs.get(*name);
        starts.len() > 1 && job.is_some_and(|job| job.rerun == Rerun::Never && !job.retried)
    });
    let never =
        never.map(|(name, starts)| format!("{name} may run once, ever, and was started {}", places(&starts)));
    twice.chain(never).collect()
}

fn places(starts: &[&Deed]) -> String {
    let places = starts.iter().map(|start| format!("on n{} at {}", start.machine, at(start.at)));
    places.collect::<Vec<_>>().join(" and ")
}
