//! What is told of an end is what the program really did.

use crate::history::{History, Job, Kind, Rerun, Shown};

/// Why what would have succeeded may fail for good all the same: lost too often, or gone with its node's disk.
const MAY_FAIL: [&str; 2] = ["lost", "was replaced"];

pub(super) fn judge(history: &History) -> Vec<String> {
    let Some(view) = history.last.first() else { return Vec::new() };
    let told = view.containers.iter().filter(|(_, shown)| shown.terminal);
    told.filter_map(|(name, shown)| {
        let why = wrong(history, name, history.jobs.get(name)?, shown)?;
        Some(format!("{name} (attempt {}) is told as {}, but {why}", shown.attempt, shown.state))
    })
    .collect()
}

fn wrong(history: &History, name: &str, job: &Job, shown: &Shown) -> Option<String> {
    let came_to_its_end = |code: i64| {
        let mut ends = history.deeds.iter().filter(|deed| deed.name == name && deed.attempt == shown.attempt);
        ends.any(|deed| deed.ended == Some((code, true)))
    };
    match shown.state {
        "succeeded" if !came_to_its_end(0) => Some("its program never came to a good end".to_owned()),
        "failed" => match (shown.code, &shown.cause) {
            (Some(code), None) if !came_to_its_end(code) => {
                Some(format!("its program did not end by itself with {code}"))
            }
            (None, cause) if job.code == 0 => {
                let cause = cause.as_deref().unwrap_or("no cause is told");
                let excused = job.rerun == Rerun::Never || MAY_FAIL.iter().any(|word| cause.contains(word));
                (!excused).then(|| format!("its program would have succeeded: {cause}"))
            }
            (Some(_) | None, Some(_) | None) => None,
        },
        "cancelled" if !job.stopped => Some("nobody stopped it".to_owned()),
        "skipped" => {
            let view = history.last.first()?;
            let hopeless = job.waits.iter().any(|(on, kind)| {
                let on = view.containers.get(on);
                on.is_some_and(|on| {
                    let good = on.state == "succeeded";
                    on.terminal && (good != (*kind == Kind::Container)) && *kind != Kind::Exited
                })
            });
            (!hopeless).then(|| "nothing that it waits for has ended the wrong way".to_owned())
        }
        _ => None,
    }
}
