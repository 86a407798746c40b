//! What clients asked for, and what they may believe of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Something that a client asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// What, for people.
    pub what: String,
    /// What is asked of whom.
    #[serde(default)]
    pub verb: Verb,
    /// Its idempotency key, the same in all tries.
    pub key: String,
    /// Each time it was sent.
    pub tries: Vec<Try>,
    /// What the client may believe after all tries.
    pub outcome: Outcome,
}

impl Operation {
    /// When it was first sent.
    pub fn sent_ns(&self) -> Option<u64> {
        self.tries.iter().map(|tried| tried.sent_ns).min()
    }

    /// When the client first knew that it was done.
    pub fn accepted_ns(&self) -> Option<u64> {
        let accepted = self.tries.iter().filter(|tried| matches!(tried.outcome, Outcome::Accepted { .. }));
        accepted.map(|tried| tried.answered_ns).min()
    }
}

/// What is asked of whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "do", content = "name")]
pub enum Verb {
    /// Take containers in.
    #[default]
    Submit,
    /// End this container, by its full name.
    Stop(String),
    /// End it, and forget it.
    Remove(String),
    /// Show all containers.
    Look,
    /// Show this one, by its full name, as it is and not as it was.
    Read(String),
}

/// One sending of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Try {
    /// To which node.
    pub node: String,
    /// When it was sent.
    pub sent_ns: u64,
    /// When the answer, or its loss, was known.
    pub answered_ns: u64,
    /// What came back.
    pub outcome: Outcome,
}

/// What a client knows of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "is")]
pub enum Outcome {
    /// It was answered as done.
    Accepted {
        /// Ids of the containers, by full name.
        ids: BTreeMap<String, String>,
    },
    /// It was answered as not done.
    Refused {
        /// The answer.
        why: String,
    },
    /// No answer, or one that promises nothing: it may be done, now or later.
    Unknown {
        /// What was seen instead.
        why: String,
    },
}

/// A container as it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Index of its operation.
    pub operation: usize,
    /// What must have happened before it may start.
    pub waits: Vec<Wait>,
    /// The code that its program ends with when nobody disturbs it.
    pub code: i64,
    /// Whether its program writes records.
    pub recorded: bool,
    /// So many first attempts end with another code than `code`.
    #[serde(default)]
    pub fails: u32,
    /// What becomes of it when its node is out of reach, or its program ends.
    #[serde(default)]
    pub life: Life,
}

/// How often a container may run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Life {
    /// Until it has ended by itself; again elsewhere when its node is lost.
    #[default]
    Fenced,
    /// Once, whatever happens.
    Never,
    /// Again and again, until it is stopped.
    Service,
}

/// One dependency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Full name of the other container.
    pub on: String,
    /// What must have happened to it.
    pub kind: Kind,
}

/// What a dependency asks of the other container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It succeeded.
    Container,
    /// It ended for good, whatever the code.
    Exited,
    /// It ended for good, and did not succeed.
    Failed,
    /// It has started.
    Started,
}
