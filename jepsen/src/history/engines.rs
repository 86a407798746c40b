//! How fast the engines were. A start that comes late is pinode's doing only if its engine had it in time, so what engines
//! need for a start is measured by the other starts of the same run.

use super::{EngineRun, History};

impl History {
    /// When the Docker container of an attempt was made, as its engine told: from here on, its engine may have been
    /// asked to start it.
    pub fn created_ns(&self, run: &EngineRun) -> Option<u64> {
        self.told_ns(&run.docker_id, "create")
    }

    /// The longest time between the making and the start of any other attempt.
    pub fn slowest_start_ns(&self, but: &EngineRun) -> u64 {
        let others = self.engine_runs.iter().filter(|run| run.docker_id != but.docker_id);
        let slow = others.filter_map(|run| {
            let started = self.told_ns(&run.docker_id, "start")?;
            Some(started.saturating_sub(self.created_ns(run)?))
        });
        slow.max().unwrap_or_default()
    }

    /// Whether pinode did this start after that moment: it had the container made after it, or the start came later than
    /// its engine needs for one.
    pub fn was_begun_after(&self, run: &EngineRun, started_ns: u64, ns: u64) -> bool {
        let created = self.created_ns(run).unwrap_or(started_ns);
        created > ns || started_ns > ns.saturating_add(self.slowest_start_ns(run))
    }

    fn told_ns(&self, docker_id: &str, what: &str) -> Option<u64> {
        let told =
            self.engine_events.iter().filter(|event| event.docker_id == docker_id && event.what == what);
        told.map(|event| event.at_ns).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::EngineEvent;

    fn run(id: &str) -> EngineRun {
        EngineRun {
            node: "n1".to_owned(),
            docker_id: id.to_owned(),
            name: id.to_owned(),
            container: id.to_owned(),
            attempt: 1,
            state: "exited".to_owned(),
            started_ns: Vec::new(),
            finished_ns: None,
            code: 0,
            seen_ns: 0,
        }
    }

    fn event(id: &str, what: &str, at_ns: u64) -> EngineEvent {
        EngineEvent {
            at_ns,
            node: "n1".to_owned(),
            docker_id: id.to_owned(),
            name: id.to_owned(),
            attempt: 1,
            what: what.to_owned(),
            code: None,
        }
    }

    /// One other start took 5; this one was made at 10.
    fn begun_after(started_ns: u64, ns: u64) -> bool {
        let engine_events = vec![
            event("a", "create", 1),
            event("a", "start", 6),
            event("b", "create", 10),
            event("b", "start", started_ns),
        ];
        let history = History { engine_runs: vec![run("a"), run("b")], engine_events, ..History::default() };
        history.was_begun_after(&run("b"), started_ns, ns)
    }

    #[test]
    fn a_start_is_late_if_its_container_was_made_late_or_if_no_engine_was_so_slow() {
        assert!(begun_after(12, 9));
        assert!(!begun_after(15, 11));
        assert!(begun_after(17, 11));
    }

    #[test]
    fn without_a_word_of_the_engine_its_start_is_all_that_is_known() {
        let history = History::default();
        assert!(history.was_begun_after(&run("b"), 12, 11) && !history.was_begun_after(&run("b"), 11, 11));
    }
}
