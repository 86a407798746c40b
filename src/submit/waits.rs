//! What a container waits for, in all forms that it may be written in, and what is left of environment and labels.

use std::collections::BTreeMap;

use pinode_scheduler::dependency::{self, Expr, Waitfor};

use super::spec::Invalid;
use super::{pattern, value};
use crate::api::Submit;

/// The waits of all three forms, and what is left of environment and labels.
pub(super) struct Waits {
    pub(super) terms: Vec<Waitfor>,
    pub(super) timeout_ms: Option<u64>,
    pub(super) env: Vec<String>,
    pub(super) labels: BTreeMap<String, String>,
}

/// The label that carries waits for clients that cannot send the environment entries.
const WAITFOR_LABEL: &str = "pinode.waitfor";
/// By labels that begin so, each node knows its own containers on its engine.
const OWN_LABELS: &str = "pinode.";

impl Waits {
    pub(super) fn collect(submit: &Submit) -> Result<Waits, Invalid> {
        let mut waits =
            Waits { terms: Vec::new(), timeout_ms: None, env: Vec::new(), labels: submit.labels.clone() };
        for entry in &submit.env {
            match entry.strip_prefix("waitfor:") {
                Some(text) if dependency::is_waitfor_name(entry) => waits.add("env", text)?,
                Some(_) | None => {
                    if entry.is_empty() || entry.starts_with('=') {
                        return Err(Invalid::bad(
                            "env",
                            format!("the entry `{entry}` has no name; write K=V"),
                        ));
                    }
                    waits.env.push(value::text("env", entry)?);
                }
            }
        }
        for text in &submit.waitfor {
            waits.add("waitfor", text)?;
        }
        if let Some(label) = waits.labels.remove(WAITFOR_LABEL) {
            let list: Vec<String> = serde_json::from_str(&label).map_err(|_| {
                let why = format!("the label {WAITFOR_LABEL} is a JSON list, for example [\"container==split\"], not `{label}`");
                Invalid::bad("labels", why)
            })?;
            for text in &list {
                waits.add("labels", text)?;
            }
        }
        match waits.labels.keys().find(|key| key.starts_with(OWN_LABELS)) {
            Some(key) => Err(Invalid::bad(
                "labels",
                format!("labels that begin with {OWN_LABELS} are pinode's own; rename `{key}`"),
            )),
            None => Ok(waits),
        }
    }

    fn add(&mut self, field: &'static str, text: &str) -> Result<(), Invalid> {
        let terms = dependency::parse(text).map_err(|error| Invalid::bad(field, error.to_string()))?;
        for term in &terms.waitfor {
            check_pattern(field, &term.expr)?;
        }
        self.terms.extend(terms.waitfor);
        self.timeout_ms = self.timeout_ms.into_iter().chain(terms.wait_timeout_ms).min();
        Ok(())
    }
}

fn check_pattern(field: &'static str, expr: &Expr) -> Result<(), Invalid> {
    let Expr::Regex(regex) = expr else { return Ok(()) };
    match pattern::cost(regex.as_str()) {
        Some(cost) if cost <= pattern::COST_MAX => Ok(()),
        Some(cost) => Err(Invalid::bad(
            field,
            format!(
                "the regular expression {expr} is too complex ({cost}, the limit is {})",
                pattern::COST_MAX
            ),
        )),
        None => {
            Err(Invalid::bad(field, format!("the regular expression {expr} does not parse without Unicode")))
        }
    }
}
