//! In the end nothing waits: every accepted container has ended for good, and every request was answered. A person may
//! have to decide about what must never run twice and was lost on the way.

use crate::history::{History, Rerun, View};

pub(super) fn judge(history: &History) -> Vec<String> {
    let Some(view) = history.last.iter().max_by_key(|view| view.applied) else { return Vec::new() };
    let open = view.containers.iter().filter(|(_, shown)| !shown.terminal);
    open.filter(|(name, _)| !may_wait(history, view, name))
        .map(|(name, shown)| format!("{name} is still {} (attempt {})", shown.state, shown.attempt))
        .collect()
}

fn may_wait(history: &History, view: &View, name: &str) -> bool {
    let Some(job) = history.jobs.get(name) else { return false };
    match view.containers.get(name).map(|shown| shown.state) {
        Some("unknown") => job.rerun == Rerun::Never,
        Some("blocked") => job.waits.iter().any(|(on, _)| match view.containers.get(on) {
            Some(shown) => !shown.terminal && may_wait(history, view, on),
            // What it waits for was never submitted, because nobody answered its client.
            None => true,
        }),
        _ => false,
    }
}
