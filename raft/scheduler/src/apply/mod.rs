//! `apply`: one entry in, one answer out. Total: there is no entry that it fails on, a refusal is a value and changes
//! nothing. This file only names which file acts.

mod amend;
mod away;
mod configure;
mod declined;
mod drain;
mod exited;
mod forget;
mod images;
mod label_node;
mod level;
mod power;
mod remove;
mod remove_node;
mod removed;
mod rename;
mod restart;
mod retry;
mod session;
mod start;
mod started;
mod stop;
mod submit;
mod suspicion;
mod timer_fired;

use std::collections::VecDeque;

use crate::command::{Command, Entry, Request};
use crate::container::{Claim, Container};
use crate::id::{ContainerId, NodeId, SessionId};
use crate::reply::{Applied, Change, Rejection, Reply, What};
use crate::state::{Remembered, State};

/// One entry on its way through the state.
pub(crate) struct Step<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) index: u64,
    pub(crate) at_ms: u64,
    pub(crate) changes: Vec<Change>,
    /// Containers whose facts changed in this entry and whose dependents have not heard of it yet.
    pub(crate) touched: VecDeque<ContainerId>,
    /// Containers that ended in this entry, and go with it.
    pub(crate) over: Vec<ContainerId>,
}

impl State {
    /// Applies one committed entry. The same entries in the same order give the same state on every node.
    pub fn apply(&mut self, index: u64, entry: &Entry) -> Applied {
        if let Some(reply) = entry.command.request().and_then(|request| self.answered(request)) {
            self.applied = index;
            return Applied { reply, changes: Vec::new() };
        }
        let mut step = Step {
            state: self,
            index,
            at_ms: entry.at_ms,
            changes: Vec::new(),
            touched: VecDeque::new(),
            over: Vec::new(),
        };
        step.watch_power(&entry.command);
        let mut reply = step.dispatch(&entry.command);
        step.settle_power();
        step.settle();
        step.forget_over();
        step.place_ready();
        step.retain();
        let changes = step.changes;
        self.applied = index;
        if let Reply::Submitted(accepted) = &mut reply {
            for submitted in accepted {
                let phase = self.containers.get(&submitted.id).map(|container| container.phase.word());
                submitted.state = phase.unwrap_or("removed").to_owned();
            }
        }
        self.remember(index, entry, &reply);
        Applied { reply, changes }
    }

    /// The answer that the same request was given before.
    pub fn answered(&self, request: &Request) -> Option<Reply> {
        let known = self.requests.get(&request.key)?;
        let same = known.body == request.body;
        Some(if same { known.reply.clone() } else { Rejection::KeyReused(request.key.0.clone()).into() })
    }

    fn remember(&mut self, index: u64, entry: &Entry, reply: &Reply) {
        let Some(request) = entry.command.request() else { return };
        if matches!(reply, Reply::Rejected(_)) {
            return;
        }
        let remembered = Remembered { body: request.body, index, at_ms: entry.at_ms, reply: reply.clone() };
        self.requests.insert(request.key.clone(), remembered);
        self.request_order.insert(index, request.key.clone());
    }
}

impl Command {
    /// The request that a person made, where the command is one.
    pub fn request(&self) -> Option<&Request> {
        match self {
            Command::Submit { request, .. }
            | Command::Stop { request, .. }
            | Command::Remove { request, .. }
            | Command::Retry { request, .. }
            | Command::Start { request, .. }
            | Command::Restart { request, .. }
            | Command::Rename { request, .. }
            | Command::Amend { request, .. }
            | Command::Drain { request, .. }
            | Command::Undrain { request, .. }
            | Command::RemoveNode { request, .. }
            | Command::LabelNode { request, .. }
            | Command::Configure { request, .. } => Some(request),
            Command::SessionOpened { .. }
            | Command::Started { .. }
            | Command::Healthy { .. }
            | Command::Exited { .. }
            | Command::Declined { .. }
            | Command::Removed { .. }
            | Command::NodeCondition { .. }
            | Command::Suspected { .. }
            | Command::Trusted { .. }
            | Command::NodeLost { .. }
            | Command::TimerFired { .. }
            | Command::ForgetRequests { .. }
            | Command::Preparing { .. }
            | Command::Images { .. }
            | Command::Away { .. }
            | Command::LevelRaised { .. }
            | Command::Paced { .. } => None,
        }
    }
}

