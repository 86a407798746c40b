//! A change of one container reaches its dependents: who has nothing left to wait for is released, who waits for what
//! can never be is skipped, and that in turn reaches further. All inside the entry that began it.

use crate::apply::Step;
use crate::container::{Container, Ended, Outcome, Phase};
use crate::dependency::{EdgeState, Kind, Verdict};
use crate::id::ContainerId;
use crate::mutant::{self, Mutant};
use crate::reply::What;
use crate::spec::OnUpstreamFailure;
use crate::state::State;
use crate::timer::Timer;

/// How many causes a skipped container remembers.
const CAUSES_KEPT: usize = 32;

/// How an edge of `kind` to `container` stands.
pub(crate) fn edge_state(kind: Kind, container: &Container) -> EdgeState {
    let ended = container.phase.is_terminal();
    let succeeded = container.phase == Phase::Succeeded;
    let (met, impossible) = match kind {
        Kind::Container if mutant::is(Mutant::ReleasesAfterFailure) => (ended, false),
        Kind::Container => (succeeded, ended && !succeeded),
        Kind::Exited => (ended, false),
        Kind::Failed => (ended && !succeeded, succeeded),
        Kind::Started => (container.tally.started, ended),
        Kind::Healthy => (container.tally.healthy, ended || !container.spec.has_health),
    };
    match (met, impossible) {
        (true, _) => EdgeState::Met,
        (false, true) => EdgeState::Impossible,
        (false, false) => EdgeState::Open,
    }
}

impl Step<'_> {
    /// Works until nobody is left who has not heard.
    pub(crate) fn settle(&mut self) {
        while let Some(parent) = self.touched.pop_front() {
            let children: Vec<ContainerId> =
                self.state.dependents.get(&parent).into_iter().flatten().copied().collect();
            for child in children {
                self.tell(parent, child);
                self.reconsider(child);
            }
        }
    }

    /// Brings the edges of `child` to `parent` up to date. A met edge stays met.
    fn tell(&mut self, parent: ContainerId, child: ContainerId) {
        let Some(news) = self.state.containers.get(&parent).map(Facts::of) else { return };
        let Some(child) = self.state.containers.get_mut(&child) else { return };
        for dependency in &mut child.dependencies {
            if dependency.edges.get(&parent).is_some_and(|edge| edge.state != EdgeState::Met) {
                let state = news.edge(dependency.waitfor.kind);
                dependency.set(parent, &news.name, state);
            }
        }
    }

    /// Releases or skips a blocked container if it is time.
    pub(crate) fn reconsider(&mut self, id: ContainerId) {
        let Some(container) = self.state.containers.get_mut(&id) else { return };
        if !matches!(container.phase, Phase::Blocked { .. }) {
            return;
        }
        let policy = container.spec.on_upstream_failure;
        let verdicts = || container.dependencies.iter().map(|d| d.verdict(policy == OnUpstreamFailure::Run));
        if policy == OnUpstreamFailure::Skip && verdicts().any(|verdict| verdict == Verdict::Impossible) {
            return self.skip(id);
        }
        let unmet = verdicts().filter(|verdict| *verdict != Verdict::Met).count();
        if unmet == 0 {
            return self.release(id);
        }
        container.phase = Phase::Blocked { unmet: u32::try_from(unmet).unwrap_or(u32::MAX) };
    }

    /// Closes the set of what it waited for, and queues it.
    pub(crate) fn release(&mut self, id: ContainerId) {
        self.state.stop_listening(id);
        self.state.drop_edges_index(id);
        self.make_ready(id);
    }

    /// Queues it for placement.
    pub(crate) fn make_ready(&mut self, id: ContainerId) {
        let Some(container) = self.state.containers.get_mut(&id) else { return };
        container.phase = Phase::Ready;
        self.state.timers.remove(&Timer::WaitTimeout { container: id, run: container.run });
        self.state.ready.insert(container.order, id);
        self.say(Some(id), None, What::Ready);
    }

    fn skip(&mut self, id: ContainerId) {
        let cause = self.cause_of_skip(id);
        self.state.stop_listening(id);
        self.end(id, Phase::Skipped { cause: cause.clone() }, What::Skipped(cause));
    }

    fn cause_of_skip(&self, id: ContainerId) -> Vec<String> {
        let Some(container) = self.state.containers.get(&id) else { return Vec::new() };
        let edges = container.dependencies.iter().flat_map(|d| &d.edges);
        let Some((parent, edge)) = edges.into_iter().find(|(_, edge)| edge.state == EdgeState::Impossible)
        else {
            return Vec::new();
        };
        let parent = self.state.containers.get(parent);
        let how = parent.map_or_else(|| "removed".to_owned(), how_it_ended);
        let mut causes = vec![format!("{}: {how}", edge.name)];
        if let Some(Phase::Skipped { cause }) = parent.map(|parent| &parent.phase) {
            causes.extend(cause.iter().take(CAUSES_KEPT - 1).cloned());
        }
        causes
    }

    /// Ends a container for good: the one door to the terminal phases.
    pub(crate) fn end(&mut self, id: ContainerId, phase: Phase, what: What) {
        let (index, at_ms) = (self.index, self.at_ms);
        let Some(container) = self.state.containers.get_mut(&id) else { return };
        container.phase = phase;
        container.stop = None;
        container.ended = Some(Ended { index, at_ms });
        self.state.ready.remove(&container.order);
        let last = container.latest().map(|attempt| attempt.session.node);
        let (run, remove_after_ms) = (container.run, container.spec.remove_after_ms);
        // Who started what could not be launched is told why, and looks for it.
        let launched = !matches!(
            container.latest().and_then(|last| last.end.as_ref()),
            Some(Outcome::LaunchFailed { .. })
        );
        self.state.disarm(id);
        self.state.ended.insert((index, id));
        if let Some(node) = last {
            self.state.ended_on.entry(node).or_default().insert((index, id));
        }
        if remove_after_ms == Some(0) && launched {
            self.over.push(id);
        } else if let Some(ms) = remove_after_ms {
            self.state.timers.insert(Timer::Remove { container: id, run }, ms);
        }
        self.say(Some(id), last, what);
        self.touched.push_back(id);
    }
}

