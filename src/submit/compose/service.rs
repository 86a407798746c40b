//! One service becomes one container.

use super::at::At;
use super::line::{plain, scalar};
use super::{Services, Unsupported, bad};
use crate::api::{Health, Memory, Submit};
use crate::submit::spec::Invalid;

/// Keys of a service that are understood.
const KNOWN: [&str; 19] = [
    "image",
    "command",
    "entrypoint",
    "environment",
    "volumes",
    "depends_on",
    "deploy",
    "restart",
    "user",
    "working_dir",
    "labels",
    "network_mode",
    "healthcheck",
    "ports",
    "devices",
    "stop_grace_period",
    "cpus",
    "mem_limit",
    "container_name",
];

pub(super) fn submit(
    name: &str,
    service: &At<'_>,
    services: &Services,
    unsupported: &mut Unsupported,
) -> Result<Submit, Invalid> {
    service.refuse_others(&KNOWN, unsupported);
    // The others know it by its service's name; a second one would be a name that nobody may wait for.
    if service.text("container_name")?.is_some_and(|given| given != name) {
        unsupported.note(&service.path("container_name"));
    }
    let (cpus, memory) = resources(service, unsupported)?;
    let image = service.text("image")?;
    Ok(Submit {
        name: Some(name.to_owned()),
        image: image.ok_or_else(|| bad(&service.path("image"), "is missing; builds are not supported"))?,
        cmd: service.words("command")?,
        entrypoint: service.words("entrypoint")?,
        env: environment(service)?,
        waitfor: depends_on(service, services, unsupported)?,
        labels: service
            .pairs("labels")?
            .into_iter()
            .map(|(key, value)| (key, value.unwrap_or_default()))
            .collect(),
        volumes: volumes(service, unsupported)?,
        network_mode: service.text("network_mode")?,
        ports: service.list("ports")?,
        devices: service.list("devices")?,
        working_dir: service.text("working_dir")?,
        user: service.text("user")?,
        cpus,
        memory,
        restart: service.text("restart")?,
        stop_timeout: service.text("stop_grace_period")?,
        health: health(service, unsupported)?,
        ..Submit::default()
    })
}

fn environment(service: &At<'_>) -> Result<Vec<String>, Invalid> {
    let entry = |(key, value): (String, Option<String>)| match value {
        Some(value) => Ok(format!("{key}={value}")),
        None => {
            let must = format!("has `{key}`, whose value would come from your shell; write K=V");
            Err(bad(&service.path("environment"), &must))
        }
    };
    service.pairs("environment")?.into_iter().map(entry).collect()
}

fn depends_on(
    service: &At<'_>,
    services: &Services,
    unsupported: &mut Unsupported,
) -> Result<Vec<String>, Invalid> {
    const KEY: &str = "depends_on";
    let path = service.path(KEY);
    let known = |name: &str| {
        let unknown = || bad(&path, &format!("names {name}, which is no service of this file"));
        services.contains_key(name).then_some(()).ok_or_else(unknown)
    };
    let is_map = service.get(KEY).is_some_and(serde_json::Value::is_object);
    let Some(all) = (if is_map { service.inner(KEY)? } else { None }) else {
        let wait = |name: String| known(&name).map(|()| format!("started=={name}"));
        return service.list(KEY)?.into_iter().map(wait).collect();
    };
    let mut waits = Vec::new();
    for name in all.map().keys() {
        known(name)?;
        let how = all.inner(name)?;
        let condition = match &how {
            None => None,
            Some(how) => {
                how.refuse_others(&["condition"], unsupported);
                how.text("condition")?
            }
        };
        let kind = match condition.as_deref() {
            None | Some("service_started") => "started",
            Some("service_healthy") => "healthy",
            Some("service_completed_successfully") => "container",
            Some(other) => {
                let there_are = "there are service_started, service_healthy, service_completed_successfully";
                return Err(bad(&path, &format!("has the condition {other}; {there_are}")));
            }
        };
        waits.push(format!("{kind}=={name}"));
    }
    Ok(waits)
}

fn volumes(service: &At<'_>, unsupported: &mut Unsupported) -> Result<Vec<String>, Invalid> {
    let path = service.path("volumes");
    let Some(value) = service.get("volumes") else { return Ok(Vec::new()) };
    let list = value.as_array().ok_or_else(|| bad(&path, "is a list"))?;
    let mut volumes = Vec::new();
    for volume in list {
        let Some(long) = volume.as_object().map(|map| At::new(path.clone(), map)) else {
            let short = scalar(volume).ok_or_else(|| bad(&path, "is a list of volumes"))?;
            volumes.push(plain(&path, &short)?);
            continue;
        };
        long.refuse_others(&["type", "source", "target", "read_only"], unsupported);
        if !matches!(long.text("type")?.as_deref(), Some("volume" | "bind") | None) {
            unsupported.note(&long.path("type"));
        }
        let part = |key: &str| long.text(key)?.ok_or_else(|| bad(&path, &format!("needs a {key}")));
        let options = if long.flag("read_only")? { ":ro" } else { "" };
        volumes.push(format!("{}:{}{options}", part("source")?, part("target")?));
    }
    Ok(volumes)
}

/// From the service itself, or from where swarm mode has them; a limit is also what is reserved.
fn resources(
    service: &At<'_>,
    unsupported: &mut Unsupported,
) -> Result<(Option<f64>, Option<Memory>), Invalid> {
    let cpus_of = |at: &At<'_>| at.number::<f64>("cpus", "a number of CPUs");
    let mut cpus = cpus_of(service)?;
    let mut memory = service.text("mem_limit")?;
    let Some(deploy) = service.inner("deploy")? else { return Ok((cpus, memory.map(Memory::Text))) };
    deploy.refuse_others(&["resources"], unsupported);
    if let Some(resources) = deploy.inner("resources")? {
        resources.refuse_others(&["limits", "reservations"], unsupported);
        for kind in ["reservations", "limits"] {
            let Some(values) = resources.inner(kind)? else { continue };
            values.refuse_others(&["cpus", "memory"], unsupported);
            cpus = cpus_of(&values)?.or(cpus);
            memory = values.text("memory")?.or(memory);
        }
    }
    Ok((cpus, memory.map(Memory::Text)))
}

fn health(service: &At<'_>, unsupported: &mut Unsupported) -> Result<Option<Health>, Invalid> {
    let Some(health) = service.inner("healthcheck")? else { return Ok(None) };
    health.refuse_others(&["test", "interval", "timeout", "retries", "start_period", "disable"], unsupported);
    let test = if health.flag("disable")? {
        vec!["NONE".to_owned()]
    } else if health.get("test").is_some_and(serde_json::Value::is_string) {
        ["CMD-SHELL".to_owned()].into_iter().chain(health.text("test")?).collect()
    } else {
        health.list("test")?
    };
    Ok(Some(Health {
        test,
        interval: health.text("interval")?,
        timeout: health.text("timeout")?,
        retries: health.number("retries", "a number")?,
        start_period: health.text("start_period")?,
    }))
}
