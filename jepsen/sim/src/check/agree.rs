//! In the end every node is there, has applied what the others have, and is in the same state.

use crate::history::History;

/// Entries that are on their way at any moment.
const UNDER_WAY: u64 = 3;

pub(super) fn judge(history: &History, machines: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    for machine in 0..machines {
        if history.last.iter().all(|view| view.machine != machine) {
            wrong.push(format!("n{machine} is not there at the end"));
        }
    }
    let newest = history.last.iter().map(|view| view.applied).max().unwrap_or(0);
    for view in &history.last {
        if view.applied + UNDER_WAY < newest {
            wrong.push(format!(
                "n{} has applied {} entries at the end, and others {newest}",
                view.machine, view.applied
            ));
        }
        for other in &history.last {
            if view.machine < other.machine && view.applied == other.applied && view.digest != other.digest {
                let (one, two) = (view.machine, other.machine);
                wrong.push(format!("after entry {} the states of n{one} and n{two} differ", view.applied));
            }
        }
    }
    wrong
}
