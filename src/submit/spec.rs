//! One container as sent becomes a spec, whichever way it was sent.

use std::collections::HashMap;
use std::path::PathBuf;

use bollard::models::{ContainerCreateBody, HostConfig};
use pinode_scheduler::Spec;
use pinode_scheduler::spec::{Needs, OnUpstreamFailure, Rerun, Restart, Strategy};
use pinode_scheduler::timer::AUTO_REMOVE_MS;

use super::attach::{devices, host_ports, ports};
use super::beside::beside;
use super::expressions::Expressions;
use super::{health, image, value, volume};
use crate::api::Submit;

/// Default grace between SIGTERM and SIGKILL, in seconds (Docker's).
pub(super) const STOP_TIMEOUT_S: u32 = 10;
/// CPUs of a pipeline's member that asks for none, in thousandths.
const PIPELINE_CPU_MILLI: u64 = 1_000;

/// Why something was refused at the door.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// The field at fault.
    pub field: String,
    /// A sentence with the value and the way out.
    pub message: String,
    /// It is well formed, and can still never run (422 instead of 400).
    pub never: bool,
}

impl Invalid {
    /// Malformed.
    pub fn bad(field: &str, message: String) -> Invalid {
        Invalid { field: field.to_owned(), message, never: false }
    }

    /// Well formed, and not to be had.
    pub fn never(field: &str, message: String) -> Invalid {
        Invalid { field: field.to_owned(), message, never: true }
    }
}

/// What every node must know to judge.
#[derive(Clone, Debug)]
pub struct Door {
    /// The folder that all nodes share.
    pub shared_dir: PathBuf,
    /// How nodes are ranked for what does not say it.
    pub strategy: Strategy,
}

/// A valid spec, and what may not be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The spec.
    pub spec: Spec,
    /// Sentences.
    pub warnings: Vec<String>,
}

