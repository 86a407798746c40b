//! What a container waits for and where it may run, in all forms that it may be written in, and what is left of
//! environment and labels. A create of Docker's API has no other place for any of it.

use std::collections::BTreeMap;

use pinode_scheduler::dependency::{self, Waitfor};
use pinode_scheduler::filter::{Affinity, Constraint};
use pinode_scheduler::spec::Rerun;

use super::spec::Invalid;
use super::{filter, pattern, value};

/// The label that carries waits for clients that cannot send the environment entries.
const WAITFOR_LABEL: &str = "pinode.waitfor";
/// Classic Swarm's labels for what its environment entries say.
const CONSTRAINTS_LABEL: &str = "com.docker.swarm.constraints";
const AFFINITIES_LABEL: &str = "com.docker.swarm.affinities";
const RESCHEDULE_LABEL: &str = "com.docker.swarm.reschedule-policies";
/// By labels that begin so, each node knows its own containers on its engine.
const OWN_LABELS: &str = "pinode.";

/// The expressions of one container, and the rest of its environment and labels.
#[derive(Debug, Default)]
pub(crate) struct Expressions {
    /// What must have happened to others first.
    pub(crate) waitfor: Vec<Waitfor>,
    /// The shortest `wait_timeout=` of them, in milliseconds.
    pub(crate) wait_timeout_ms: Option<u64>,
    /// On which nodes it may run.
    pub(crate) constraints: Vec<Constraint>,
    /// What its node must have.
    pub(crate) affinities: Vec<Affinity>,
    /// What `reschedule` says.
    pub(crate) reschedule: Option<Reschedule>,
    /// The entries that are none of these: they reach the container.
    pub(crate) env: Vec<String>,
    /// The labels that are none of these: they reach the container.
    pub(crate) labels: BTreeMap<String, String>,
}

/// Classic Swarm's word for what happens when a node is unreachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reschedule {
    /// `on-node-failure`: again elsewhere.
    OnNodeFailure,
    /// `off`: never again.
    Off,
}

impl Expressions {
    /// Sorts environment entries and labels into expressions and the rest. `waitfor` are texts as after `waitfor:`,
    /// where there is a field for them.
    pub(crate) fn collect(
        env: &[String],
        waitfor: &[String],
        labels: BTreeMap<String, String>,
    ) -> Result<Expressions, Invalid> {
        let mut all = Expressions { labels, ..Expressions::default() };
        env.iter().try_for_each(|entry| all.entry(entry))?;
        waitfor.iter().try_for_each(|text| all.wait("waitfor", text))?;
        for text in all.take_list(WAITFOR_LABEL, "container==split")? {
            all.wait("labels", &text)?;
        }
        let constraints = all.take_list(CONSTRAINTS_LABEL, "arch==aarch64")?;
        all.constrain("labels", &constraints)?;
        let affinities = all.take_list(AFFINITIES_LABEL, "container==db")?;
        all.attract("labels", &affinities)?;
        for policy in all.take_list(RESCHEDULE_LABEL, "on-node-failure")? {
            all.reschedule("labels", &policy)?;
        }
        match all.labels.keys().find(|key| key.starts_with(OWN_LABELS)) {
            Some(key) => Err(Invalid::bad(
                "labels",
                format!("labels that begin with {OWN_LABELS} are pinode's own; rename `{key}`"),
            )),
            None => Ok(all),
        }
    }

    /// Adds constraints that came in `field`. All of them together must leave a node to be thought of.
    pub(crate) fn constrain(&mut self, field: &'static str, texts: &[String]) -> Result<(), Invalid> {
        for text in texts {
            self.constraints.push(filter::constraint(field, text)?);
        }
        filter::check_count(field, "constraints", self.constraints.len())?;
        filter::check_nodes(&self.constraints)
    }

    /// Adds affinities that came in `field`.
    pub(crate) fn attract(&mut self, field: &'static str, texts: &[String]) -> Result<(), Invalid> {
        for text in texts {
            self.affinities.push(filter::affinity(field, text)?);
        }
        filter::check_count(field, "affinities", self.affinities.len())
    }

    /// What happens when its node is unreachable, by `reschedule` and by the field `rerun`, which must not contradict.
    pub(crate) fn rerun(&self, given: Option<Rerun>) -> Result<Rerun, Invalid> {
        let contradict = |policy: &str, rerun: &str| {
            let why = format!("rerun {rerun} contradicts reschedule:{policy}; take one of them out");
            Err(Invalid::bad("rerun", why))
        };
        match (self.reschedule, given) {
            (None, given) => Ok(given.unwrap_or_default()),
            (Some(Reschedule::OnNodeFailure), Some(Rerun::Never)) => contradict("on-node-failure", "never"),
            (Some(Reschedule::OnNodeFailure), given) => Ok(given.unwrap_or(Rerun::Fenced)),
            (Some(Reschedule::Off), Some(Rerun::Fenced)) => contradict("off", "fenced"),
            (Some(Reschedule::Off), Some(Rerun::Eager)) => contradict("off", "eager"),
            (Some(Reschedule::Off), Some(Rerun::Never) | None) => Ok(Rerun::Never),
        }
    }

    /// One entry of the environment: its name decides, so `NOTE=constraint:a` is none of ours.
    fn entry(&mut self, entry: &str) -> Result<(), Invalid> {
        const FIELD: &str = "env";
        if let Some(text) = entry.strip_prefix("waitfor:") {
            return self.wait(FIELD, text);
        }
        if let Some(text) = entry.strip_prefix("constraint:") {
            return self.constrain(FIELD, &[text.to_owned()]);
        }
        if let Some(text) = entry.strip_prefix("affinity:") {
            return self.attract(FIELD, &[text.to_owned()]);
        }
        if let Some(policy) = entry.strip_prefix("reschedule:") {
            return self.reschedule(FIELD, policy);
        }
        if entry.is_empty() || entry.starts_with('=') {
            return Err(Invalid::bad(FIELD, format!("the entry `{entry}` has no name; write K=V")));
        }
        self.env.push(value::text(FIELD, entry)?);
        Ok(())
    }

    fn wait(&mut self, field: &'static str, text: &str) -> Result<(), Invalid> {
        let terms = dependency::parse(text).map_err(|error| Invalid::bad(field, error.to_string()))?;
        for term in &terms.waitfor {
            pattern::check(field, &term.expr)?;
        }
        self.waitfor.extend(terms.waitfor);
        self.wait_timeout_ms = self.wait_timeout_ms.into_iter().chain(terms.wait_timeout_ms).min();
        Ok(())
    }

    fn reschedule(&mut self, field: &'static str, policy: &str) -> Result<(), Invalid> {
        let asked = match policy {
            "on-node-failure" => Reschedule::OnNodeFailure,
            "off" => Reschedule::Off,
            other => {
                let why = format!(
                    "the reschedule policy `{other}` is not known; there are on-node-failure and off"
                );
                return Err(Invalid::bad(field, why));
            }
        };
        match self.reschedule.replace(asked) {
            Some(before) if before != asked => {
                let why = "reschedule is both on-node-failure and off; take one of them out".to_owned();
                Err(Invalid::bad(field, why))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Takes out a label that carries a list.
    fn take_list(&mut self, label: &str, example: &str) -> Result<Vec<String>, Invalid> {
        let Some(text) = self.labels.remove(label) else { return Ok(Vec::new()) };
        serde_json::from_str(&text).map_err(|_| {
            let why = format!("the label {label} is a JSON list, for example [\"{example}\"], not `{text}`");
            Invalid::bad("labels", why)
        })
    }
}

#[cfg(test)]
mod tests;
