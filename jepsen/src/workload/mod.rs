//! What clients ask for while harm is done.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `payload` | the program inside a container, which writes down what happens to it |
//! | `story` | what one client does in turn: requests, and pauses |
//! | `chains`, `fans` | chains in any order, pipelines with fan-ins by pattern, failures and refusals |
//! | `retries`, `services` | programs that fail at first, run once, or run again and again |
//! | `cancels` | containers that are stopped or removed at some moment |
//! | `mix` | all of these, drawn from a seed |
//! | `client` | sends them to nodes at random, and notes what it may believe |
//! | `film` | sends a film, and fetches what came of it |

mod cancels;
mod chains;
pub mod client;
mod fans;
pub mod film;
pub mod mix;
pub mod payload;
mod retries;
mod services;
mod story;

use self::story::Step;
use crate::random::Random;

/// Shortest and longest life of a program, in tenths of a second.
const BEATS: (u64, u64) = (2, 25);
/// Longest pause between two requests of a story, in milliseconds.
const PAUSE_MS: u64 = 800;

fn beats(random: &mut Random) -> u64 {
    random.between(BEATS.0, BEATS.1)
}

fn pause(random: &mut Random) -> Step {
    Step::Pause(random.between(0, PAUSE_MS))
}
