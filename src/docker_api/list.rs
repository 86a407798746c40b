//! `docker ps`: one list for the cluster. The state says which containers there are; what an engine knows better (ports,
//! health, sizes) is asked of the engines and laid over it.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use bollard::models::{
    ContainerCreateBody, ContainerSummary, ContainerSummaryHostConfig, ContainerSummaryNetworkSettings,
};
use pinode_scheduler::Container;
use pinode_scheduler::container::Phase;
use pinode_scheduler::state::State as Cluster;

use super::error::DockerError;
use super::face::Face;
use super::filters::Filters;
use super::params::Params;
use super::words;
use crate::agent::runtime::label;
use crate::clock;

const FILTERS: [&str; 16] = [
    "ancestor",
    "before",
    "expose",
    "exited",
    "health",
    "id",
    "is-task",
    "isolation",
    "label",
    "name",
    "network",
    "node",
    "publish",
    "since",
    "status",
    "volume",
];

pub(super) async fn list(
    State(face): State<Face>,
    params: Params,
) -> Result<Json<Vec<ContainerSummary>>, DockerError> {
    let filters = Filters::parse(&params, &FILTERS)?;
    let limit = params.number("limit")?.filter(|limit| *limit > 0).or(params.number("n")?);
    let all = params.flag("all") || limit.is_some() || filters.values("status").is_some();
    face.backend.barrier(false).await?;
    let seen = face.seen(params.flag("size")).await;
    let state = face.backend.machine.state();
    let reference = |key: &str| match filters.values(key).and_then(|values| values.first()) {
        Some(name) => face.find(&state, name).map(|container| Some(container.order)),
        None => Ok(None),
    };
    let (before, since) = (reference("before")?, reference("since")?);
    let wanted = |c: &&Container| {
        (all || filters.values("exited").is_some() || !(c.phase.is_terminal() || c.phase == Phase::Created))
            && before.is_none_or(|before| c.order < before)
            && since.is_none_or(|since| c.order > since)
    };
    let mut found: Vec<&Container> = state.containers().filter(wanted).collect();
    found.sort_by_key(|c| std::cmp::Reverse(c.order));
    let rows = found.into_iter().map(|c| summary(&state, c, &seen)).filter(|row| takes(&filters, row));
    Ok(Json(rows.map(|row| row.summary).take(limit.map_or(usize::MAX, |limit| limit as usize)).collect()))
}

/// A line, and what is filtered by but not shown.
struct Row {
    summary: ContainerSummary,
    node: Option<String>,
    code: Option<i64>,
    body: ContainerCreateBody,
}

/// What the engines show, by container and attempt.
pub(super) type Seen = BTreeMap<(String, u32), ContainerSummary>;

impl Face {
    /// What the engines show of this cluster's containers. One that does not answer shows nothing.
    async fn seen(&self, size: bool) -> Seen {
        let cluster = self.backend.agent.cluster();
        let filters = format!("{{\"label\":[\"{}={cluster}\"]}}", label::CLUSTER);
        let query: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("all", "1")
            .append_pair("size", if size { "1" } else { "0" })
            .append_pair("filters", &filters)
            .finish();
        let answers = self.ask_all(Method::GET, &format!("/containers/json?{query}"), None).await;
        let lists = answers.into_iter().filter_map(|(_, answer)| answer.ok());
        let all = lists.filter_map(|answer| answer.json::<Vec<ContainerSummary>>().ok()).flatten();
        let keyed = all.filter_map(|summary| {
            let labels = summary.labels.as_ref()?;
            let attempt = labels.get(label::ATTEMPT)?.parse().ok()?;
            Some(((labels.get(label::CONTAINER)?.clone(), attempt), summary))
        });
        keyed.collect()
    }
}

fn summary(state: &Cluster, c: &Container, seen: &Seen) -> Row {
    let body: ContainerCreateBody = serde_json::from_str(&c.spec.create).unwrap_or_default();
    let id = c.id.to_string();
    let engine = seen.get(&(id.clone(), c.attempt));
    let words = || body.entrypoint.iter().chain(&body.cmd).flatten().cloned().collect::<Vec<_>>().join(" ");
    let host = body.host_config.as_ref();
    let mode = host.and_then(|host| host.network_mode.clone()).unwrap_or_else(|| "default".to_owned());
    let mut summary = engine.cloned().unwrap_or_else(|| ContainerSummary {
        command: Some(words()),
        image_id: Some(String::new()),
        ports: Some(Vec::new()),
        mounts: Some(Vec::new()),
        host_config: Some(ContainerSummaryHostConfig { network_mode: Some(mode), annotations: None }),
        network_settings: Some(ContainerSummaryNetworkSettings {
            networks: body.networking_config.as_ref().and_then(|config| config.endpoints_config.clone()),
        }),
        ..ContainerSummary::default()
    });
    summary.id = Some(id);
    summary.names = Some(vec![format!("/{}", c.name)]);
    summary.image = Some(c.spec.image.clone());
    summary.created = Some(i64::try_from(c.created_ms / 1000).unwrap_or(i64::MAX));
    summary.labels = Some(c.spec.labels.clone().into_iter().collect());
    // The engine's words say more (healthy, paused), but only of what the cluster says runs there.
    if !(matches!(c.phase, Phase::Running(_)) && engine.is_some_and(|engine| engine.status.is_some())) {
        summary.state = Some(words::summary_state(&c.phase));
        summary.status = Some(words::status(state, c, clock::wall_ms()));
    }
    let node = c.latest().and_then(|last| state.node_name(last.session.node)).map(str::to_owned);
    Row { summary, node, code: c.phase.is_terminal().then(|| words::code(c)), body }
}

