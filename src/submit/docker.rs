//! A body of Docker's own "create a container" becomes a spec. Only what pinode answers for itself is read out of it; the
//! rest goes to the engine as it came.

use std::collections::BTreeSet;

use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType, RestartPolicyNameEnum};
use pinode_scheduler::Spec;
use pinode_scheduler::spec::{Needs, OnUpstreamFailure, Restart};

use super::attach::host_ports;
use super::beside::beside;
use super::expressions::Expressions;
use super::spec::{Door, Draft, Invalid, STOP_TIMEOUT_S};
use super::{image, value, volume};
use crate::agent::SHARED_DRIVER;

/// `--cpu-shares` of one whole CPU: Docker's own default weight.
const SHARES_PER_CPU: u64 = 1_024;

/// What a body says of reservations and restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DockerTerms {
    /// What it reserves.
    pub needs: Needs,
    /// Its restart policy.
    pub restart: Restart,
}

/// Reads them.
pub fn docker_terms(body: &ContainerCreateBody) -> Result<DockerTerms, Invalid> {
    let none = HostConfig::default();
    let host = body.host_config.as_ref().unwrap_or(&none);
    Ok(DockerTerms { needs: needs(host), restart: restart(host)? })
}

fn needs(host: &HostConfig) -> Needs {
    let given = |number: Option<i64>| number.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
    let quota = || {
        let period = given(host.cpu_period).unwrap_or(100_000);
        given(host.cpu_quota).map(|quota| quota.saturating_mul(1_000) / period)
    };
    let shares = || given(host.cpu_shares).map(|shares| shares.saturating_mul(1_000) / SHARES_PER_CPU);
    let cpu_milli = given(host.nano_cpus).map(|nano| nano.div_ceil(1_000_000)).or_else(quota).or_else(shares);
    let memory = given(host.memory_reservation).or_else(|| given(host.memory));
    Needs { cpu_milli: cpu_milli.unwrap_or(0), memory: memory.unwrap_or(0) }
}

fn restart(host: &HostConfig) -> Result<Restart, Invalid> {
    let Some(policy) = &host.restart_policy else { return Ok(Restart::No) };
    let times = policy.maximum_retry_count.and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
    Ok(match policy.name {
        None | Some(RestartPolicyNameEnum::EMPTY | RestartPolicyNameEnum::NO) => Restart::No,
        Some(RestartPolicyNameEnum::ALWAYS) => Restart::Always,
        Some(RestartPolicyNameEnum::UNLESS_STOPPED) => Restart::UnlessStopped,
        Some(RestartPolicyNameEnum::ON_FAILURE) => Restart::OnFailure(times),
    })
}

impl Door {
    /// Parses a body. `name` is used as it is.
    pub fn draft_docker(
        &self,
        mut body: ContainerCreateBody,
        name: &str,
        platform: Option<&str>,
    ) -> Result<Draft, Invalid> {
        let name = value::name("name", name)?;
        let wanted = body.image.clone().unwrap_or_default();
        if wanted.is_empty() {
            return Err(Invalid::bad("Image", "no image is given; name one".to_owned()));
        }
        image::check(&wanted)?;
        let terms = docker_terms(&body)?;
        let env = body.env.take().unwrap_or_default();
        let labels = body.labels.take().unwrap_or_default().into_iter().collect();
        let mut expressions = Expressions::collect(&env, &[], labels)?;
        if let Some(arch) = platform.and_then(|platform| platform.split('/').nth(1)) {
            expressions.constrain("platform", &[format!("arch=={arch}")])?;
        }
        let host = body.host_config.clone().unwrap_or_default();
        let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
        let beside =
            beside(&name, host.network_mode.as_deref(), &list(&host.volumes_from), &list(&host.links))?;
        let mut volumes = volume::parse(
            host.binds.as_deref().unwrap_or_default(),
            host.volume_driver.as_deref().filter(|driver| !driver.is_empty()),
            &self.shared_dir,
        )?;
        let mut local: BTreeSet<String> = volumes.local.drain(..).collect();
        let mut shared = volumes.shared;
        for mount in host.mounts.iter().flatten().filter(|mount| mount.typ == Some(MountType::VOLUME)) {
            let source = mount.source.as_deref().unwrap_or_default();
            match mount_driver(mount) {
                Some(SHARED_DRIVER) => {
                    value::name("Mounts", source)?;
                    shared = true;
                }
                None | Some("local") if !source.is_empty() => {
                    local.insert(source.to_owned());
                }
                Some(_) | None => {}
            }
        }
        body.env = Some(expressions.env.clone()).filter(|env| !env.is_empty());
        body.labels = Some(expressions.labels.clone().into_iter().collect());
        let health = body.healthcheck.as_ref().and_then(|check| check.test.as_ref());
        let has_health = health.is_some_and(|test| !test.is_empty() && test[0] != "NONE");
        let stop_timeout_s = body.stop_timeout.and_then(|s| u32::try_from(s).ok()).unwrap_or(STOP_TIMEOUT_S);
        let unencodable = |error: serde_json::Error| Invalid::bad("body", error.to_string());
        let spec = Spec {
            name,
            image: wanted,
            create: serde_json::to_string(&body).map_err(unencodable)?,
            rerun: expressions.rerun(None)?,
            waitfor: expressions.waitfor,
            wait_timeout_ms: expressions.wait_timeout_ms,
            run_timeout_ms: None,
            needs: terms.needs,
            constraints: expressions.constraints,
            affinities: expressions.affinities,
            strategy: self.strategy,
            host_ports: host.port_bindings.as_ref().map(host_ports).unwrap_or_default(),
            beside,
            retries: 0,
            restart: terms.restart,
            on_upstream_failure: OnUpstreamFailure::Skip,
            local_volumes: local,
            shared,
            has_health,
            // Who asks Docker for it waits for the removal.
            remove_after_ms: host.auto_remove.unwrap_or_default().then_some(0),
            stop_timeout_s,
            labels: expressions.labels,
        };
        Ok(Draft { spec, warnings: volumes.warnings })
    }
}

/// The driver of a mounted volume.
pub(crate) fn mount_driver(mount: &Mount) -> Option<&str> {
    mount.volume_options.as_ref()?.driver_config.as_ref()?.name.as_deref().filter(|name| !name.is_empty())
}
