//! When is exit 0 a success? One pure function answers.

use pinode_scheduler::Outcome;
use pinode_scheduler::mutant::{self, Mutant};

use super::intents::Signal;
use super::runtime::{History, Seen};

/// What is known about an end besides what the engine shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    /// The signal that we had decided to send before it ended.
    pub(super) signal: Option<Signal>,
    /// What the engine remembers.
    pub(super) history: History,
    /// This process has watched it without a gap since before it started.
    pub(super) watched: bool,
    /// It was started in this boot of the machine.
    pub(super) same_boot: bool,
    /// The engine run in which it was started was recorded to have live-restore on.
    pub(super) live_restore: bool,
}

/// How an attempt ended, from an engine that shows it as exited.
pub(super) fn classify(seen: &Seen, evidence: Evidence) -> Outcome {
    let code = seen.code;
    let interrupted = |reason: &str| Outcome::Interrupted { code: Some(code), reason: reason.to_owned() };
    let signal = evidence.signal.filter(|_| !(mutant::is(Mutant::BelievesOwnKill) && code == 0));
    match signal {
        Some(Signal::Stop) => return Outcome::Cancelled { code: Some(code) },
        Some(Signal::Fence) => {
            return interrupted("stopped because its node left, or lost touch with the cluster");
        }
        Some(Signal::Drain) => return interrupted("stopped because its node is being drained"),
        None => {}
    }
    if !evidence.same_boot {
        return interrupted("the machine was restarted meanwhile");
    }
    if mutant::is(Mutant::BelievesOwnKill) && code == 0 {
        return Outcome::Exited { code, witnessed: true, oom: false };
    }
    if evidence.history.kill {
        return interrupted("somebody killed it outside of the cluster");
    }
    if evidence.watched || evidence.history.start {
        return Outcome::Exited { code, witnessed: evidence.watched, oom: seen.oom };
    }
    let live_restore = evidence.live_restore || mutant::is(Mutant::BelievesRestartedEngine);
    if live_restore && code != 255 && times_are_plausible(seen) {
        return Outcome::Exited { code, witnessed: false, oom: seen.oom };
    }
    interrupted("the Docker Engine was restarted meanwhile")
}

/// FinishedAt is there, and not more than a second before StartedAt. Instant jobs end "before" they start by about a
/// millisecond, so the two are never ordered more finely.
fn times_are_plausible(seen: &Seen) -> bool {
    let parse = |at: &Option<String>| at.as_deref().and_then(|at| at.parse::<jiff::Timestamp>().ok());
    match (parse(&seen.started_at), parse(&seen.finished_at)) {
        (Some(started), Some(finished)) => finished.duration_since(started).as_secs() >= -1,
        (None, _) | (_, None) => false,
    }
}

/// How long it ran by the engine's own clock, in milliseconds.
pub(super) fn ran_ms(seen: &Seen) -> u64 {
    let parse = |at: &Option<String>| at.as_deref().and_then(|at| at.parse::<jiff::Timestamp>().ok());
    match (parse(&seen.started_at), parse(&seen.finished_at)) {
        (Some(started), Some(finished)) => {
            u64::try_from(finished.duration_since(started).as_millis()).unwrap_or(0)
        }
        (None, _) | (_, None) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::runtime::Status;
    use super::*;

    fn ended(code: i64) -> Seen {
        Seen {
            id: "id".to_owned(),
            status: Status::Exited,
            code,
            oom: false,
            started_at: Some("2026-01-01T00:00:00.5Z".to_owned()),
            finished_at: Some("2026-01-01T00:00:01.5Z".to_owned()),
            healthy: false,
            ours: None,
            error: String::new(),
        }
    }

    /// Pinode was away; nothing else is known.
    const AWAY: Evidence = Evidence {
        signal: None,
        history: History { start: false, kill: false },
        watched: false,
        same_boot: true,
        live_restore: false,
    };
    const WATCHED: Evidence = Evidence { watched: true, ..AWAY };

    fn trusted(outcome: &Outcome) -> Option<(i64, bool)> {
        if let Outcome::Exited { code, witnessed, .. } = outcome { Some((*code, *witnessed)) } else { None }
    }

    #[test]
    fn an_end_under_a_live_watch_is_witnessed() {
        assert_eq!(trusted(&classify(&ended(0), WATCHED)), Some((0, true)));
        assert_eq!(trusted(&classify(&ended(3), WATCHED)), Some((3, true)));
    }

    #[test]
    fn an_end_after_our_own_stop_is_cancelled_whatever_the_code() {
        let evidence = Evidence { signal: Some(Signal::Stop), ..WATCHED };
        assert_eq!(classify(&ended(0), evidence), Outcome::Cancelled { code: Some(0) });
    }

    #[test]
    fn an_end_after_a_fence_is_interrupted_even_with_code_0() {
        let evidence = Evidence { signal: Some(Signal::Fence), ..WATCHED };
        assert_eq!(trusted(&classify(&ended(0), evidence)), None);
    }

    #[test]
    fn an_end_after_a_drain_is_interrupted_even_with_code_0() {
        let evidence = Evidence { signal: Some(Signal::Drain), ..WATCHED };
        let drained = classify(&ended(0), evidence);
        assert!(drained.sentence().ends_with("its node is being drained"), "{drained:?}");
    }

    #[test]
    fn pinode_was_away_and_the_engine_was_not() {
        let evidence = Evidence { history: History { start: true, kill: false }, ..AWAY };
        assert_eq!(trusted(&classify(&ended(0), evidence)), Some((0, false)));
    }

    #[test]
    fn a_kill_that_was_not_ours_is_no_success() {
        let evidence = Evidence { history: History { start: true, kill: true }, ..WATCHED };
        assert_eq!(trusted(&classify(&ended(0), evidence)), None);
    }

    #[test]
    fn the_engine_was_away_with_live_restore() {
        let evidence = Evidence { live_restore: true, ..AWAY };
        assert_eq!(trusted(&classify(&ended(0), evidence)), Some((0, false)));
    }

    #[test]
    fn the_engine_was_away_without_live_restore_and_exit_0_means_nothing() {
        assert_eq!(trusted(&classify(&ended(0), AWAY)), None);
    }

    #[test]
    fn an_engine_that_lost_the_code_says_255() {
        let evidence = Evidence { live_restore: true, ..AWAY };
        assert_eq!(trusted(&classify(&ended(255), evidence)), None);
        assert_eq!(trusted(&classify(&ended(255), WATCHED)), Some((255, true)));
    }

    #[test]
    fn a_boot_between_is_an_interruption() {
        let evidence =
            Evidence { same_boot: false, history: History { start: true, kill: false }, ..WATCHED };
        assert_eq!(trusted(&classify(&ended(0), evidence)), None);
    }

    #[test]
    fn an_end_long_before_its_start_is_no_end_of_this_run() {
        let seen = Seen { finished_at: Some("2025-12-31T23:59:58Z".to_owned()), ..ended(0) };
        let evidence = Evidence { live_restore: true, ..AWAY };
        assert_eq!(trusted(&classify(&seen, evidence)), None);
        assert_eq!(trusted(&classify(&Seen { finished_at: None, ..ended(0) }, evidence)), None);
    }

    #[test]
    fn killed_for_its_memory_is_the_program_s_failure() {
        let seen = Seen { oom: true, ..ended(137) };
        assert_eq!(classify(&seen, WATCHED), Outcome::Exited { code: 137, witnessed: true, oom: true });
    }
}
