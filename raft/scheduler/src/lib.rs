//! What pinode decides: a pure state machine from committed entries to claims.
//!
//! One way in, [`State::apply`]; one way out, [`owed()`]. Between the two there is no clock, no randomness, no IO and no
//! order that could differ between two nodes, so every node that applied the same entries holds the same state, names
//! the same claimant, and owes what that state says it owes.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`id`] | names of things: containers, sessions, requests |
//! | [`spec`] | what a user asked for, already valid |
//! | [`dependency`] | `waitfor`: the grammar, the edges, when one is met |
//! | [`filter`] | constraints and affinities: where a container may run, and would rather |
//! | [`duration`] | `10m` as milliseconds |
//! | [`container`] | one unit of work: its phase, its attempts, how they ended |
//! | [`later`] | what the state holds since its first layout, and the level it takes to speak of it |
//! | [`node`] | a machine as the log knows it: session, capacity, conditions |
//! | [`settings`] | what an operator sets for the whole cluster |
//! | [`command`] | what an entry of the log may say |
//! | [`reply`] | what `apply` answers, and why it refuses |
//! | [`state`] | the replicated state and its indexes |
//! | `apply` | one command, one file |
//! | `unblock` | an end reaches its dependents: release, or skip |
//! | `cycle` | the search that refuses `a -> b -> a` |
//! | `obstacle` | why a node cannot take a container, as a value and as a sentence |
//! | `seeker` | a container that looks for a node: all filters |
//! | `placement` | which node claims what is ready |
//! | `strategy` | which of the nodes that fit |
//! | [`owed()`] | what one node must do now |
//! | [`why()`] | the same facts as sentences |
//! | [`blackout`] | all nodes lost power: what ran, what becomes of it |
//! | `closing` | every session is over at once |
//! | [`check`] | what must hold after every entry |

mod apply;
pub mod blackout;
pub mod check;
mod closing;
pub mod command;
pub mod container;
mod cycle;
pub mod dependency;
pub mod duration;
mod end;
pub mod filter;
pub mod id;
pub mod later;
pub mod mutant;
pub mod node;
mod obstacle;
mod owed;
mod placement;
pub mod reply;
mod retention;
mod seeker;
pub mod settings;
pub mod spec;
pub mod state;
mod strategy;
pub mod timer;
mod unblock;
mod where_is;
mod why;

pub use command::{Command, Entry, Request};
pub use container::{Attempt, Container, Outcome, Phase};
pub use dependency::{Dependency, Waitfor};
pub use id::{ContainerId, NodeId, RequestKey, SessionId};
pub use node::{Node, NodeFacts};
pub use owed::{Duty, Work, owed};
pub use reply::{Applied, Change, Rejection, Reply, Submitted, What};
pub use settings::Settings;
pub use spec::Spec;
pub use state::State;
pub use timer::Timer;
pub use why::{Why, why};
