//! `Submit`: accept containers, all or none. Everything is planned first and checked; only then is the state touched.

use std::collections::{BTreeMap, BTreeSet};

use super::Step;
use crate::command::{Missing, NewContainer};
use crate::container::{Container, Order, Phase, Tally};
use crate::cycle::{Graph, NewEdges, open_edges};
use crate::dependency::{Dependency, EdgeState, Kind, Op, Scope, Waitfor};
use crate::id::ContainerId;
use crate::mutant::{self, Mutant};
use crate::obstacle::{cpus, mib};
use crate::reply::{Rejection, Reply, Resource, Submitted, What};
use crate::state::State;
use crate::timer::Timer;
use crate::unblock::edge_state;

/// What a submit would do.
struct Plan {
    containers: Vec<Container>,
    warnings: Vec<Vec<String>>,
    /// Blocked containers of before that would wait for a new one: who, which of its terms, whom.
    joins: Vec<(ContainerId, usize, ContainerId)>,
}

impl Step<'_> {
    pub(super) fn submit(&mut self, pipeline: Option<&str>, new: &[NewContainer], missing: Missing) -> Reply {
        match self.plan(pipeline, new, missing) {
            Ok(plan) => Reply::Submitted(self.accept(plan)),
            Err(rejection) => rejection.into(),
        }
    }

    fn plan(
        &self,
        pipeline: Option<&str>,
        new: &[NewContainer],
        missing: Missing,
    ) -> Result<Plan, Rejection> {
        let batch = self.batch(pipeline, new);
        self.check_names(pipeline, &batch)?;
        batch.iter().try_for_each(|container| self.check_size(container))?;
        let mut plan = Plan { containers: Vec::new(), warnings: Vec::new(), joins: Vec::new() };
        for container in &batch {
            let (dependencies, warnings) = self.dependencies(container, &batch, missing)?;
            plan.containers.push(Container { dependencies, ..container.clone() });
            plan.warnings.push(warnings);
        }
        plan.joins = self.joins(&plan.containers);
        self.check_cycles(&plan)?;
        Ok(plan)
    }

    fn batch(&self, pipeline: Option<&str>, new: &[NewContainer]) -> Vec<Container> {
        let numbered = (0..).zip(new);
        let container = |(position, new): (u32, &NewContainer)| Container {
            id: new.id,
            name: pipeline.map_or_else(|| new.spec.name.clone(), |p| format!("{p}.{}", new.spec.name)),
            pipeline: pipeline.map(str::to_owned),
            spec: new.spec.clone(),
            order: Order { index: self.index, position },
            created_ms: self.at_ms,
            ended: None,
            phase: if new.held { Phase::Created } else { Phase::Blocked { unmet: 0 } },
            dependencies: Vec::new(),
            attempt: 0,
            attempts: Vec::new(),
            run: 1,
            tally: Tally::default(),
            bars: BTreeMap::new(),
            stop: None,
            discarded: false,
            attached: false,
        };
        numbered.map(container).collect()
    }

    fn check_names(&self, pipeline: Option<&str>, batch: &[Container]) -> Result<(), Rejection> {
        if let Some(taken) = pipeline.filter(|name| self.state.pipelines.contains_key(*name)) {
            return Err(Rejection::PipelineTaken(taken.to_owned()));
        }
        let mut seen = BTreeSet::new();
        for container in batch {
            if !seen.insert(&container.name) {
                return Err(Rejection::NamedTwice(container.spec.name.clone()));
            }
            let id_taken = self.state.containers.contains_key(&container.id);
            if id_taken || self.state.names.contains_key(&container.name) {
                return Err(Rejection::NameTaken(container.name.clone()));
            }
        }
        Ok(())
    }

    /// Refuses what fits no node even when it is empty.
    fn check_size(&self, container: &Container) -> Result<(), Rejection> {
        let needs = container.spec.needs;
        let all = || self.state.nodes.values().map(|node| node.facts.capacity);
        let fits = all().any(|has| needs.cpu_milli <= has.cpu_milli && needs.memory <= has.memory);
        if fits || self.state.nodes.is_empty() {
            return Ok(());
        }
        let most_cpus = all().map(|has| has.cpu_milli).max().unwrap_or(0);
        let most_memory = all().map(|has| has.memory).max().unwrap_or(0);
        let (resource, asked, most) = if needs.cpu_milli > most_cpus {
            let asked = format!("{} CPUs", cpus(needs.cpu_milli));
            (Resource::Cpus, asked, format!("the largest node has {}", cpus(most_cpus)))
        } else {
            let asked = format!("{} of memory", mib(needs.memory));
            let most = if needs.memory > most_memory {
                format!("the largest node has {}", mib(most_memory))
            } else {
                format!("no node with {} CPUs has that", cpus(needs.cpu_milli))
            };
            (Resource::Memory, asked, most)
        };
        Err(Rejection::NeverFits { container: container.name.clone(), resource, asked, most })
    }

    fn dependencies(
        &self,
        container: &Container,
        batch: &[Container],
        missing: Missing,
    ) -> Result<(Vec<Dependency>, Vec<String>), Rejection> {
        let mut warnings = Vec::new();
        let mut dependencies = Vec::new();
        for waitfor in &container.spec.waitfor {
            let found = Matches::find(self.state, container, batch, waitfor)?;
            found.check(container, waitfor)?;
            if found.matched.is_empty() && waitfor.op == Op::Is && missing == Missing::Reject {
                return Err(Rejection::MissingDependency(container.name.clone(), waitfor.to_string()));
            }
            warnings.extend(found.warnings(container, waitfor, self.at_ms));
            let mut dependency = Dependency::new(waitfor.clone(), found.scope);
            for parent in &found.matched {
                dependency.set(parent.id, &parent.name, edge_state(waitfor.kind, parent));
            }
            dependencies.push(dependency);
        }
        Ok((dependencies, warnings))
    }

    /// Which blocked containers of before have a live term that means a new one.
    pub(super) fn joins(&self, new: &[Container]) -> Vec<(ContainerId, usize, ContainerId)> {
        let mut joins = Vec::new();
        let mut room: BTreeMap<(ContainerId, usize), usize> = BTreeMap::new();
        for container in new {
            let by_name = self.state.awaited_names.get(&container.name).into_iter().flatten();
            for waiter in by_name.chain(&self.state.awaited_patterns) {
                let Some(waiter) = self.state.containers.get(waiter) else { continue };
                for (term, dependency) in waiter.dependencies.iter().enumerate() {
                    if !dependency.is_live() || !dependency.means(&container.name) {
                        continue;
                    }
                    let count = dependency.waitfor.count.map_or(usize::MAX, |count| count as usize);
                    let left =
                        room.entry((waiter.id, term)).or_insert(count.saturating_sub(dependency.edges.len()));
                    if *left > 0 {
                        *left -= 1;
                        joins.push((waiter.id, term, container.id));
                    }
                }
            }
        }
        joins.sort_unstable();
        joins.dedup();
        joins
    }

    fn check_cycles(&self, plan: &Plan) -> Result<(), Rejection> {
        let mut added = NewEdges::new();
        for container in &plan.containers {
            added.entry(container.id).or_default().extend(open_edges(container));
        }
        for (waiter, _, new) in &plan.joins {
            added.entry(*waiter).or_default().insert(*new);
        }
        let awaited: BTreeSet<ContainerId> = added.values().flatten().copied().collect();
        let starts = plan.containers.iter().map(|c| c.id).filter(|id| awaited.contains(id));
        let Some(path) = Graph::new(self.state, &added).find_cycle(starts)? else { return Ok(()) };
        let new_name = |id| plan.containers.iter().find(|c| c.id == id).map(|c| c.name.clone());
        let old_name = |id| self.state.containers.get(&id).map(|c| c.name.clone());
        let name = |id| new_name(id).or_else(|| old_name(id)).unwrap_or_default();
        Err(Rejection::Cycle { path: path.into_iter().map(name).collect() })
    }

    fn accept(&mut self, plan: Plan) -> Vec<Submitted> {
        let ids: Vec<ContainerId> = plan.containers.iter().map(|container| container.id).collect();
        let mut accepted = Vec::new();
        for (container, warnings) in plan.containers.into_iter().zip(plan.warnings) {
            accepted.push(Submitted {
                id: container.id,
                name: container.name.clone(),
                state: String::new(),
                warnings,
            });
            self.insert(container);
        }
        // Only when all are there: a member may wait for one that comes after it.
        ids.iter().for_each(|id| self.state.listen(*id));
        for (waiter, term, new) in plan.joins {
            self.join(waiter, term, new);
        }
        for id in ids {
            self.say(Some(id), None, What::Created);
            self.say_blocked(id);
            self.reconsider(id);
        }
        accepted
    }

    fn insert(&mut self, container: Container) {
        let id = container.id;
        self.state.names.insert(container.name.clone(), id);
        if let Some(pipeline) = &container.pipeline {
            self.state.pipelines.entry(pipeline.clone()).or_default().insert(id);
        }
        let waits = container.phase != Phase::Created;
        self.state.containers.insert(id, container);
        if waits {
            self.arm_wait_timeout(id);
        }
    }

    pub(super) fn arm_wait_timeout(&mut self, id: ContainerId) {
        let Some(container) = self.state.containers.get(&id) else { return };
        if let Some(ms) = container.spec.wait_timeout_ms {
            self.state.timers.insert(Timer::WaitTimeout { container: id, run: container.run }, ms);
        }
    }

    pub(super) fn join(&mut self, waiter: ContainerId, term: usize, new: ContainerId) {
        if mutant::is(Mutant::ClosesPatternsEarly) {
            return;
        }
        let Some((name, state)) = self.state.containers.get(&new).map(|new| {
            let kind = self
                .state
                .containers
                .get(&waiter)
                .and_then(|w| w.dependencies.get(term))
                .map(|d| d.waitfor.kind);
            (new.name.clone(), kind.map_or(EdgeState::Open, |kind| edge_state(kind, new)))
        }) else {
            return;
        };
        let waiting = self.state.containers.get_mut(&waiter);
        if let Some(dependency) = waiting.and_then(|waiting| waiting.dependencies.get_mut(term)) {
            dependency.set(new, &name, state);
        }
        self.state.dependents.entry(new).or_default().insert(waiter);
        self.reconsider(waiter);
    }

    pub(crate) fn say_blocked(&mut self, id: ContainerId) {
        let container = self.state.containers.get(&id).filter(|container| container.phase != Phase::Created);
        let waits = container.map(Container::waits_for).unwrap_or_default();
        if !waits.is_empty() {
            self.say(Some(id), None, What::Blocked(waits));
        }
    }
}

