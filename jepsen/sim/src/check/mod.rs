//! Judges: one property a file, each a pure function from what was noted to what it violates. They know each start and
//! end to the moment, because the engines are simulated; the judges of real runs (`pinode-jepsen`'s `check`) have to
//! make do with what can be seen from outside, and so are others.
//!
//! | room | what must hold |
//! | --- | --- |
//! | `accepted` | what was accepted is on every node, under its id; what was refused is nowhere |
//! | `order` | nothing starts before what it waits for has ended as required |
//! | `once` | an attempt is started at most once, and `never` is started once, ever |
//! | `overlap` | two attempts of one container never run at the same time, unless nobody was there to see to it |
//! | `codes` | what is told of an end is what the program really did |
//! | `agree` | in the end all nodes are there and show the same |
//! | `stuck` | in the end nothing waits |
//!
//! What can only be seen while it happens is noted then, as a sentence: `agree` (an entry that did one thing here and
//! another there), `monotone`, `reads`, `quarantine`, `founding`, `foreign`.

mod accepted;
mod agree;
mod codes;
mod once;
mod order;
mod overlap;
mod stuck;

use crate::history::History;

/// What is violated, in sentences that begin with the property's word.
pub fn judge(history: &mut History, machines: usize) -> Vec<String> {
    let mut all: Vec<String> = std::mem::take(&mut history.seen_wrong).into_iter().collect();
    let mut add = |property: &str, found: Vec<String>| {
        all.extend(found.into_iter().map(|sentence| format!("{property}: {sentence}")));
    };
    add("accepted", accepted::judge(history));
    add("order", order::judge(history));
    add("once", once::judge(history));
    add("overlap", overlap::judge(history));
    add("codes", codes::judge(history));
    add("agree", agree::judge(history, machines));
    add("stuck", stuck::judge(history));
    all
}

/// A moment as people read it.
fn at(moment: std::time::Duration) -> String {
    format!("{:.3} s", moment.as_secs_f64())
}
