//! What the cluster is, as one engine would say it.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bollard::models::{SystemInfo, SystemVersion, SystemVersionComponents, SystemVersionPlatform};
use pinode_scheduler::Node;
use pinode_scheduler::container::Phase;
use pinode_scheduler::spec::Strategy;
use serde_json::{Value, json};

use super::error::DockerError;
use super::face::Face;
use super::request::query;
use super::version::OLDEST;

const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) async fn ping() -> Response {
    // 1: build with the classic builder, whose requests can be streamed to several engines.
    let headers = [
        ("Builder-Version", "1"),
        ("Swarm", "inactive"),
        ("Cache-Control", "no-cache, no-store, must-revalidate"),
        ("Pragma", "no-cache"),
    ];
    (headers, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "OK").into_response()
}

pub(super) async fn version(State(face): State<Face>) -> Json<SystemVersion> {
    let state = face.backend.machine.state();
    let me = state.find_node(face.backend.me);
    let label = |key: &str| me.and_then(|node| node.facts.labels.get(key)).cloned();
    let component = SystemVersionComponents {
        name: "pinode".to_owned(),
        version: OWN_VERSION.to_owned(),
        details: Some(Default::default()),
    };
    Json(SystemVersion {
        platform: Some(SystemVersionPlatform { name: "pinode".to_owned() }),
        components: Some(vec![component]),
        version: Some(OWN_VERSION.to_owned()),
        api_version: Some(face.version.to_string()),
        min_api_version: Some(OLDEST.to_string()),
        git_commit: Some(String::new()),
        go_version: Some(String::new()),
        os: Some("linux".to_owned()),
        arch: Some(go_arch(label("arch").as_deref()).to_owned()),
        kernel_version: label("kernel"),
        experimental: Some(false),
        build_time: Some(String::new()),
    })
}

/// Docker writes architectures as Go does.
pub(super) fn go_arch(arch: Option<&str>) -> &str {
    match arch {
        Some("x86_64") => "amd64",
        Some("aarch64") => "arm64",
        Some("armv7l") => "arm",
        Some(other) => other,
        None => "unknown",
    }
}

pub(super) async fn info(State(face): State<Face>) -> Result<Json<Value>, DockerError> {
    face.backend.barrier(false).await?;
    let images = face.image_ids().await.len();
    let state = face.backend.machine.state();
    let count = |wanted: fn(&Phase) -> bool| state.containers().filter(|c| wanted(&c.phase)).count() as i64;
    let running = count(|phase| matches!(phase, Phase::Running(_)));
    let open: Vec<&Node> = state.nodes().filter(|node| node.is_open()).collect();
    let sum = |of: fn(&Node) -> u64| {
        i64::try_from(open.iter().map(|node| of(node)).sum::<u64>()).unwrap_or(i64::MAX)
    };
    let me = state.find_node(face.backend.me);
    let label = |key: &str| me.and_then(|node| node.facts.labels.get(key)).cloned();
    let strategy = match face.backend.strategy {
        Strategy::Spread => "spread",
        Strategy::Binpack => "binpack",
        Strategy::Random => "random",
    };
    let info = SystemInfo {
        id: Some(crate::http::hex(&face.backend.cluster)),
        containers: Some(state.containers().count() as i64),
        containers_running: Some(running),
        containers_paused: Some(0),
        containers_stopped: Some(state.containers().count() as i64 - running),
        images: Some(images as i64),
        driver: Some("pinode".to_owned()),
        driver_status: Some(nodes(strategy, &state.nodes().collect::<Vec<_>>())),
        docker_root_dir: Some(String::new()),
        memory_limit: Some(true),
        swap_limit: Some(true),
        cpu_cfs_period: Some(true),
        cpu_cfs_quota: Some(true),
        cpu_shares: Some(true),
        cpu_set: Some(true),
        pids_limit: Some(true),
        ipv4_forwarding: Some(true),
        debug: Some(false),
        system_time: Some(crate::http::view::time(crate::clock::wall_ms())),
        logging_driver: Some("json-file".to_owned()),
        kernel_version: label("kernel"),
        operating_system: Some(format!("pinode {OWN_VERSION}, {} nodes", open.len())),
        os_type: Some("linux".to_owned()),
        architecture: label("arch"),
        ncpu: Some(sum(|node| node.facts.capacity.cpu_milli / 1000)),
        mem_total: Some(sum(|node| node.facts.capacity.memory)),
        name: Some(face.backend.node.clone()),
        server_version: Some(format!("pinode/{OWN_VERSION}")),
        experimental_build: Some(false),
        live_restore_enabled: Some(true),
        ..SystemInfo::default()
    };
    let mut info = serde_json::to_value(info).unwrap_or_default();
    // Clients of old look for lists that newer ones no longer need.
    for (key, empty) in [
        (
            "Plugins",
            json!({ "Volume": ["glusterfs", "local"], "Network": ["bridge", "host", "null"], "Log": ["json-file"] }),
        ),
        ("Swarm", json!({ "LocalNodeState": "inactive" })),
        ("RegistryConfig", json!({})),
        ("Labels", json!([])),
        ("Runtimes", json!({})),
        ("SecurityOptions", json!([])),
    ] {
        info[key] = empty;
    }
    Ok(Json(info))
}