impl Step<'_> {
    fn dispatch(&mut self, command: &Command) -> Reply {
        match command {
            Command::Submit { pipeline, containers, missing, .. } => {
                self.submit(pipeline.as_deref(), containers, *missing)
            }
            Command::Stop { container, kill, grace_s, .. } => self.stop(*container, *kill, *grace_s),
            Command::Remove { container, force, .. } => self.remove(*container, *force),
            Command::Retry { container, .. } => self.retry(*container),
            Command::SessionOpened { session, facts } => self.session_opened(*session, facts),
            Command::Started { container, attempt, session, started_at } => {
                self.started(*container, Claim { session: *session, attempt: *attempt }, started_at)
            }
            Command::Healthy { container, attempt, session } => {
                self.healthy(*container, Claim { session: *session, attempt: *attempt })
            }
            Command::Exited { container, attempt, session, outcome, started_at, finished_at, ran_ms } => {
                let claim = Claim { session: *session, attempt: *attempt };
                self.exited(*container, claim, outcome, [started_at, finished_at], *ran_ms)
            }
            Command::Declined { container, attempt, session, reason } => {
                self.declined(*container, Claim { session: *session, attempt: *attempt }, reason)
            }
            Command::Removed { node, attempts } => self.removed(*node, attempts),
            Command::NodeCondition { session, ailment, problem } => {
                self.node_condition(*session, *ailment, problem.as_deref())
            }
            Command::Suspected { session } => self.suspected(*session),
            Command::Trusted { session } => self.trusted(*session),
            Command::NodeLost { session } => self.node_lost(*session),
            Command::TimerFired { timer } => self.timer_fired(*timer),
            Command::ForgetRequests { up_to } => self.forget_requests(*up_to),
            Command::Start { container, attached, .. } => self.start(*container, *attached),
            Command::Restart { container, grace_s, .. } => self.restart(*container, *grace_s),
            Command::Rename { container, name, .. } => self.rename(*container, name),
            Command::Amend { container, create, needs, restart, .. } => {
                self.amend(*container, create, *needs, *restart)
            }
            Command::Preparing { container, attempt, session, what } => {
                self.preparing(*container, Claim { session: *session, attempt: *attempt }, what)
            }
            Command::Images { session, images } => self.images(*session, images),
            Command::Drain { node, deadline_ms, .. } => self.drain(*node, *deadline_ms),
            Command::Undrain { node, .. } => self.undrain(*node),
            Command::RemoveNode { node, force, .. } => self.remove_node(*node, *force),
            Command::LabelNode { node, labels, .. } => self.label_node(*node, labels),
            Command::Configure { voters, replace_voter_after_ms, .. } => {
                self.configure(*voters, *replace_voter_after_ms)
            }
            Command::Away { session, grace_ms } => self.away(*session, *grace_ms),
            Command::LevelRaised { level } => self.level_raised(*level),
            Command::Paced { pace } => self.paced(*pace),
        }
    }

    /// Tells who watches.
    pub(crate) fn say(&mut self, container: Option<ContainerId>, node: Option<NodeId>, what: What) {
        let named = |id| self.state.containers.get(&id).map(|c: &Container| (id, c.name.clone()));
        let node = node.and_then(|id| self.state.node_name(id)).map(str::to_owned);
        self.changes.push(Change { container: container.and_then(named), node, what });
    }

    /// The container, if `claim` is the one it has now, or the last one it had and nothing newer came.
    pub(crate) fn claimed(&mut self, id: ContainerId, claim: Claim) -> Option<&mut Container> {
        self.state.containers.get_mut(&id).filter(|container| container.phase.claim() == Some(claim))
    }

    /// Whether this very session lives.
    pub(crate) fn is_open(&self, session: SessionId) -> bool {
        let node = self.state.nodes.get(&session.node);
        node.is_some_and(|node| node.is_open() && node.session == session.number)
    }
}

impl From<Rejection> for Reply {
    fn from(rejection: Rejection) -> Reply {
        Reply::Rejected(rejection)
    }
}
