//! Whether anything was done to the machines at all: a run without harm proves nothing, however well it ends.

use crate::history::{EngineRun, Fault, FaultKind, FaultOutcome, History};

/// Why the run proves nothing; none if it does prove something.
pub fn missing(history: &History) -> Option<String> {
    let Some(fault) = history.faults.iter().find(|fault| fault.outcome == FaultOutcome::Installed) else {
        let told = history.faults.iter().map(|fault| format!("{}: {}", fault.what.words(), fault.note));
        let told: Vec<String> = told.collect();
        return Some(format!("no harm was done ({})", told.join("; ")));
    };
    let is_cut = fault.what == FaultKind::Cut && history.film.is_some();
    (is_cut && victim(history).is_none()).then(|| {
        format!("{} had its power cut, and nothing of the film was running there", fault.nodes.join(", "))
    })
}

/// Whether all harm was skipped: for want of means, which is told, and no failure.
pub fn is_skipped(history: &History) -> bool {
    history.film.is_none() && history.faults.iter().all(|fault| fault.outcome == FaultOutcome::Skipped)
}

/// The attempt of an encoder that a power cut ended.
pub fn victim(history: &History) -> Option<(&Fault, &EngineRun)> {
    let encoder = format!("{}.encode", history.film.as_ref()?.pipeline);
    let mut encoders = history.engine_runs.iter().filter(|run| run.name.starts_with(&encoder));
    encoders.find_map(|run| Some((history.cut_of(run)?, run)))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{at, good, run};
    use super::*;

    #[test]
    fn a_cut_that_ended_an_encoder_is_harm() {
        assert_eq!(missing(&good()), None);
        assert_eq!(
            victim(&good()).map(|(cut, run)| (cut.nodes.clone(), run.attempt)),
            Some((vec!["n3".to_owned()], 1))
        );
    }

    #[test]
    fn without_harm_or_after_one_that_may_have_failed_nothing_is_proved() {
        let mut history = good();
        history.faults[0].outcome = FaultOutcome::Indeterminate;
        history.faults[0].note = "no answer".to_owned();
        assert_eq!(missing(&history), Some("no harm was done (power cut: no answer)".to_owned()));
        history.faults.clear();
        assert_eq!(missing(&history), Some("no harm was done ()".to_owned()));
    }

    #[test]
    fn a_cut_that_hit_nobody_who_encoded_is_no_harm() {
        let mut history = good();
        run(&mut history, "film-1.encode0", 1).finished_ns = Some(at(9_000));
        assert_eq!(
            missing(&history),
            Some("n3 had its power cut, and nothing of the film was running there".to_owned())
        );
    }
}