/// What an edge needs to know of its other end.
struct Facts {
    name: String,
    by_kind: [EdgeState; 5],
}

impl Facts {
    fn of(container: &Container) -> Facts {
        const KINDS: [Kind; 5] = [Kind::Container, Kind::Exited, Kind::Failed, Kind::Started, Kind::Healthy];
        Facts { name: container.name.clone(), by_kind: KINDS.map(|kind| edge_state(kind, container)) }
    }

    fn edge(&self, kind: Kind) -> EdgeState {
        self.by_kind[kind as usize]
    }
}

/// A few words, for a chain of causes.
pub(crate) fn how_it_ended(container: &Container) -> String {
    match &container.phase {
        Phase::Failed(failure) => match (&failure.reason, failure.code) {
            (Some(reason), _) => format!("failed ({reason})"),
            (None, Some(code)) => format!("failed with code {code}"),
            (None, None) => "failed".to_owned(),
        },
        Phase::Cancelled { .. } => "cancelled".to_owned(),
        Phase::Skipped { .. } => "skipped".to_owned(),
        Phase::Succeeded => "succeeded".to_owned(),
        Phase::Blocked { .. }
        | Phase::Ready
        | Phase::Claimed(_)
        | Phase::Running(_)
        | Phase::Backoff
        | Phase::Unknown(_)
        | Phase::Created => container.phase.word().to_owned(),
    }
}

impl State {
    /// Enters a blocked container where news of others will find it.
    pub(crate) fn listen(&mut self, id: ContainerId) {
        let Some(container) = self.containers.get(&id) else { return };
        for dependency in &container.dependencies {
            for parent in dependency.edges.keys().filter(|id| self.containers.contains_key(id)) {
                self.dependents.entry(*parent).or_default().insert(id);
            }
            if dependency.waitfor.op != crate::dependency::Op::Is
                || dependency.scope != crate::dependency::Scope::Cluster
            {
                continue;
            }
            match dependency.waitfor.expr.only_name() {
                Some(name) => {
                    self.awaited_names.entry(name.to_owned()).or_default().insert(id);
                }
                None => {
                    self.awaited_patterns.insert(id);
                }
            }
        }
    }

    /// No later container joins its wait.
    pub(crate) fn stop_listening(&mut self, id: ContainerId) {
        let Some(container) = self.containers.get(&id) else { return };
        for name in container.dependencies.iter().filter_map(|d| d.waitfor.expr.only_name()) {
            if let Some(waiters) = self.awaited_names.get_mut(name) {
                waiters.remove(&id);
                if waiters.is_empty() {
                    self.awaited_names.remove(name);
                }
            }
        }
        self.awaited_patterns.remove(&id);
    }

    /// Nothing that happens to its matches concerns it any more.
    pub(crate) fn drop_edges_index(&mut self, id: ContainerId) {
        let Some(container) = self.containers.get(&id) else { return };
        for parent in container.dependencies.iter().flat_map(|d| d.edges.keys()) {
            if let Some(children) = self.dependents.get_mut(parent) {
                children.remove(&id);
                if children.is_empty() {
                    self.dependents.remove(parent);
                }
            }
        }
    }

    /// Stops all its timers.
    pub(crate) fn disarm(&mut self, container: ContainerId) {
        let Some(c) = self.containers.get(&container) else { return };
        let (run, attempt) = (c.run, c.attempt);
        self.timers.remove(&Timer::WaitTimeout { container, run });
        self.timers.remove(&Timer::Backoff { container, attempt });
        self.timers.remove(&Timer::RunTimeout { container, attempt });
        self.timers.remove(&Timer::Remove { container, run });
        for node in c.bars.keys() {
            self.timers.remove(&Timer::BarLifted { container, node: *node });
        }
    }
}
