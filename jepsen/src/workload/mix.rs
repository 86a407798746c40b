//! Stories of all kinds. Everything is drawn from the seed before the run begins, so that a run can be had again; only who
//! is asked, and how fast the cluster is, differs.

use super::story::Story;
use super::{cancels, chains, fans, retries, services};
use crate::random::Random;

/// Writes a story; the tag makes its names unique.
type Tell = fn(&mut Random, &str) -> Story;

/// One of each kind, and what runs more often than what fails or is refused.
const EACH: [Tell; 10] = [
    chains::chain,
    fans::fan,
    fans::diamond,
    fans::failure,
    chains::impossible,
    retries::flaky,
    retries::once,
    cancels::stopped,
    cancels::removed,
    services::service,
];
const OFTEN: [Tell; 7] = [
    chains::chain,
    chains::chain,
    fans::fan,
    fans::diamond,
    cancels::stopped,
    cancels::removed,
    services::service,
];
/// What a film is encoded beside: nothing that a person must end.
const SMALL: [Tell; 5] = [chains::chain, fans::fan, fans::diamond, fans::failure, chains::impossible];

/// So many stories: one of each kind as far as they go round, the others drawn, in any order.
pub fn all(random: &mut Random, count: usize) -> Vec<Story> {
    stories(random, count, &EACH, &OFTEN)
}

/// So many small ones.
pub fn small(random: &mut Random, count: usize) -> Vec<Story> {
    stories(random, count, &SMALL, &SMALL)
}

/// Each kind comes once in every dozen or so, so that a short run has all of them too.
fn stories(random: &mut Random, count: usize, each: &[Tell], often: &[Tell]) -> Vec<Story> {
    let mut all: Vec<Tell> = Vec::new();
    while all.len() < count {
        let mut round: Vec<Tell> = each.to_vec();
        round.extend((0..each.len() / 3).filter_map(|_| random.pick(often).copied()));
        random.shuffle(&mut round);
        all.extend(round);
    }
    all.into_iter().take(count).enumerate().map(|(number, tell)| tell(random, &number.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Job;
    use crate::workload::story::{Request, Step};

    fn requests(stories: Vec<Story>) -> Vec<Request> {
        let steps = stories.into_iter().flatten();
        steps
            .filter_map(|step| match step {
                Step::Ask(request) => Some(request),
                Step::Pause(_) => None,
            })
            .collect()
    }

    #[test]
    fn the_same_seed_plans_the_same_and_another_seed_something_else() {
        let of = |seed| all(&mut Random::new(seed), 12);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn every_kind_is_in_a_short_plan() {
        for seed in 0..20 {
            let requests = requests(all(&mut Random::new(seed), 13));
            for word in [
                "chain-", "fan-", ".skipped", "itself-", "flaky-", "once-", "stopped-", "removed-",
                "service-",
            ] {
                let has = requests.iter().any(|request| request.jobs.keys().any(|name| name.contains(word)));
                assert!(has, "seed {seed} has no {word}");
            }
        }
    }

    #[test]
    fn who_is_waited_for_is_in_the_plan_and_no_name_comes_twice() {
        let requests = requests(all(&mut Random::new(3), 60));
        let mut names: Vec<&String> = requests.iter().flat_map(|request| request.jobs.keys()).collect();
        let jobs: Vec<&Job> = requests.iter().flat_map(|request| request.jobs.values()).collect();
        assert!(jobs.iter().flat_map(|job| &job.waits).all(|wait| names.contains(&&wait.on)));
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
