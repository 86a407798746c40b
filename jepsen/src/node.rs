//! One node, looked at from outside: its engine, its containers, its digest.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;

use crate::history::{Digest, Operation, Outcome, Seen, Try, Verb, View};
use crate::testbed::{Testbed, name};
use crate::{Client, interrupt, moment};

/// Longest wait for one answer: longer than a node itself waits for a majority, so that it can say so.
const ANSWER: Duration = Duration::from_secs(15);
/// Longest wait for a view: a node whose leader has just died asks the next one.
const PATIENCE: Duration = Duration::from_secs(45);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its number.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// Where its engine listens.
    pub socket: PathBuf,
    /// Asks it alone.
    pub client: Client,
}

impl Node {
    /// All of a testbed.
    pub fn all(bed: &Testbed) -> Vec<Node> {
        let node = |number| Node {
            number,
            name: name(number),
            socket: bed.engine_socket(number),
            client: bed.client(number).within(ANSWER),
        };
        bed.all().map(node).collect()
    }

    /// All containers, never older than the question.
    pub fn containers(&self) -> anyhow::Result<Vec<Seen>> {
        let shown = self.client.containers()?;
        serde_json::from_value(shown).with_context(|| format!("read the containers that {} shows", self.name))
    }

    /// The same for the history, asked again while there is no leader. A node that never answers has left a request
    /// unanswered.
    pub fn view(&self, moment: &str) -> anyhow::Result<Result<View, Operation>> {
        let began = Instant::now();
        let mut tries = Vec::new();
        loop {
            interrupt::check()?;
            let asked_ns = moment::now();
            let why = match self.containers() {
                Ok(containers) => {
                    let (node, moment) = (self.name.clone(), moment.to_owned());
                    return Ok(Ok(View { node, moment, asked_ns, containers }));
                }
                Err(error) => format!("{error:#}"),
            };
            let outcome = Outcome::Unknown { why };
            let (node, answered_ns) = (self.name.clone(), moment::now());
            tries.push(Try { node, sent_ns: asked_ns, answered_ns, outcome: outcome.clone() });
            if began.elapsed() > PATIENCE {
                let what = format!("the list of all containers on {} {moment}", self.name);
                return Ok(Err(Operation { what, verb: Verb::Look, key: String::new(), tries, outcome }));
            }
            sleep(PAUSE);
        }
    }

    /// The digest of its state, and up to which entry.
    pub fn digest(&self, moment: &str) -> anyhow::Result<Digest> {
        let status = self.client.status()?;
        let lacks = |what: &str| format!("{what} in the status of {}", self.name);
        Ok(Digest {
            node: self.name.clone(),
            moment: moment.to_owned(),
            applied_index: status["applied_index"].as_u64().with_context(|| lacks("applied_index"))?,
            state_hash: status["state_hash"].as_str().with_context(|| lacks("state_hash"))?.to_owned(),
        })
    }

    /// What it thinks of another node: `up`, `suspected`, `lost`.
    pub fn thinks_of(&self, other: &str) -> anyhow::Result<Option<String>> {
        self.says_of(other, "state")
    }

    /// Whether another node votes, in its eyes.
    pub fn counts_on(&self, other: &str) -> anyhow::Result<bool> {
        Ok(self.says_of(other, "role")?.is_some_and(|role| role == "leader" || role == "voter"))
    }

    fn says_of(&self, other: &str, field: &str) -> anyhow::Result<Option<String>> {
        let nodes: Value = self.client.get("/api/v1/nodes")?.ok()?;
        let known = nodes.as_array().into_iter().flatten().find(|node| node["name"] == *other);
        Ok(known.and_then(|node| node[field].as_str()).map(str::to_owned))
    }
}
