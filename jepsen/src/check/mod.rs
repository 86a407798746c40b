//! Judges: one property a file, each a pure function from the history of a run to what it violates.
//!
//! | room | what must hold |
//! | --- | --- |
//! | `accepted` | what was answered as accepted is there, under its id; what was refused is nowhere |
//! | `order` | nothing starts before what it waits for has ended as required |
//! | `once` | an attempt is started at most once |
//! | `overlap` | two attempts of one container never run at the same time |
//! | `codes` | what is told of an end is what the program itself wrote down |
//! | `agree` | nodes that applied the same entries are in the same state |
//! | `linearizable` | some order of submits, removals and reads explains every answer |
//! | `monotone` | what a container has come to is never taken back |
//! | `minority` | who hears no majority does nothing |
//! | `stopped` | what was answered as stopped stays so |
//! | `strangers` | containers that are none of pinode's are left alone |
//! | `alive` | a pinode ends when it is told to, or when its disk fails it |
//! | `film` | the film came out whole |
//! | `stuck` | in the end nothing waits, and every request was answered |
//! | `harm` | no property: whether anything was done to the machines at all |
//! | `verdict` | all of them, asked in turn |

mod accepted;
mod agree;
mod alive;
mod codes;
mod film;
pub mod harm;
mod linearizable;
mod minority;
mod monotone;
mod once;
mod order;
mod overlap;
#[cfg(test)]
pub(crate) mod sample;
mod stopped;
mod strangers;
mod stuck;
mod verdict;

pub use verdict::{Verdict, Violation, judge};
