//! One piece of harm: what the history knows of it, and how it is undone.

use std::fmt;

use super::Ground;
use crate::history::{Fault, FaultKind, FaultOutcome};
use crate::moment;
use crate::testbed::name;

/// Undoes harm. An error is the harness's own failure.
type Heal = Box<dyn FnOnce(&Ground) -> anyhow::Result<()> + Send>;

/// Harm that was done, or not.
pub struct Harm {
    /// What the history knows of it.
    pub fault: Fault,
    heal: Option<Heal>,
}

impl fmt::Debug for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Harm").field("fault", &self.fault).finish_non_exhaustive()
    }
}

impl Harm {
    /// Does harm to nodes. What `act` leaves half-done is undone by `heal`, too.
    pub fn strike(
        (what, nodes, note): (FaultKind, &[usize], String),
        act: impl FnOnce() -> anyhow::Result<()>,
        heal: impl FnOnce(&Ground) -> anyhow::Result<()> + Send + 'static,
    ) -> Harm {
        let began_ns = moment::now();
        let (outcome, note) = match act() {
            Ok(()) => (FaultOutcome::Installed, note),
            Err(error) => (FaultOutcome::Indeterminate, format!("{note}: {error:#}")),
        };
        let fault = Fault {
            what,
            nodes: names(nodes),
            container: None,
            alone: Vec::new(),
            began_ns,
            in_place_ns: moment::now(),
            healing_ns: None,
            healed_ns: None,
            outcome,
            note,
        };
        Harm { fault, heal: Some(Box::new(heal)) }
    }

    /// The same harm, which leaves these nodes without a majority.
    pub fn leaving(mut self, alone: &[usize]) -> Harm {
        self.fault.alone = names(alone);
        self
    }

    /// The same harm, which is done to one Docker container only.
    pub fn of_container(mut self, docker_id: &str) -> Harm {
        self.fault.container = Some(docker_id.to_owned());
        self
    }

    /// The same harm, whose healing goes on with this.
    pub fn then(mut self, next: impl FnOnce(&Ground) + Send + 'static) -> Harm {
        if let Some(first) = self.heal.take() {
            self.heal = Some(Box::new(move |ground| {
                first(ground)?;
                next(ground);
                Ok(())
            }));
        }
        self
    }

    /// There was no occasion for it, or no means.
    pub fn skipped(what: FaultKind, why: &str) -> Harm {
        let now = moment::now();
        let fault = Fault {
            what,
            nodes: Vec::new(),
            container: None,
            alone: Vec::new(),
            began_ns: now,
            in_place_ns: now,
            healing_ns: Some(now),
            healed_ns: Some(now),
            outcome: FaultOutcome::Skipped,
            note: why.to_owned(),
        };
        Harm { fault, heal: None }
    }

    /// Skips with the reason where the preparation of harm failed.
    pub fn or_skipped(what: FaultKind, made: anyhow::Result<Harm>) -> Harm {
        made.unwrap_or_else(|error| Harm::skipped(what, &format!("{error:#}")))
    }

    /// Undoes it, once.
    pub fn heal(&mut self, ground: &Ground) -> anyhow::Result<()> {
        let Some(heal) = self.heal.take() else { return Ok(()) };
        self.fault.healing_ns = Some(moment::now());
        heal(ground)?;
        self.fault.healed_ns = Some(moment::now());
        Ok(())
    }
}

fn names(nodes: &[usize]) -> Vec<String> {
    nodes.iter().map(|k| name(*k)).collect()
}
