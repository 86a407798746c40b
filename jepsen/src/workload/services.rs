//! Services: what ends is started again, until it is stopped.

use serde_json::json;

use super::payload::Program;
use super::story::{Request, Step, Story};
use crate::history::Life;
use crate::random::Random;

/// How long a service is wanted, in milliseconds.
const WANTED_MS: (u64, u64) = (3_000, 20_000);

/// One that ends again and again, well or badly.
pub fn service(random: &mut Random, tag: &str) -> Story {
    let name = format!("service-{tag}");
    let code = i64::try_from(random.between(0, 1)).unwrap_or_default();
    let program = Program { beats: random.between(10, 60), code, fails: 0 };
    let request = Request::container(&name, program, (&[], Vec::new())).living(Life::Service);
    vec![
        Step::Ask(request.with("restart", json!("always")).with("stop_timeout", json!("2s"))),
        Step::Pause(random.between(WANTED_MS.0, WANTED_MS.1)),
        Step::Ask(Request::stop(&name)),
    ]
}
