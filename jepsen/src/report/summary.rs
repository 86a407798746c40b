//! The lines on standard output: each violation, how a scenario went, and at the end how all of them went. All figures
//! are the history's.

use crate::check::Verdict;
use crate::history::{FaultOutcome, Film, History};
use crate::moment;

/// A line for each violation.
pub fn lines(verdicts: &[Verdict]) -> Vec<String> {
    let of = |verdict: &Verdict| -> Vec<String> {
        let property = verdict.property.name;
        verdict.violations.iter().map(|violation| format!("{property}: {violation}")).collect()
    };
    verdicts.iter().flat_map(of).collect()
}

/// How many violations.
pub fn count(verdicts: &[Verdict]) -> usize {
    verdicts.iter().map(|verdict| verdict.violations.len()).sum()
}

/// How one scenario went.
pub fn scenario_line(history: &History, verdicts: &[Verdict]) -> String {
    let faults = |outcome| history.faults.iter().filter(|fault| fault.outcome == outcome).count();
    let seconds = moment::seconds(history.began_ns, history.ended_ns);
    let line = format!(
        "scenario={} seed={} seconds={seconds:.0} operations={} containers={} attempts={} faults={} skipped={} \
         indeterminate={} violations={}",
        history.scenario,
        history.seed,
        history.operations.len(),
        containers(history),
        history.engine_runs.len(),
        faults(FaultOutcome::Installed),
        faults(FaultOutcome::Skipped),
        faults(FaultOutcome::Indeterminate),
        count(verdicts)
    );
    match &history.film {
        Some(film) => format!("{line} {}", frames(film)),
        None => line,
    }
}

fn frames(film: &Film) -> String {
    let result = film.result.as_ref().map_or(0, |result| result.frames);
    format!("frames_in={} frames_out={result}", film.source.frames)
}

/// Containers that somebody asked for and that were taken in, or may have been.
pub(super) fn containers(history: &History) -> usize {
    let refused = |number: usize| {
        let operation = history.operations.get(number);
        operation
            .is_some_and(|operation| matches!(operation.outcome, crate::history::Outcome::Refused { .. }))
    };
    history.jobs.values().filter(|job| !refused(job.operation)).count()
}

/// What several scenarios came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// That proved something, or found something.
    pub scenarios: usize,
    /// That this machine, or this pinode, cannot have.
    pub skipped: usize,
    /// Containers of them.
    pub containers: usize,
    /// Harm that was done in them.
    pub faults: usize,
    /// What must not be.
    pub violations: usize,
}

impl Tally {
    /// One more.
    pub fn add(&mut self, history: &History, violations: usize) {
        self.scenarios += 1;
        self.containers += containers(history);
        self.faults += history.faults.iter().filter(|fault| fault.outcome == FaultOutcome::Installed).count();
        self.violations += violations;
    }

    /// The last line of a command.
    pub fn last_line(&self) -> String {
        let Tally { scenarios, skipped, containers, faults, violations } = self;
        format!(
            "scenarios={scenarios} skipped={skipped} containers={containers} faults={faults} violations={violations}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::judge;
    use crate::check::sample::good;

    #[test]
    fn a_good_run_is_one_line() {
        let history = good();
        let verdicts = judge(&history);
        assert_eq!(lines(&verdicts), Vec::<String>::new());
        let line = "scenario=film seed=7 seconds=51 operations=4 containers=8 attempts=8 faults=1 skipped=0 \
                    indeterminate=0 violations=0 frames_in=900 frames_out=900";
        assert_eq!(scenario_line(&history, &verdicts), line);
    }

    #[test]
    fn a_violation_is_told_under_its_property() {
        let mut history = good();
        history.film.as_mut().unwrap().result.as_mut().unwrap().frames = 899;
        let verdicts = judge(&history);
        assert_eq!(lines(&verdicts), ["film: the film 1 has 900 frames, and its result 899"]);
        assert!(scenario_line(&history, &verdicts).ends_with("violations=1 frames_in=900 frames_out=899"));
    }

    #[test]
    fn several_runs_are_added_up_in_one_line() {
        let mut tally = Tally::default();
        tally.add(&good(), 0);
        tally.add(&good(), 2);
        assert_eq!(tally.last_line(), "scenarios=2 skipped=0 containers=16 faults=2 violations=2");
    }
}
