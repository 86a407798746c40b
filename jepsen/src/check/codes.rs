//! What is told of an end is what the program itself wrote down; for programs that write nothing, what their engine
//! shows. A success without its end is the worst of all lies, and what was skipped has never run.

use super::Violation;
use crate::history::{AT_THE_END, Fault, FaultKind, History, Job, Kind, Life, Mark, Seen, View};

/// The code of who was killed.
const KILLED: i64 = 137;

/// Judges it.
pub fn judge(history: &History) -> Vec<Violation> {
    let mut violations = Vec::new();
    for view in history.views_of(AT_THE_END) {
        for seen in &view.containers {
            // One that nobody asked for in this run says nothing about its program.
            if let Some(job) = history.jobs.get(&seen.name) {
                let wrong = wrong(history, job, seen);
                violations.extend(wrong.map(|wrong| Violation(sentence(view, seen, &wrong))));
            }
        }
    }
    violations
}

fn sentence(view: &View, seen: &Seen, wrong: &str) -> String {
    let place =
        seen.node.as_ref().map_or_else(String::new, |node| format!(" (attempt {} on {node})", seen.attempt));
    format!("{} shows {}{place} as {}, but {wrong}", view.node, seen.name, seen.state)
}

fn wrong(history: &History, job: &Job, seen: &Seen) -> Option<String> {
    let ended = end(history, job, seen);
    match seen.state.as_str() {
        "succeeded" => wrong_success(ended),
        "failed" if is_shim_killed(history, seen) || is_lost_for_good(history, job, seen) => None,
        "failed" => wrong_failure(job, seen, ended),
        "skipped" => wrong_skip(history, job, seen),
        "cancelled" => {
            history.ends_asked_for(&seen.name).next().is_none().then(|| "nobody stopped it".to_owned())
        }
        // Whether it has ended at all is another property.
        _ => None,
    }
}

/// The code with which the attempt that counts ended.
fn end(history: &History, job: &Job, seen: &Seen) -> Option<i64> {
    if job.recorded {
        let mut records = history.records.iter().filter(|r| r.name == seen.name && r.attempt == seen.attempt);
        return records.find_map(|record| match record.mark {
            Mark::End(code) => Some(code),
            Mark::Start | Mark::Alive => None,
        });
    }
    let mut runs = history.engine_runs.iter().filter(|r| r.name == seen.name && r.attempt == seen.attempt);
    runs.find(|run| run.finished_ns.is_some()).map(|run| run.code)
}

fn wrong_success(ended: Option<i64>) -> Option<String> {
    match ended {
        Some(0) => None,
        Some(code) => Some(format!("its program ended with {code}")),
        None => Some("its program never came to its end".to_owned()),
    }
}

fn wrong_failure(job: &Job, seen: &Seen, ended: Option<i64>) -> Option<String> {
    match (seen.exit_code, ended) {
        (_, Some(0)) => Some("its program ended with 0".to_owned()),
        (Some(told), Some(ended)) if told != ended => {
            Some(format!("it tells code {told}, and its program ended with {ended}"))
        }
        (Some(told), None) => Some(format!("it tells code {told}, and its program never came to its end")),
        (None, _) if job.code == 0 => Some(format!(
            "its program would have succeeded: {}",
            seen.cause.as_deref().unwrap_or("no cause is told")
        )),
        (Some(_) | None, Some(_) | None) => None,
    }
}

/// Whether it may run once only, and its machine lost it: nobody knows how it ended, and nobody may run it again.
fn is_lost_for_good(history: &History, job: &Job, seen: &Seen) -> bool {
    let loses =
        |fault: &&Fault| fault.what.ends_all() || matches!(fault.what, FaultKind::Wipe | FaultKind::Remove);
    let losses = history.faults.iter().filter(loses);
    // A node that came back under its name with an empty disk is another one: only the engine still tells where it was.
    let mut runs = history.engine_runs.iter().filter(|r| r.name == seen.name && r.attempt == seen.attempt);
    let was_lost = runs.any(|run| losses.clone().any(|fault| fault.hit(&run.node)));
    job.life == Life::Never && seen.exit_code.is_none() && was_lost
}

/// Whether what stands between engine and program was killed under the attempt that counts. Its engine then kills the
/// program and tells 137 as if it were the program's own end; nobody outside can know better.
fn is_shim_killed(history: &History, seen: &Seen) -> bool {
    let mut runs = history.engine_runs.iter().filter(|r| r.name == seen.name && r.attempt == seen.attempt);
    runs.any(|run| {
        let mut shims = history.faults.iter().filter(|fault| fault.what == FaultKind::ShimKill);
        shims.any(|fault| {
            fault.container.as_ref() == Some(&run.docker_id)
                && run.code == KILLED
                && seen.exit_code == Some(KILLED)
        })
    })
}

fn wrong_skip(history: &History, job: &Job, seen: &Seen) -> Option<String> {
    let ran = history.records.iter().find(|record| record.name == seen.name);
    if let Some(record) = ran {
        return Some(format!("its program ran on {} at {}", record.node, history.at(record.at_ns)));
    }
    if let Some(run) =
        history.engine_runs.iter().find(|run| run.name == seen.name && !run.started_ns.is_empty())
    {
        return Some(format!("{} on {} was started", run.docker_id, run.node));
    }
    let unmeetable = job.waits.iter().any(|wait| {
        let on = history.last_seen(&wait.on);
        on.is_some_and(|on| on.is_terminal() && cannot_meet(wait.kind, &on.state))
    });
    (!unmeetable).then(|| "nothing that it waits for has failed".to_owned())
}

