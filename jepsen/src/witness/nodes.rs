//! What nodes show, and digests of their states.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use super::{MEANWHILE, Saw, lock};
use crate::history::{Read, Seen, Sighting};
use crate::moment;
use crate::node::Node;

/// Who does not answer, or changes just now, is asked again soon.
pub(super) fn look(at: &Node, seen: &Mutex<Saw>) {
    if let Ok(digest) = at.digest(MEANWHILE) {
        let mut saw = lock(seen);
        if !saw.digests.contains(&digest) {
            saw.digests.push(digest);
        }
    }
    let asked_ns = moment::now();
    if let Ok(containers) = at.containers() {
        let read = Read { node: at.name.clone(), asked_ns, answered_ns: moment::now() };
        let busy = containers.iter().filter(|seen| !seen.is_terminal()).count();
        let mut saw = lock(seen);
        saw.busy.store(busy, Ordering::Relaxed);
        saw.sightings.add(&read, &containers);
        saw.reads.push(read);
    }
}

/// Each state of each container, by node: what is shown again and again is one sighting that lasts.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    all: Vec<Sighting>,
    latest: BTreeMap<(String, String), usize>,
}

impl Sightings {
    pub(super) fn all(&self) -> impl Iterator<Item = &Sighting> {
        self.all.iter()
    }

    fn add(&mut self, read: &Read, containers: &[Seen]) {
        for seen in containers {
            let key = (read.node.clone(), seen.id.clone());
            let latest = self.latest.get(&key).and_then(|index| self.all.get_mut(*index));
            match latest {
                Some(latest) if latest.state == seen.state && latest.attempt == seen.attempt => {
                    latest.last_asked_ns = read.asked_ns;
                }
                Some(_) | None => {
                    self.latest.insert(key, self.all.len());
                    self.all.push(Sighting {
                        node: read.node.clone(),
                        name: seen.name.clone(),
                        id: seen.id.clone(),
                        state: seen.state.clone(),
                        attempt: seen.attempt,
                        shown_ns: read.answered_ns,
                        last_asked_ns: read.asked_ns,
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_again_is_one_sighting_that_lasts_and_what_changes_is_another() {
        let seen = |state: &str| Seen {
            id: "1".to_owned(),
            name: "a".to_owned(),
            state: state.to_owned(),
            attempt: 1,
            node: None,
            exit_code: None,
            cause: None,
            attempts: Vec::new(),
        };
        let read = |ns| Read { node: "n1".to_owned(), asked_ns: ns, answered_ns: ns + 1 };
        let mut sightings = Sightings::default();
        sightings.add(&read(10), &[seen("ready")]);
        sightings.add(&read(20), &[seen("ready")]);
        sightings.add(&read(30), &[seen("running")]);
        let told: Vec<(&str, u64, u64)> =
            sightings.all().map(|s| (s.state.as_str(), s.shown_ns, s.last_asked_ns)).collect();
        assert_eq!(told, [("ready", 11, 20), ("running", 31, 30)]);
    }
}