impl Door {
    /// Parses one container. `fallback_name` is used when it has none.
    pub fn draft(&self, submit: &Submit, fallback_name: &str, in_pipeline: bool) -> Result<Draft, Invalid> {
        let name = value::name("name", submit.name.as_deref().unwrap_or(fallback_name))?;
        if submit.image.is_empty() {
            return Err(Invalid::bad("image", format!("{name} has no image; name one in the field image")));
        }
        image::check(&submit.image)?;
        refuse_unbuilt(submit)?;
        let mut expressions = Expressions::collect(&submit.env, &submit.waitfor, submit.labels.clone())?;
        expressions.constrain("constraints", &submit.constraints)?;
        expressions.attract("affinities", &submit.affinities)?;
        let rerun = submit.rerun.as_ref();
        let rerun = rerun.map(|_| value::word("rerun", rerun, &RERUN, Rerun::Fenced)).transpose()?;
        let beside = beside(&name, submit.network_mode.as_deref(), &[], &[])?;
        let volumes = volume::parse(&submit.volumes, submit.volume_driver.as_deref(), &self.shared_dir)?;
        let memory = submit.memory.as_ref().map(value::memory).transpose()?;
        let cpu_milli = submit.cpus.map(value::cpu_milli).transpose()?;
        let (health, has_health) = match submit.health.as_ref().map(health::config).transpose()? {
            Some((config, has)) => (Some(config), has),
            None => (None, false),
        };
        let host_config = HostConfig {
            binds: Some(volumes.binds).filter(|binds| !binds.is_empty()),
            volume_driver: submit.volume_driver.clone(),
            network_mode: submit
                .network_mode
                .as_deref()
                .map(|mode| value::text("network_mode", mode))
                .transpose()?,
            port_bindings: ports(&submit.ports)?,
            publish_all_ports: submit.publish_all.then_some(true),
            devices: devices(&submit.devices)?,
            memory: memory.and_then(|bytes| i64::try_from(bytes).ok()),
            nano_cpus: cpu_milli.and_then(|milli| i64::try_from(milli.saturating_mul(1_000_000)).ok()),
            ..HostConfig::default()
        };
        let taken = host_config.port_bindings.as_ref().map(host_ports).unwrap_or_default();
        let exposed = host_config.port_bindings.as_ref().map(|ports| ports.keys().cloned().collect());
        let body = ContainerCreateBody {
            image: Some(submit.image.clone()),
            cmd: value::texts("cmd", submit.cmd.as_ref())?,
            entrypoint: value::texts("entrypoint", submit.entrypoint.as_ref())?,
            env: Some(expressions.env.clone()).filter(|env| !env.is_empty()),
            labels: Some(expressions.labels.clone().into_iter().collect())
                .filter(|labels: &HashMap<_, _>| !labels.is_empty()),
            working_dir: submit.working_dir.as_deref().map(value::working_dir).transpose()?,
            user: submit.user.as_deref().map(|user| value::text("user", user)).transpose()?,
            exposed_ports: exposed,
            healthcheck: health,
            host_config: Some(host_config),
            ..ContainerCreateBody::default()
        };
        let unencodable = |error: serde_json::Error| Invalid::bad("body", error.to_string());
        let default_cpu = if in_pipeline { PIPELINE_CPU_MILLI } else { 0 };
        let stop_ms = value::duration_ms("stop_timeout", submit.stop_timeout.as_ref())?;
        let spec = Spec {
            name,
            image: submit.image.clone(),
            create: serde_json::to_string(&body).map_err(unencodable)?,
            rerun: expressions.rerun(rerun)?,
            waitfor: expressions.waitfor,
            wait_timeout_ms: value::duration_ms("wait_timeout", submit.wait_timeout.as_ref())?
                .or(expressions.wait_timeout_ms),
            run_timeout_ms: value::duration_ms("run_timeout", submit.run_timeout.as_ref())?,
            needs: Needs { cpu_milli: cpu_milli.unwrap_or(default_cpu), memory: memory.unwrap_or(0) },
            constraints: expressions.constraints,
            affinities: expressions.affinities,
            strategy: value::word("strategy", submit.strategy.as_ref(), &STRATEGY, self.strategy)?,
            host_ports: taken,
            beside,
            retries: submit.retries.unwrap_or(0),
            restart: restart(submit.restart.as_deref())?,
            on_upstream_failure: value::word(
                "on_upstream_failure",
                submit.on_upstream_failure.as_ref(),
                &UPSTREAM,
                OnUpstreamFailure::Skip,
            )?,
            local_volumes: volumes.local.into_iter().collect(),
            shared: volumes.shared,
            has_health,
            remove_after_ms: submit.auto_remove.then_some(AUTO_REMOVE_MS),
            stop_timeout_s: stop_ms
                .map_or(STOP_TIMEOUT_S, |ms| u32::try_from(ms.div_ceil(1000)).unwrap_or(u32::MAX)),
            labels: expressions.labels,
        };
        Ok(Draft { spec, warnings: volumes.warnings })
    }
}

const RERUN: [(&str, Rerun); 3] =
    [("never", Rerun::Never), ("fenced", Rerun::Fenced), ("eager", Rerun::Eager)];
const STRATEGY: [(&str, Strategy); 3] =
    [("spread", Strategy::Spread), ("binpack", Strategy::Binpack), ("random", Strategy::Random)];
const UPSTREAM: [(&str, OnUpstreamFailure); 3] =
    [("skip", OnUpstreamFailure::Skip), ("hold", OnUpstreamFailure::Hold), ("run", OnUpstreamFailure::Run)];

fn refuse_unbuilt(submit: &Submit) -> Result<(), Invalid> {
    match submit.lease {
        Some(_) => Err(Invalid::never("lease", "lease is not supported yet; leave it out".to_owned())),
        None => Ok(()),
    }
}

fn restart(text: Option<&str>) -> Result<Restart, Invalid> {
    match text {
        None | Some("" | "no") => Ok(Restart::No),
        Some("always") => Ok(Restart::Always),
        Some("unless-stopped") => Ok(Restart::UnlessStopped),
        Some("on-failure") => Ok(Restart::OnFailure(None)),
        Some(text) => {
            let times = text.strip_prefix("on-failure:").and_then(|times| times.parse().ok());
            let why =
                || format!("`{text}` is not one of no, always, unless-stopped, on-failure, on-failure:N");
            times.map(|times| Restart::OnFailure(Some(times))).ok_or_else(|| Invalid::bad("restart", why()))
        }
    }
}

#[cfg(test)]
mod tests;
