//! Small chains: one container after the other, each a request of its own and in any order, so that most wait for what is
//! not there yet. And what waits for itself, which must be refused and must leave nothing.

use super::payload::Program;
use super::story::{Request, Step, Story, after};
use super::{beats, pause};
use crate::history::Kind;
use crate::random::Random;

/// One container after the other.
pub fn chain(random: &mut Random, tag: &str) -> Story {
    let links = random.between(2, 4);
    let name = |link: u64| format!("chain-{tag}-{link}");
    let mut requests: Vec<Request> = (0..links)
        .map(|link| {
            let on = link.checked_sub(1).map(name);
            let terms: Vec<String> = on.iter().map(|on| format!("container=={on}")).collect();
            let waits = on.iter().map(|on| after(on, Kind::Container)).collect();
            Request::container(
                &name(link),
                Program { beats: beats(random), ..Program::default() },
                (&terms, waits),
            )
        })
        .collect();
    random.shuffle(&mut requests);
    requests.into_iter().flat_map(|request| [Step::Ask(request), pause(random)]).collect()
}

/// What waits for itself.
pub fn impossible(_: &mut Random, tag: &str) -> Story {
    let name = format!("itself-{tag}");
    let (term, wait) = (format!("container=={name}"), after(&name, Kind::Container));
    vec![Step::Ask(Request::container(&name, Program::default(), (&[term], vec![wait])))]
}