/// Whether an end in this state is one that the wait does not want.
fn cannot_meet(kind: Kind, state: &str) -> bool {
    match kind {
        Kind::Container => state != "succeeded",
        Kind::Failed => state == "succeeded",
        // Only what never ran has not started.
        Kind::Started => matches!(state, "skipped" | "cancelled" | "failed"),
        Kind::Exited => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{at, fault, good, run, seen, sentences};
    use super::*;
    use crate::history::Record;

    #[test]
    fn told_ends_that_the_programs_wrote_down_themselves_are_good() {
        assert_eq!(judge(&good()), []);
    }

    /// The three nodes tell the same; what the first of them tells wrongly.
    fn first(history: &History) -> String {
        let said = sentences(judge(history));
        assert_eq!(said.len(), 3, "{said:?}");
        said[0].clone()
    }

    #[test]
    fn a_success_whose_program_never_came_to_its_end_is_false() {
        let mut history = good();
        history.records.retain(|record| record.name != "p.first" || record.mark != Mark::End(0));
        let said = "n1 shows p.first (attempt 1 on n1) as succeeded, but its program never came to its end";
        assert_eq!(first(&history), said);
    }

    #[test]
    fn a_success_whose_program_failed_is_false() {
        let mut history = good();
        seen(&mut history, "f.fails", |fails| fails.state = "succeeded".to_owned());
        let false_success = "n1 shows f.fails (attempt 1 on n1) as succeeded, but its program ended with 3";
        assert_eq!(sentences(judge(&history))[0], false_success);
    }

    #[test]
    fn an_encoder_that_its_engine_calls_killed_did_not_succeed() {
        let mut history = good();
        run(&mut history, "film-1.encode0", 2).code = 137;
        assert!(
            first(&history)
                .contains("film-1.encode0 (attempt 2 on n1) as succeeded, but its program ended with 137")
        );
    }

    #[test]
    fn a_failure_with_another_code_or_after_a_good_end_is_false() {
        let mut history = good();
        seen(&mut history, "f.fails", |fails| fails.exit_code = Some(4));
        assert!(first(&history).contains("it tells code 4, and its program ended with 3"));
        let mut history = good();
        seen(&mut history, "p.first", |first| first.state = "failed".to_owned());
        assert!(
            first(&history).contains("p.first (attempt 1 on n1) as failed, but its program ended with 0")
        );
    }

    #[test]
    fn what_would_have_succeeded_must_not_fail_for_another_reason() {
        let mut history = good();
        history.records.retain(|record| record.name != "p.first" || record.mark != Mark::End(0));
        seen(&mut history, "p.first", |first| {
            first.state = "failed".to_owned();
            first.exit_code = None;
            first.cause = Some("lost too often".to_owned());
        });
        assert!(first(&history).contains("its program would have succeeded: lost too often"));
    }

    #[test]
    fn what_was_skipped_has_never_run_and_has_a_reason() {
        let mut history = good();
        let start = Record {
            name: "f.skipped".to_owned(),
            attempt: 1,
            node: "n2".to_owned(),
            at_ns: at(4_000),
            mark: Mark::Start,
        };
        history.records.push(start);
        assert!(first(&history).contains("its program ran on n2 at 4.000 s"));
        let mut history = good();
        seen(&mut history, "f.fails", |fails| fails.state = "succeeded".to_owned());
        assert!(
            sentences(judge(&history))
                .iter()
                .any(|said| said.contains("nothing that it waits for has failed"))
        );
    }

    #[test]
    fn nothing_is_cancelled_when_nobody_stopped_it() {
        let mut history = good();
        seen(&mut history, "p.second", |second| second.state = "cancelled".to_owned());
        assert!(first(&history).contains("nobody stopped it"));
    }

    #[test]
    fn a_failure_without_the_program_s_end_is_false_unless_the_shim_under_that_very_attempt_was_killed() {
        let mut history = good();
        history.records.retain(|record| record.name != "p.first" || record.mark != Mark::End(0));
        seen(&mut history, "p.first", |first| {
            (first.state, first.exit_code) = ("failed".to_owned(), Some(137))
        });
        run(&mut history, "p.first", 1).code = 137;
        let mut shim = fault(FaultKind::ShimKill, "n1", (3_000, 3_100));
        shim.container = Some("another".to_owned());
        history.faults.push(shim);
        assert!(first(&history).contains("it tells code 137, and its program never came to its end"));
        history.faults[1].container = Some("docker-p.first-1".to_owned());
        assert!(!sentences(judge(&history)).iter().any(|said| said.contains("p.first ")));
    }

    #[test]
    fn only_what_may_run_once_and_lost_its_machine_may_fail_without_a_code() {
        let mut history = good();
        seen(&mut history, "p.second", |second| {
            (second.state, second.exit_code) = ("failed".to_owned(), None)
        });
        history.records.retain(|record| record.name != "p.second" || record.mark != Mark::End(0));
        history.faults.push(fault(FaultKind::Wipe, "n2", (5_500, 5_600)));
        assert!(first(&history).contains("its program would have succeeded"));
        history.jobs.get_mut("p.second").unwrap().life = Life::Never;
        assert_eq!(judge(&history), []);
        history.faults.pop();
        assert_eq!(judge(&history).len(), 3);
    }
}