/// What one term of one new container matches.
pub(super) struct Matches<'a> {
    pub(super) scope: Scope,
    pub(super) matched: Vec<&'a Container>,
}

impl<'a> Matches<'a> {
    fn find(
        state: &'a State,
        own: &Container,
        batch: &'a [Container],
        waitfor: &Waitfor,
    ) -> Result<Self, Rejection> {
        let means = |name: &str| waitfor.expr.matches(name) != (waitfor.op == Op::IsNot);
        let members: Vec<_> =
            batch.iter().filter(|_| own.pipeline.is_some()).filter(|c| means(&c.spec.name)).collect();
        let (scope, matched) = if !members.is_empty() || (own.pipeline.is_some() && waitfor.op == Op::IsNot) {
            (Scope::Pipeline, members)
        } else {
            (
                Scope::Cluster,
                Self::in_cluster(state, waitfor).chain(batch).filter(|c| means(&c.name)).collect(),
            )
        };
        let itself = matched.iter().any(|c| c.id == own.id);
        if itself && waitfor.op == Op::Is {
            return Err(Rejection::SelfDependency(own.name.clone(), waitfor.to_string()));
        }
        let others = matched.into_iter().filter(|c| c.id != own.id).collect();
        Ok(Matches { scope, matched: others })
    }