/// The nodes, as classic Swarm listed them.
fn nodes(strategy: &str, all: &[&Node]) -> Vec<Vec<String>> {
    let line = |key: &str, value: String| vec![key.to_owned(), value];
    let mut lines = vec![line("Strategy", strategy.to_owned()), line("Nodes", all.len().to_string())];
    let mut by_name: Vec<&&Node> = all.iter().collect();
    by_name.sort_by_key(|node| node.facts.name.as_str());
    for node in by_name {
        let (has, held) = (node.facts.capacity, node.reserved);
        let status = match (node.is_open(), node.is_suspected(), node.ailments.values().next()) {
            (false, ..) => "Lost".to_owned(),
            (true, true, _) => "Suspected".to_owned(),
            (true, false, Some(ailment)) => format!("Unhealthy: {ailment}"),
            (true, false, None) => "Healthy".to_owned(),
        };
        let cpus = |milli: u64| milli as f64 / 1000.0;
        let labels = node.labels();
        let labels: Vec<String> = labels.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        lines.push(line(&format!(" {}", node.facts.name), node.facts.api.clone()));
        lines.push(line("  └ Status", status));
        lines.push(line("  └ Containers", format!("{} of {}", node.holds.len(), has.slots)));
        lines.push(line("  └ Reserved CPUs", format!("{} / {}", cpus(held.cpu_milli), cpus(has.cpu_milli))));
        lines.push(line(
            "  └ Reserved Memory",
            format!("{} MiB / {} MiB", held.memory >> 20, has.memory >> 20),
        ));
        lines.push(line("  └ Labels", labels.join(", ")));
        lines.push(line("  └ ServerVersion", node.facts.engine.clone()));
    }
    lines
}

/// `system df`: the engines' lists put together.
pub(super) async fn disk_usage(
    State(face): State<Face>,
    request: Request,
) -> Result<Json<Value>, DockerError> {
    let query = query(&request);
    let mut whole =
        json!({ "LayersSize": 0, "Images": [], "Containers": [], "Volumes": [], "BuildCache": [] });
    for (_, answer) in face.ask_all(Method::GET, &format!("/system/df{query}"), None).await {
        let Some(part) = answer.ok().and_then(|answer| answer.json::<Value>().ok()) else { continue };
        whole["LayersSize"] =
            json!(whole["LayersSize"].as_i64().unwrap_or(0) + part["LayersSize"].as_i64().unwrap_or(0));
        for key in ["Images", "Containers", "Volumes", "BuildCache"] {
            if let (Some(all), Some(more)) = (whole[key].as_array_mut(), part[key].as_array()) {
                // The same image on three nodes is one image.
                let fresh = more
                    .iter()
                    .filter(|one| one["Id"].is_null() || !all.iter().any(|known| known["Id"] == one["Id"]));
                let fresh: Vec<Value> = fresh.cloned().collect();
                all.extend(fresh);
            }
        }
    }
    Ok(Json(whole))
}

/// A registry's password is looked at by this node's engine.
pub(super) async fn auth(State(face): State<Face>, request: Request) -> Result<Response, DockerError> {
    face.engine.send(request).await
}

/// What any engine can answer is answered by this node's.
pub(super) async fn here(State(face): State<Face>, request: Request) -> Result<Response, DockerError> {
    if request.method() == Method::GET {
        return face.engine.send(request).await;
    }
    Err(DockerError::new(StatusCode::METHOD_NOT_ALLOWED, "only looked at"))
}
