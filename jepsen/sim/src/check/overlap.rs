//! Two attempts of one container never run at the same time. What pinode cannot promise is left out: a machine whose
//! process was gone or stood still, or whose engine did not obey, for longer than the lease allows for, has nobody who
//! fences in time (README, promise 6: "while pinode or its watchdog runs").

use std::collections::BTreeMap;
use std::time::Duration;

use super::at;
use crate::history::{Deed, History, Rerun};

/// L + K + M: who was there for all of it before an overlap should have fenced.
const WAIT: Duration = Duration::from_secs(18);

struct Life<'a> {
    deed: &'a Deed,
    until: Duration,
}

pub(super) fn judge(history: &History) -> Vec<String> {
    let mut of: BTreeMap<&str, Vec<Life<'_>>> = BTreeMap::new();
    for deed in history.deeds.iter().filter(|deed| deed.ended.is_none()) {
        let fenced = history.jobs.get(&deed.name).is_some_and(|job| job.rerun != Rerun::Eager);
        if fenced {
            of.entry(&deed.name).or_default().push(Life { deed, until: end_of(history, deed) });
        }
    }
    let mut wrong = Vec::new();
    for lives in of.values() {
        for (number, one) in lives.iter().enumerate() {
            for other in lives.iter().skip(number + 1) {
                if one.deed.attempt != other.deed.attempt
                    && overlap(one, other)
                    && !excused(history, one, other)
                {
                    wrong.push(sentence(one, other));
                }
            }
        }
    }
    wrong
}

fn end_of(history: &History, start: &Deed) -> Duration {
    let mut ends = history.deeds.iter().filter(|deed| {
        deed.ended.is_some()
            && deed.machine == start.machine
            && deed.docker_id == start.docker_id
            && deed.at >= start.at
    });
    ends.next().map_or(Duration::MAX, |deed| deed.at)
}

fn overlap(one: &Life<'_>, other: &Life<'_>) -> bool {
    one.deed.at < other.until && other.deed.at < one.until
}

/// The older attempt's machine was not there to end it.
fn excused(history: &History, one: &Life<'_>, other: &Life<'_>) -> bool {
    let (old, new) = if one.deed.attempt < other.deed.attempt { (one, other) } else { (other, one) };
    let began = new.deed.at;
    history.was_unattended(old.deed.machine, began.saturating_sub(WAIT), began)
}

fn sentence(one: &Life<'_>, other: &Life<'_>) -> String {
    let span = |life: &Life<'_>| {
        let until = if life.until == Duration::MAX { "the end".to_owned() } else { at(life.until) };
        format!(
            "attempt {} on n{} from {} to {until}",
            life.deed.attempt,
            life.deed.machine,
            at(life.deed.at)
        )
    };
    format!("{} ran twice at once: {}, {}", one.deed.name, span(one), span(other))
}
