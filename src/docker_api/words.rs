//! A container's phase in Docker's words.

use bollard::models::{ContainerStateStatusEnum, ContainerSummaryStateEnum};
use pinode_scheduler::Container;
use pinode_scheduler::container::Phase;
use pinode_scheduler::state::State;

use crate::http::view;

/// Docker's word for where it is.
pub(super) fn state(phase: &Phase) -> ContainerStateStatusEnum {
    match phase {
        Phase::Created | Phase::Blocked { .. } | Phase::Ready | Phase::Claimed(_) => {
            ContainerStateStatusEnum::CREATED
        }
        Phase::Running(_) => ContainerStateStatusEnum::RUNNING,
        Phase::Backoff => ContainerStateStatusEnum::RESTARTING,
        Phase::Unknown(_) => ContainerStateStatusEnum::DEAD,
        Phase::Succeeded | Phase::Failed(_) | Phase::Skipped { .. } | Phase::Cancelled { .. } => {
            ContainerStateStatusEnum::EXITED
        }
    }
}

/// The same for a line of a list.
pub(super) fn summary_state(phase: &Phase) -> ContainerSummaryStateEnum {
    match state(phase) {
        ContainerStateStatusEnum::RUNNING => ContainerSummaryStateEnum::RUNNING,
        ContainerStateStatusEnum::RESTARTING => ContainerSummaryStateEnum::RESTARTING,
        ContainerStateStatusEnum::DEAD => ContainerSummaryStateEnum::DEAD,
        ContainerStateStatusEnum::EXITED => ContainerSummaryStateEnum::EXITED,
        ContainerStateStatusEnum::CREATED
        | ContainerStateStatusEnum::EMPTY
        | ContainerStateStatusEnum::PAUSED
        | ContainerStateStatusEnum::REMOVING
        | ContainerStateStatusEnum::STOPPING => ContainerSummaryStateEnum::CREATED,
    }
}

/// The column STATUS of `docker ps`.
pub(super) fn status(state: &State, c: &Container, now_ms: u64) -> String {
    let on = |node| state.node_name(node).unwrap_or("a node that is gone").to_owned();
    match &c.phase {
        Phase::Created => "Created".to_owned(),
        Phase::Blocked { .. } => format!("Created (waiting for {})", c.waits_for().join(", ")),
        Phase::Ready => "Created (waiting for room)".to_owned(),
        Phase::Claimed(claim) => match c.latest().and_then(|last| last.preparing.as_deref()) {
            Some(preparing) => format!("Created ({}: {preparing})", on(claim.session.node)),
            None => format!("Created (starting on {})", on(claim.session.node)),
        },
        Phase::Running(_) => {
            let since = c.latest().and_then(|last| last.started_at.as_deref()).and_then(ms_of);
            format!("Up {}", duration(now_ms.saturating_sub(since.unwrap_or(now_ms))))
        }
        Phase::Backoff => format!("Restarting ({})", last_code(c)),
        Phase::Unknown(claim) => format!("Dead ({} is away)", on(claim.session.node)),
        Phase::Succeeded | Phase::Failed(_) | Phase::Skipped { .. } | Phase::Cancelled { .. } => {
            let at = c.latest().and_then(|last| last.finished_at.as_deref()).and_then(ms_of);
            let at = at.or(c.ended.map(|ended| ended.at_ms)).unwrap_or(now_ms);
            format!("Exited ({}) {} ago", code(c), duration(now_ms.saturating_sub(at)))
        }
    }
}

/// Its exit code, as Docker's clients read it: of what never ran it is that of Docker's own errors.
pub(super) fn code(c: &Container) -> i64 {
    if c.phase.is_terminal() { view::exit_code(&c.phase).unwrap_or(view::NEVER_RAN) } else { 0 }
}

fn last_code(c: &Container) -> i64 {
    use pinode_scheduler::Outcome;
    match c.latest().and_then(|last| last.end.as_ref()) {
        Some(Outcome::Exited { code, .. } | Outcome::LaunchFailed { code, .. }) => *code,
        Some(Outcome::Interrupted { code, .. } | Outcome::Cancelled { code }) => code.unwrap_or(0),
        Some(Outcome::NeverStarted { .. } | Outcome::Lost | Outcome::Unknown) | None => 0,
    }
}

/// RFC 3339 as milliseconds since 1970.
pub(super) fn ms_of(text: &str) -> Option<u64> {
    let at: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(at.as_millisecond()).ok()
}

/// As Docker rounds durations for people.
pub(super) fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    let (minutes, hours) = (seconds / 60, (seconds + 1800) / 3600);
    match (seconds, minutes, hours) {
        (0, ..) => "Less than a second".to_owned(),
        (1, ..) => "1 second".to_owned(),
        (2..60, ..) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".to_owned(),
        (_, 2..60, _) => format!("{minutes} minutes"),
        (_, _, 1) => "About an hour".to_owned(),
        (_, _, 2..48) => format!("{hours} hours"),
        (_, _, 48..336) => format!("{} days", hours / 24),
        (_, _, 336..1440) => format!("{} weeks", hours / 24 / 7),
        (_, _, 1440..17520) => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", hours / 24 / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_read_as_dockers() {
        for (seconds, text) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (180, "3 minutes"),
            (3600, "About an hour"),
            (7200, "2 hours"),
            (172_800, "2 days"),
            (1_209_600, "2 weeks"),
            (5_184_000, "2 months"),
            (94_608_000, "3 years"),
        ] {
            assert_eq!(duration(seconds * 1000), text);
        }
    }
}
