//! What a container has come to is never taken back: neither by one node, nor by another that was asked later. Nodes
//! answer with the newest state, so an older one in a later answer is a stale read.

use std::collections::BTreeMap;

use super::Violation;
use crate::history::{History, Sighting};

/// Judges it.
pub fn judge(history: &History) -> Vec<Violation> {
    let mut of: BTreeMap<&str, Vec<&Sighting>> = BTreeMap::new();
    for sighting in &history.sightings {
        of.entry(&sighting.id).or_default().push(sighting);
    }
    of.into_values().flat_map(|sightings| taken_back(history, &sightings)).collect()
}

/// One violation a sighting is enough.
fn taken_back(history: &History, sightings: &[&Sighting]) -> Vec<Violation> {
    let back = sightings.iter().filter_map(|later| {
        let mut earlier = sightings.iter().filter(|earlier| earlier.shown_ns < later.last_asked_ns);
        let earlier = earlier.find(|earlier| is_taken_back(earlier, later))?;
        let told = |s: &Sighting| format!("{} in attempt {} by {}", s.state, s.attempt, s.node);
        let (first, then) = (history.at(earlier.shown_ns), history.at(later.last_asked_ns));
        Some(Violation(format!(
            "{} was shown as {} at {first}, and as {} to who asked at {then}",
            later.name,
            told(earlier),
            told(later)
        )))
    });
    back.collect()
}

fn is_taken_back(earlier: &Sighting, later: &Sighting) -> bool {
    if is_final(&earlier.state) {
        return earlier.state != later.state || earlier.attempt != later.attempt;
    }
    later.attempt < earlier.attempt
        || later.attempt == earlier.attempt && !may_follow(&earlier.state, &later.state)
}

fn is_final(state: &str) -> bool {
    matches!(state, "succeeded" | "failed" | "skipped" | "cancelled")
}

/// Within one attempt: it waits, is claimed, runs, and then waits for the next one or has ended. The number is raised by
/// the claim.
fn may_follow(earlier: &str, later: &str) -> bool {
    let rank = |state: &str| match state {
        "created" => 0,
        "blocked" => 1,
        "ready" => 2,
        "claimed" => 3,
        "running" => 4,
        "unknown" => 5,
        "backoff" => 6,
        _ => 8,
    };
    match (earlier, later) {
        // An attempt that is over is followed by another one, which is ready until it is claimed; a node that was
        // thought to be gone may show that it never was.
        ("claimed" | "running" | "unknown" | "backoff", "ready") | ("unknown", "running" | "claimed") => true,
        _ => rank(earlier) <= rank(later),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{at, good, sentences};
    use super::*;

    #[test]
    fn what_goes_on_is_good() {
        assert_eq!(judge(&good()), []);
    }

    #[test]
    fn an_end_that_is_taken_back_is_found() {
        let mut history = good();
        let again = Sighting {
            state: "claimed".to_owned(),
            shown_ns: at(7_000),
            last_asked_ns: at(7_000),
            ..history.sightings[5].clone()
        };
        history.sightings.push(again);
        let said = sentences(judge(&history));
        assert_eq!(
            said,
            [
                "p.second was shown as succeeded in attempt 1 by n1 at 6.100 s, and as claimed in attempt 1 by n2 to who asked \
              at 7.000 s"
            ]
        );
    }

    #[test]
    fn a_node_that_shows_an_older_state_than_another_one_has_shown_before_reads_stale() {
        let mut history = good();
        history.sightings[1].last_asked_ns = at(4_700);
        assert_eq!(judge(&history).len(), 1);
        history.sightings[1].last_asked_ns = at(4_400);
        assert_eq!(judge(&history), []);
    }

    #[test]
    fn an_attempt_s_number_never_falls_and_a_lost_attempt_is_followed_by_the_next() {
        let mut history = good();
        for sighting in &mut history.sightings[2..4] {
            sighting.attempt = 2;
        }
        assert_eq!(judge(&history).len(), 2);
        let lost = Sighting {
            state: "ready".to_owned(),
            shown_ns: at(4_800),
            last_asked_ns: at(4_900),
            ..history.sightings[2].clone()
        };
        history.sightings.push(lost);
        history.sightings[4].attempt = 3;
        history.sightings[5].attempt = 3;
        assert_eq!(judge(&history), []);
    }
}
