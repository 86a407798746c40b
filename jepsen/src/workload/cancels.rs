//! Containers that are stopped or removed at some moment: before they could start, while they do, while they run, or when
//! they have ended.

use super::payload::Program;
use super::story::{Request, Step, Story, after};
use crate::history::Kind;
use crate::random::Random;

/// Longest pause until the end is asked for, in milliseconds.
const LATEST_MS: u64 = 4_000;

/// Stopped; what waits for its end runs then.
pub fn stopped(random: &mut Random, tag: &str) -> Story {
    let name = format!("stopped-{tag}");
    let (term, wait) = (format!("exited=={name}"), after(&name, Kind::Exited));
    let next = Request::container(&format!("next-{tag}"), lives(random, 10), (&[term], vec![wait]));
    vec![
        Step::Ask(short_grace(Request::container(&name, lives(random, 60), (&[], Vec::new())))),
        Step::Ask(next),
        Step::Pause(random.between(0, LATEST_MS)),
        Step::Ask(Request::stop(&name)),
    ]
}

/// Removed.
pub fn removed(random: &mut Random, tag: &str) -> Story {
    let name = format!("removed-{tag}");
    vec![
        Step::Ask(short_grace(Request::container(&name, lives(random, 40), (&[], Vec::new())))),
        Step::Pause(random.between(0, LATEST_MS)),
        Step::Ask(Request::remove(&name)),
    ]
}

fn lives(random: &mut Random, longest: u64) -> Program {
    Program { beats: random.between(1, longest), ..Program::default() }
}

fn short_grace(request: Request) -> Request {
    request.with("stop_timeout", "2s".into())
}
