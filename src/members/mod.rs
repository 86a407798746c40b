//! Who is a member: the founding, and everybody who comes later.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `agreement` | what was heard at first contact, and what follows from it; no IO |
//! | `founding` | asking, and making durable what was agreed |
//! | `rejoin` | what a node that starts asks the others before it votes |
//! | `admission` | knocking, and being taken in as a learner |
//! | `step` | the next change: who votes, who is forgotten; no IO |
//! | `tend` | the leader looks, and takes that step |
//! | `handover` | a leader that stops names another |
//!
//! It must never let two clusters be founded by nodes that name each other, and never let an id vote from a second disk.

mod admission;
mod agreement;
mod founding;
mod handover;
mod rejoin;
mod step;
mod tend;

pub use admission::{admit, join};
pub use agreement::Founders;
pub use founding::{Found, Founding, FoundingError, found, initialise};
pub use handover::hand_over;
pub use rejoin::{Doubt, rejoin};
pub use tend::tend;

#[cfg(test)]
mod tests;
