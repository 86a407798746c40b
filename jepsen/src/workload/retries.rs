//! Programs that fail at first, and programs that may run once only.

use serde_json::json;

use super::beats;
use super::payload::Program;
use super::story::{Request, Step, Story};
use crate::history::Life;
use crate::random::Random;

/// Fails in its first attempt, and succeeds in a later one. One failure is enough: each costs ten seconds of waiting.
pub fn flaky(random: &mut Random, tag: &str) -> Story {
    let program = Program { beats: beats(random), code: 0, fails: 1 };
    let request = Request::container(&format!("flaky-{tag}"), program, (&[], Vec::new()));
    vec![Step::Ask(request.with("retries", json!(3)))]
}

/// Runs once, whatever happens to its node.
pub fn once(random: &mut Random, tag: &str) -> Story {
    let program = Program { beats: beats(random), ..Program::default() };
    let request = Request::container(&format!("once-{tag}"), program, (&[], Vec::new()));
    vec![Step::Ask(request.with("rerun", json!("never")).living(Life::Never))]
}