    /// Candidates among what exists: one look-up for a name, a walk over the names for a pattern.
    pub(super) fn in_cluster<'s>(
        state: &'s State,
        waitfor: &Waitfor,
    ) -> Box<dyn Iterator<Item = &'s Container> + 's> {
        match waitfor.expr.only_name() {
            Some(name) if waitfor.op != Op::IsNot => Box::new(state.find_named(name).into_iter()),
            Some(_) | None => Box::new(state.names.values().filter_map(|id| state.containers.get(id))),
        }
    }

    fn check(&self, own: &Container, waitfor: &Waitfor) -> Result<(), Rejection> {
        let names = || self.matched.iter().map(|c| c.name.clone()).collect::<Vec<_>>().join(", ");
        if let Some(count) = waitfor.count
            && self.matched.len() > count as usize
        {
            let (own, term) = (own.name.clone(), waitfor.to_string());
            return Err(Rejection::TooManyMatches(own, term, count, self.matched.len(), names()));
        }
        let unhealthy = self.matched.iter().find(|c| waitfor.kind == Kind::Healthy && !c.spec.has_health);
        match unhealthy {
            Some(parent) => Err(Rejection::NoHealthCheck(own.name.clone(), parent.name.clone())),
            None => Ok(()),
        }
    }

    fn warnings(&self, own: &Container, waitfor: &Waitfor, at_ms: u64) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.matched.is_empty() && waitfor.op == Op::Is {
            warnings.push(format!("waits for `{}`, which matches nothing yet", waitfor.expr));
        }
        let open = waitfor.expr.only_name().is_none() && waitfor.count.is_none() && waitfor.min.is_none();
        if open && waitfor.op == Op::Is && own.pipeline.is_none() {
            let expr = &waitfor.expr;
            warnings.push(format!(
                "`{expr}` is open: matches that exist when the last of them ends release it; \
                                   `{expr},count=N` waits for N"
            ));
        }
        if self.scope == Scope::Cluster {
            let ended = self.matched.iter().filter_map(|c| c.ended.map(|ended| (c, ended)));
            warnings.extend(ended.take(8).map(|(c, ended)| {
                let age = age(at_ms.saturating_sub(ended.at_ms));
                format!("`{}` matches {}, which ended {age} ago", waitfor.expr, c.name)
            }));
        }
        warnings
    }
}

fn age(ms: u64) -> String {
    match ms / 1000 {
        s @ 0..=119 => format!("{s} s"),
        s @ 120..=7199 => format!("{} min", s / 60),
        s @ 7200..=172_799 => format!("{} h", s / 3600),
        s => format!("{} days", s / 86_400),
    }
}
