//! Which calls go wrong, and how; and what was called.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::super::runtime::RuntimeError;

/// What an engine can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// `info`
    Info,
    /// `list`
    List,
    /// `create`
    Create,
    /// `start`
    Start,
    /// `inspect`
    Inspect,
    /// `stop`
    Stop,
    /// `kill`
    Kill,
    /// `remove`
    Remove,
    /// `history`
    History,
    /// `hints`
    Hints,
    /// `has_image`
    HasImage,
    /// `images`
    Images,
}

/// One call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// What was asked.
    pub call: Call,
    /// Of which container, by id or name as the caller wrote it; empty where there is none.
    pub target: String,
}

/// How one call goes wrong.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    ReplyLost,
    RequestLost,
    DoneLater(Duration),
    AnsweredLate(Duration),
    Refused(RuntimeError),
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    planned: BTreeMap<Call, VecDeque<Fault>>,
    pub(super) slow: BTreeMap<Call, Duration>,
    pub(super) log: Vec<Called>,
    launches: usize,
    pub(super) most_launches: usize,
}

impl Faults {
    pub(super) fn plan(&mut self, call: Call, fault: Fault) {
        self.planned.entry(call).or_default().push_back(fault);
    }

    /// A call begins: it is on record, and gets the fault that waits for its kind.
    pub(super) fn begin(&mut self, call: Call, target: &str) -> Option<Fault> {
        self.log.push(Called { call, target: target.to_owned() });
        if matches!(call, Call::Create | Call::Start) {
            self.launches += 1;
            self.most_launches = self.most_launches.max(self.launches);
        }
        self.planned.get_mut(&call)?.pop_front()
    }

    /// It has been answered, or nobody waits for the answer any more.
    pub(super) fn end(&mut self, call: Call) {
        if matches!(call, Call::Create | Call::Start) {
            self.launches -= 1;
        }
    }
}
