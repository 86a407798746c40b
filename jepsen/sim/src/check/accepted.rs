//! What was accepted is on every node at the end, under its id; what was refused is nowhere.

use super::at;
use crate::history::History;

pub(super) fn judge(history: &History) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, job) in &history.jobs {
        for view in &history.last {
            let shown = view.containers.get(name);
            match (&job.accepted, shown) {
                (Some((id, when)), None) => {
                    wrong.push(format!(
                        "{name} was accepted at {} as {id} and n{} has lost it",
                        at(*when),
                        view.machine
                    ));
                }
                (Some((id, _)), Some(shown)) if shown.id != *id => {
                    wrong.push(format!(
                        "{name} was accepted as {id} and is {} on n{}",
                        shown.id, view.machine
                    ));
                }
                (None, Some(_)) if job.refused => {
                    wrong.push(format!("{name} was refused and is on n{}", view.machine));
                }
                (Some(_) | None, Some(_) | None) => {}
            }
        }
    }
    wrong
}
