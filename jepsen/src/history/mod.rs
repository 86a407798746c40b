//! What was asked, done and seen, as data. Judges read nothing else, so a run can be judged again years later.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `run` | one run, whole |
//! | `asked` | what clients asked for, and what they may believe of it |
//! | `harm` | what was done to the machines |
//! | `seen` | what programs, engines and nodes showed |
//! | `engines` | how fast the engines were |
//! | `span` | from when until when an attempt was certainly alive |
//!
//! All moments are nanoseconds since 1970 on the one clock that all machines of a testbed share.

mod asked;
mod engines;
mod harm;
mod run;
mod seen;
mod span;

pub use asked::{Job, Kind, Life, Operation, Outcome, Try, Verb, Wait};
pub use harm::{Fault, FaultKind, FaultOutcome};
pub use run::History;
pub use seen::{
    AT_THE_END, Digest, EngineEvent, EngineRun, Film, Mark, OwnEnd, Probed, Read, Record, Seen, Sighting,
    Stranger, View,
};
pub use span::Span;
