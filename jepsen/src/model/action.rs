//! One step, and the sentence that tells it.

use std::fmt;

use super::attempt::Place;
use super::lease::Clock;

/// A step. Numbers are of nodes, containers and attempts, each from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Time passes.
    Tick(Clock),
    /// A ready container is claimed.
    Claim(usize, usize),
    /// What is committed reaches a node's workers.
    HearDuties(usize),
    /// A renewal is sent.
    SendRenewal(usize),
    /// The leader decides on it.
    Grant(usize),
    /// A deposed leader decides on it and asks nobody.
    GrantUnasked(usize),
    /// The answer arrives.
    Hear(usize),
    /// The leader condemns a session.
    Condemn(usize),
    /// The loss of a condemned session is committed.
    Lose(usize),
    /// The loss that was decided under an earlier reign is committed.
    LoseLate,
    /// A node is suspected.
    Suspect(usize),
    /// A node is trusted again.
    Trust(usize),
    /// Another leader.
    Elect,
    /// A node is cut off.
    Cut(usize),
    /// It is in touch again.
    Heal(usize),
    /// kill -9.
    Crash(usize),
    /// SIGTERM.
    Leave(usize),
    /// The power goes and comes back.
    Reboot(usize),
    /// A process begins.
    Begin(usize),
    /// It looks which session is next.
    Look(usize),
    /// It makes its engine silent.
    Silence(usize),
    /// It opens the session.
    Open(usize),
    /// A process without a session, or a guard, fences.
    Fence(usize),
    /// A worker creates and starts.
    Start(Place),
    /// The engine starts.
    EngineStarts(Place),
    /// The engine never does.
    EngineLoses(Place),
    /// A program ends.
    ProgramEnds(Place),
    /// A worker doubts.
    Doubt(Place),
    /// A worker declines.
    Decline(Place),
    /// A worker tells how it ended.
    Conclude(Place),
    /// A worker ends it.
    Resolve(Place),
    /// A worker removes it.
    Remove(Place),
    /// A report is committed.
    Told(Place),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = |node: &usize| format!("n{}", node + 1);
        let p = |(node, container, attempt): &Place| {
            format!("n{}: {}#{}", node + 1, name(*container), attempt + 1)
        };
        match self {
            Action::Tick(Clock::Right) => write!(f, "a tick passes"),
            Action::Tick(Clock::Slow(node)) => write!(f, "a tick passes, but not on {}'s clock", n(node)),
            Action::Tick(Clock::LeaderFast) => write!(f, "a tick passes, two on the leader's clock"),
            Action::Claim(node, container) => write!(f, "the log gives {} to {}", name(*container), n(node)),
            Action::HearDuties(node) => write!(f, "{} hears what it owes", n(node)),
            Action::SendRenewal(node) => {
                write!(f, "{} asks for its lease, and a quorum confirms who leads", n(node))
            }
            Action::Grant(node) => write!(f, "the leader answers {}", n(node)),
            Action::GrantUnasked(node) => write!(f, "a deposed leader answers {}", n(node)),
            Action::Hear(node) => write!(f, "{} hears the answer", n(node)),
            Action::Condemn(node) => write!(f, "the leader condemns {}'s session", n(node)),
            Action::Lose(node) => write!(f, "{}'s session is lost, says the log", n(node)),
            Action::LoseLate => write!(f, "a leader proposes a loss it had decided on in an earlier reign"),
            Action::Suspect(node) => write!(f, "{} is suspected", n(node)),
            Action::Trust(node) => write!(f, "{} is trusted again", n(node)),
            Action::Elect => write!(f, "another leader is elected"),
            Action::Cut(node) => write!(f, "{} is cut off", n(node)),
            Action::Heal(node) => write!(f, "{} is in touch again", n(node)),
            Action::Crash(node) => write!(f, "{}'s pinode crashes", n(node)),
            Action::Leave(node) => write!(f, "{}'s pinode leaves politely", n(node)),
            Action::Reboot(node) => write!(f, "{} reboots", n(node)),
            Action::Begin(node) => write!(f, "{}'s pinode begins", n(node)),
            Action::Look(node) => write!(f, "{} looks which session is next", n(node)),
            Action::Silence(node) => write!(f, "{} makes its engine silent", n(node)),
            Action::Open(node) => write!(f, "{} opens its session", n(node)),
            Action::Fence(node) => write!(f, "{} fences what an earlier process left", n(node)),
            Action::Start(place) => write!(f, "{} is created, and its start sent", p(place)),
            Action::EngineStarts(place) => write!(f, "{}: the engine carries a start out", p(place)),
            Action::EngineLoses(place) => write!(f, "{}: a start is never carried out", p(place)),
            Action::ProgramEnds(place) => write!(f, "{} ends by itself", p(place)),
            Action::Doubt(place) => write!(f, "{} is doubted, and removed", p(place)),
            Action::Decline(place) => write!(f, "{} is declined", p(place)),
            Action::Conclude(place) => write!(f, "{}: its worker tells the end", p(place)),
            Action::Resolve(place) => write!(f, "{}: its worker ends it", p(place)),
            Action::Remove(place) => write!(f, "{}: its worker removes it", p(place)),
            Action::Told(place) => write!(f, "{}: the report is committed", p(place)),
        }
    }
}

/// A container's name.
pub fn name(container: usize) -> &'static str {
    if container == 0 { "first" } else { "second" }
}
