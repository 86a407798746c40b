//! `inspect`: what the engine shows where there is a Docker container, under pinode's own name and id; what was asked for
//! where there is none yet. Either way with the `Node` that classic Swarm's clients look for.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Method;
use bollard::models::{
    ContainerConfig, ContainerCreateBody, ContainerInspectResponse, ContainerState, ContainerStateStatusEnum,
    NetworkSettings,
};
use pinode_scheduler::Container;
use pinode_scheduler::container::Phase;
use pinode_scheduler::state::State as Cluster;
use serde_json::{Value, json};

use super::error::DockerError;
use super::face::Face;
use super::params::Params;
use super::words;
use crate::http::view;

/// What Docker says of a time that has not come.
const NEVER: &str = "0001-01-01T00:00:00Z";

pub(super) async fn inspect(
    State(face): State<Face>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<Value>, DockerError> {
    face.backend.barrier(false).await?;
    let id = face.id_of(&name).await?;
    let place = {
        let state = face.backend.machine.state();
        let container = state.find_container(id).ok_or_else(|| DockerError::no_container(&name))?;
        let shown = matches!(container.phase, Phase::Running(_)) || container.phase.is_terminal();
        shown.then(|| face.place(&state, id)).flatten()
    };
    let mut engines = None;
    if let Some(place) = place {
        let size = if params.flag("size") { "?size=1" } else { "" };
        let path = format!("/containers/{}/json{size}", place.docker_name);
        // Of a node that is away the state tells what it knows.
        engines = face.ask(place.node, Method::GET, &path).await.ok().and_then(|answer| answer.json().ok());
    }
    let state = face.backend.machine.state();
    let container = state.find_container(id).ok_or_else(|| DockerError::no_container(&name))?;
    let mut shown = match engines {
        Some(engines) => dressed(engines, container),
        None => serde_json::to_value(asked(container)).unwrap_or_default(),
    };
    shown["Node"] = node(&state, container);
    Ok(Json(shown))
}

/// The engine's own words, with what is pinode's put back.
fn dressed(mut shown: Value, c: &Container) -> Value {
    let body: ContainerCreateBody = serde_json::from_str(&c.spec.create).unwrap_or_default();
    let asked = body.host_config.unwrap_or_default();
    shown["Id"] = json!(c.id.to_string());
    shown["Name"] = json!(format!("/{}", c.name));
    shown["Created"] = json!(view::time(c.created_ms));
    shown["RestartCount"] = json!(c.attempt.saturating_sub(1));
    if let Some(labels) = shown["Config"]["Labels"].as_object_mut() {
        labels.retain(|key, _| !key.starts_with("pinode."));
    }
    shown["HostConfig"]["RestartPolicy"] = json!(asked.restart_policy);
    shown["HostConfig"]["AutoRemove"] = json!(asked.auto_remove.unwrap_or_default());
    if asked.volume_driver.is_some() {
        shown["HostConfig"]["VolumeDriver"] = json!(asked.volume_driver);
        shown["HostConfig"]["Binds"] = json!(asked.binds);
    }
    if c.phase.is_terminal() {
        shown["State"]["ExitCode"] = json!(words::code(c));
        if let Some(cause) = view::cause(&c.phase) {
            shown["State"]["Error"] = json!(cause);
        }
    }
    shown
}

/// What exists on no engine: as it was asked for.
fn asked(c: &Container) -> ContainerInspectResponse {
    let body: ContainerCreateBody = serde_json::from_str(&c.spec.create).unwrap_or_default();
    let mut words = body.entrypoint.iter().chain(&body.cmd).flatten().cloned();
    let path = words.next();
    let args = words.collect();
    let networks = body.networking_config.as_ref().and_then(|config| config.endpoints_config.clone());
    ContainerInspectResponse {
        id: Some(c.id.to_string()),
        created: Some(view::time(c.created_ms)),
        path: Some(path.unwrap_or_default()),
        args: Some(args),
        state: Some(state(c)),
        image: Some(c.spec.image.clone()),
        name: Some(format!("/{}", c.name)),
        restart_count: Some(i64::from(c.attempt.saturating_sub(1))),
        platform: Some("linux".to_owned()),
        host_config: body.host_config.clone(),
        mounts: Some(Vec::new()),
        config: Some(config(body)),
        network_settings: Some(NetworkSettings {
            networks: Some(networks.unwrap_or_default()),
            ports: Some(Default::default()),
            ..NetworkSettings::default()
        }),
        ..ContainerInspectResponse::default()
    }
}

fn state(c: &Container) -> ContainerState {
    let status = words::state(&c.phase);
    let last = c.latest();
    let time = |at: Option<&String>| Some(at.cloned().unwrap_or_else(|| NEVER.to_owned()));
    ContainerState {
        status: Some(status),
        running: Some(status == ContainerStateStatusEnum::RUNNING),
        paused: Some(false),
        restarting: Some(status == ContainerStateStatusEnum::RESTARTING),
        oom_killed: Some(false),
        dead: Some(status == ContainerStateStatusEnum::DEAD),
        pid: Some(0),
        exit_code: Some(words::code(c)),
        error: Some(view::cause(&c.phase).unwrap_or_default()),
        started_at: time(last.and_then(|last| last.started_at.as_ref())),
        finished_at: time(last.and_then(|last| last.finished_at.as_ref())),
        health: None,
    }
}

fn config(body: ContainerCreateBody) -> ContainerConfig {
    ContainerConfig {
        hostname: Some(body.hostname.unwrap_or_default()),
        domainname: Some(body.domainname.unwrap_or_default()),
        user: Some(body.user.unwrap_or_default()),
        attach_stdin: Some(body.attach_stdin.unwrap_or_default()),
        attach_stdout: Some(body.attach_stdout.unwrap_or_default()),
        attach_stderr: Some(body.attach_stderr.unwrap_or_default()),
        exposed_ports: body.exposed_ports,
        tty: Some(body.tty.unwrap_or_default()),
        open_stdin: Some(body.open_stdin.unwrap_or_default()),
        stdin_once: Some(body.stdin_once.unwrap_or_default()),
        env: Some(body.env.unwrap_or_default()),
        cmd: body.cmd,
        healthcheck: body.healthcheck,
        args_escaped: body.args_escaped,
        image: body.image,
        volumes: body.volumes,
        working_dir: Some(body.working_dir.unwrap_or_default()),
        entrypoint: body.entrypoint,
        network_disabled: body.network_disabled,
        on_build: body.on_build,
        labels: Some(body.labels.unwrap_or_default()),
        stop_signal: body.stop_signal,
        stop_timeout: body.stop_timeout,
        shell: body.shell,
    }
}

/// As classic Swarm showed it: who has it, and how that one is reached.
fn node(state: &Cluster, c: &Container) -> Value {
    let Some(node) = c.latest().and_then(|last| state.find_node(last.session.node)) else {
        return Value::Null;
    };
    let addr = &node.facts.api;
    let ip = addr.rsplit_once(':').map_or(addr.as_str(), |(ip, _)| ip);
    json!({
        "ID": format!("{:016x}", node.id),
        "IP": ip,
        "Addr": addr,
        "Name": node.facts.name,
        "Cpus": node.facts.capacity.cpu_milli / 1000,
        "Memory": node.facts.capacity.memory,
        "Labels": node.labels(),
    })
}
