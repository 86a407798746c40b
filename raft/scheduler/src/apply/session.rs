//! `SessionOpened` and `NodeCondition`: a node may act, and what ails it.

use super::Step;
use crate::id::{NodeId, SessionId};
use crate::node::{Ailment, Drain, Node, NodeFacts, SessionState};
use crate::reply::{Rejection, Reply, What};
use crate::spec::Needs;

impl Step<'_> {
    pub(super) fn session_opened(&mut self, session: SessionId, facts: &NodeFacts) -> Reply {
        if self.state.is_removed(session.node) {
            return Rejection::NodeRemoved.into();
        }
        let namesake = self.state.nodes.values().find(|n| n.facts.name == facts.name && n.id != session.node);
        let replaced = match namesake {
            Some(holder) if holder.is_open() => return Rejection::NodeNameTaken(facts.name.clone()).into(),
            Some(gone) => Some(gone.id),
            None => None,
        };
        let level = self.state.level();
        if facts.feature < level {
            return Rejection::TooOld { speaks: facts.feature, level }.into();
        }
        match self.state.nodes.get_mut(&session.node) {
            None => {
                self.state.nodes.insert(session.node, newcomer(session, facts));
            }
            Some(node)
                if facts.start.is_of_an_older_copy_than(node.facts.start)
                    || session.number < node.session =>
            {
                return Rejection::StaleSession(session).into();
            }
            Some(node) if session.number == node.session => {
                if !node.is_open() || node.facts.boot_id != facts.boot_id {
                    return Rejection::NoSuchSession(session).into();
                }
                node.facts = facts.clone();
                // Who opens a session has just seen its engine answer; whatever still ails the node is said anew.
                node.ailments.clear();
                self.is_away_no_more(session.node);
                return Reply::Done;
            }
            Some(node) => reopen(node, session, facts),
        }
        self.is_away_no_more(session.node);
        if let Some(gone) = replaced {
            self.replace_node(gone, session.node);
        }
        self.say(None, Some(session.node), What::SessionOpened(session.number));
        Reply::Done
    }

    /// A new disk took an old name: what the old one held is gone with it, local volumes are looked for on the new. What
    /// an operator said of the name stays said.
    fn replace_node(&mut self, gone: NodeId, by: NodeId) {
        self.give_up_claims(gone, "its node was replaced by one with an empty disk");
        if let Some(old) = self.state.nodes.get(&gone) {
            let (given, drain) = (old.given.clone(), old.drain);
            let drain = drain.map(|drain| Drain { stopping: false, ..drain });
            if let Some(node) = self.state.nodes.get_mut(&by) {
                (node.given, node.drain) = (given, drain);
            }
        }
        self.take_out(gone);
        for home in self.state.volumes.values_mut().filter(|home| **home == gone) {
            *home = by;
        }
    }

    pub(super) fn node_condition(
        &mut self,
        session: SessionId,
        ailment: Ailment,
        problem: Option<&str>,
    ) -> Reply {
        if !self.is_open(session) {
            return Reply::Stale;
        }
        let Some(node) = self.state.nodes.get_mut(&session.node) else { return Reply::Stale };
        match problem {
            Some(problem) => node.ailments.insert(ailment, problem.to_owned()),
            None => node.ailments.remove(&ailment),
        };
        self.say(None, Some(session.node), What::Ailing(format!("{ailment:?}"), problem.map(str::to_owned)));
        Reply::Done
    }
}

fn newcomer(session: SessionId, facts: &NodeFacts) -> Node {
    Node {
        id: session.node,
        facts: facts.clone(),
        session: session.number,
        state: SessionState::Open { suspected: false },
        ailments: Default::default(),
        holds: Default::default(),
        reserved: Needs::default(),
        ports: Default::default(),
        images: Default::default(),
        kept: Default::default(),
        last_claim: 0,
        drain: None,
        given: Default::default(),
    }
}

/// A new number ends the old session. The node opened it after the old one's containers were dead, so whatever lost
/// attempts still held is free; claims of the old session stay until the node says how they ended.
fn reopen(node: &mut Node, session: SessionId, facts: &NodeFacts) {
    node.session = session.number;
    node.state = SessionState::Open { suspected: false };
    node.facts = facts.clone();
    node.ailments.clear();
    node.holds.clear();
    node.reserved = Needs::default();
    node.ports.clear();
}
