//! Raft on sled, around the pure scheduler. `DESIGN.md` beside this crate's `src` says what was measured and why it is
//! built so.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`types`] | the one `TypeConfig`, and openraft's types under short names |
//! | [`codec`] | every byte that is stored: versioned, checksummed records, own mirrors of openraft's types |
//! | [`log`] | log and vote in sled, with a real fsync by group commit |
//! | [`snapshot`] | snapshots as files of our own |
//! | [`machine`] | the thin adapter around `State::apply` |
//! | [`seal`], [`unseal`] | small files of text that say so when they are damaged |
//! | [`identity`] | who this disk is: node id, cluster id, start counter, quarantine |
//! | [`remains`] | what one disk has of a cluster that lost its majority |
//! | [`alone`] | a folder as a cluster of one, recovered or restored |
//! | [`backup`] | the whole state as one record, and a folder made from it |
//! | [`host`] | the machine that a task runs on: the real one, or one of a simulation's |
//! | [`runtime`] | what openraft runs on: tokio, with a seed in a simulation |
//! | [`config`] | openraft's settings and the two timeout classes |
//! | [`open`](open()) | the whole folder, verified, or why not |

pub mod alone;
pub mod backup;
pub mod codec;
pub mod config;
mod durable;
#[cfg(test)]
mod faults;
pub mod host;
pub mod identity;
pub mod log;
pub mod machine;
mod open;
pub mod remains;
pub mod runtime;
mod sealed;
pub mod snapshot;
pub mod types;

pub use alone::Alone;
pub use backup::BackupV1;
pub use durable::{remove as remove_durably, write as write_durably};
pub use identity::{Identity, lock as lock_folder};
pub use log::{Log, LogStore};
pub use machine::Machine;
pub use open::{OpenError, Opened, open, open_with};
pub use remains::{RecoverError, Remains};
pub use sealed::{seal, unseal};
pub use types::{Member, Raft, TypeConfig};
