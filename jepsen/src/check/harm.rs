//! Whether anything was done to the machines at all: a run without harm proves nothing, however well it ends.

use crate::history::{EngineRun, Fault, FaultKind, FaultOutcome, History};

/// Why the run proves nothing; none if it does prove something.
pub fn missing(history: &History) -> Option<String> {
    let Some(cut) = history.faults.iter().find(|fault| fault.what == FaultKind::Cut) else {
        return Some("nobody's power was cut".to_owned());
    };
    let (node, note) = (&cut.node, &cut.note);
    match cut.outcome {
        FaultOutcome::Skipped => Some(format!("nobody's power was cut: {note}")),
        FaultOutcome::Indeterminate => {
            Some(format!("perhaps the power of {node} was cut, and perhaps not: {note}"))
        }
        FaultOutcome::Installed if victim(history).is_none() => {
            Some(format!("the power of {node} was cut, and nothing of the film was running there"))
        }
        FaultOutcome::Installed => None,
    }
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
            victim(&good()).map(|(cut, run)| (cut.node.clone(), run.attempt)),
            Some(("n3".to_owned(), 1))
        );
    }

    #[test]
    fn without_a_cut_or_after_one_that_may_have_failed_nothing_is_proved() {
        let mut history = good();
        history.faults[0].outcome = FaultOutcome::Indeterminate;
        assert!(missing(&history).unwrap().starts_with("perhaps the power of n3 was cut"));
        history.faults[0].outcome = FaultOutcome::Skipped;
        assert!(missing(&history).is_some());
        history.faults.clear();
        assert_eq!(missing(&history), Some("nobody's power was cut".to_owned()));
    }

    #[test]
    fn a_cut_that_hit_nobody_who_encoded_is_no_harm() {
        let mut history = good();
        run(&mut history, "film-1.encode0", 1).finished_ns = Some(at(9_000));
        assert_eq!(
            missing(&history),
            Some("the power of n3 was cut, and nothing of the film was running there".to_owned())
        );
    }
}