fn takes(filters: &Filters, row: &Row) -> bool {
    let s = &row.summary;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (id, image, status) = (text(&s.id), text(&s.image), text(&s.status));
    let name = s.names.iter().flatten().next().cloned().unwrap_or_default();
    let state = s.state.map(|state| state.to_string()).unwrap_or_default();
    let labels = s.labels.as_ref();
    let health = || match status.split_once('(').map(|(_, rest)| rest) {
        Some("healthy)") => "healthy",
        Some("unhealthy)") => "unhealthy",
        Some("health: starting)") => "starting",
        Some(_) | None => "none",
    };
    filters.takes("id", |wanted| id.starts_with(wanted))
        && filters.takes("name", |wanted| named(wanted, &name))
        && filters.takes("status", |wanted| wanted == state)
        && filters.takes("exited", |wanted| row.code.is_some_and(|code| code.to_string() == wanted))
        && filters.takes("ancestor", |wanted| is_image(wanted, &image, s.image_id.as_deref()))
        && filters.takes("node", |wanted| row.node.as_deref() == Some(wanted))
        && filters.takes("health", |wanted| wanted == health())
        && filters.takes("isolation", |wanted| matches!(wanted, "" | "default"))
        && filters.takes("is-task", |wanted| matches!(wanted, "false" | "0"))
        && filters.takes_labels("label", |key| labels.and_then(|all| all.get(key)).map(String::as_str))
        && filters.takes("network", |wanted| on_network(row, wanted))
        && filters.takes("volume", |wanted| has_volume(row, wanted))
        && filters.takes("publish", |wanted| publishes(row, wanted))
        && filters.takes("expose", |wanted| exposes(row, wanted))
}

/// A regular expression over the name, with and without its slash, as Docker takes it; what is none is a piece of it.
fn named(wanted: &str, name: &str) -> bool {
    let bare = name.trim_start_matches('/');
    match regex::RegexBuilder::new(wanted).size_limit(1 << 20).build() {
        Ok(pattern) => pattern.is_match(name) || pattern.is_match(bare),
        Err(_) => bare.contains(wanted),
    }
}

fn is_image(wanted: &str, image: &str, id: Option<&str>) -> bool {
    let bare = |text: &str| text.strip_suffix(":latest").unwrap_or(text).to_owned();
    let id = id.map(|id| id.trim_start_matches("sha256:")).unwrap_or_default();
    bare(wanted) == bare(image)
        || image.split(':').next() == Some(wanted)
        || (wanted.len() >= 4 && id.starts_with(wanted.trim_start_matches("sha256:")))
}

fn on_network(row: &Row, wanted: &str) -> bool {
    let settings = row.summary.network_settings.as_ref().and_then(|settings| settings.networks.as_ref());
    let mode = row.body.host_config.as_ref().and_then(|host| host.network_mode.as_deref());
    let has_id = |network: &bollard::models::EndpointSettings| network.network_id.as_deref() == Some(wanted);
    mode == Some(wanted) || settings.is_some_and(|all| all.contains_key(wanted) || all.values().any(has_id))
}

fn has_volume(row: &Row, wanted: &str) -> bool {
    let host = row.body.host_config.as_ref();
    let binds = host.and_then(|host| host.binds.as_ref()).into_iter().flatten();
    let mut pieces = binds.flat_map(|bind| bind.split(':'));
    let mut mounts = host.and_then(|host| host.mounts.as_ref()).into_iter().flatten();
    pieces.any(|piece| piece == wanted)
        || mounts.any(|m| m.source.as_deref() == Some(wanted) || m.target.as_deref() == Some(wanted))
}

/// `80`, `80/tcp`, `8000-8080/udp`: the range and the protocol.
fn ports(wanted: &str) -> Option<(std::ops::RangeInclusive<u16>, &str)> {
    let (numbers, protocol) = wanted.split_once('/').unwrap_or((wanted, "tcp"));
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    Some((first.parse().ok()?..=last.parse().ok()?, protocol))
}

fn publishes(row: &Row, wanted: &str) -> bool {
    let Some((range, protocol)) = ports(wanted) else { return false };
    row.summary.ports.iter().flatten().any(|port| {
        let kind = port.typ.map(|kind| kind.to_string()).unwrap_or_default();
        port.public_port.is_some_and(|public| range.contains(&public)) && kind == protocol
    })
}

fn exposes(row: &Row, wanted: &str) -> bool {
    let Some((range, protocol)) = ports(wanted) else { return false };
    let shown = row.summary.ports.iter().flatten().any(|port| {
        let kind = port.typ.map(|kind| kind.to_string()).unwrap_or_default();
        range.contains(&port.private_port) && kind == protocol
    });
    let asked = row.body.exposed_ports.iter().flatten().any(|port| {
        let (number, kind) = port.split_once('/').unwrap_or((port, "tcp"));
        number.parse().is_ok_and(|number: u16| range.contains(&number)) && kind == protocol
    });
    shown || asked
}
