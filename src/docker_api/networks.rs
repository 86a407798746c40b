//! Networks. Each is one engine's, so one that is made is made on every node: containers of one node see each other on it,
//! those of different nodes do not.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use bollard::models::{
    ContainerCreateBody, EndpointSettings, NetworkConnectRequest, NetworkCreateRequest,
    NetworkCreateResponse, NetworkDisconnectRequest, NetworkPruneResponse,
};
use pinode_scheduler::Command;
use pinode_scheduler::container::Phase;
use serde_json::{Value, json};

use super::error::DockerError;
use super::face::Face;
use super::filters::Filters;
use super::images::first;
use super::params::{JsonBody, Params};
use super::refused::refuse;
use crate::http::Key;

const FILTERS: [&str; 8] = ["dangling", "driver", "id", "label", "name", "scope", "type", "until"];

impl Face {
    /// One network a name; the first node's speaks for all.
    async fn networks(&self) -> BTreeMap<String, Value> {
        let mut found = BTreeMap::new();
        for (_, answer) in self.ask_all(Method::GET, "/networks", None).await {
            let list = answer.ok().and_then(|answer| answer.json::<Vec<Value>>().ok()).unwrap_or_default();
            for network in list {
                let name = network["Name"].as_str().unwrap_or_default().to_owned();
                found.entry(name).or_insert(network);
            }
        }
        found
    }

    /// The name of a network that a client means: its name, or the id that the first node has for it.
    async fn network_name(&self, wanted: &str) -> Result<(String, Value), DockerError> {
        let mut found = self.networks().await;
        if let Some(network) = found.remove(wanted) {
            return Ok((wanted.to_owned(), network));
        }
        let has_id = |network: &Value| network["Id"].as_str().is_some_and(|id| id.starts_with(wanted));
        let by_id = found.into_iter().find(|(_, network)| wanted.len() >= 4 && has_id(network));
        by_id.ok_or_else(|| DockerError::missing(format!("network {wanted} not found")))
    }
}

pub(super) async fn list(State(face): State<Face>, params: Params) -> Result<Json<Vec<Value>>, DockerError> {
    let filters = Filters::parse(&params, &FILTERS)?;
    let networks = face.networks().await.into_iter();
    let wanted = |(name, network): &(String, Value)| {
        let text = |key: &str| network[key].as_str().unwrap_or_default();
        filters.takes("name", |wanted| name.contains(wanted))
            && filters.takes("id", |wanted| text("Id").starts_with(wanted))
            && filters.takes("driver", |wanted| text("Driver") == wanted)
            && filters.takes("scope", |wanted| text("Scope") == wanted)
            && filters.takes("type", |wanted| (wanted == "builtin") == is_builtin(name))
            && filters.takes_labels("label", |key| network["Labels"][key].as_str())
    };
    Ok(Json(networks.filter(wanted).map(|(_, network)| network).collect()))
}

pub(super) async fn inspect(
    State(face): State<Face>,
    Path(name): Path<String>,
) -> Result<Json<Value>, DockerError> {
    face.network_name(&name).await.map(|(_, network)| Json(network))
}

pub(super) async fn create(
    State(face): State<Face>,
    JsonBody(mut asked): JsonBody<NetworkCreateRequest>,
) -> Result<(StatusCode, Json<NetworkCreateResponse>), DockerError> {
    if asked.driver.as_deref() == Some("overlay") {
        return Err(refuse("networks across nodes (overlay); publish ports (-p) and use the node's address"));
    }
    if face.networks().await.contains_key(&asked.name) {
        return Err(DockerError::conflict(format!("network with name {} already exists", asked.name)));
    }
    if asked.driver.is_none() {
        asked.driver = Some("bridge".to_owned());
    }
    let mut json = serde_json::to_value(&asked).map_err(|error| DockerError::bad(error.to_string()))?;
    json["CheckDuplicate"] = json!(true);
    let answers = face.ask_all(Method::POST, "/networks/create", Some(json.to_string())).await;
    let made: NetworkCreateResponse = first(answers)?.json()?;
    Ok((StatusCode::CREATED, Json(made)))
}

pub(super) async fn remove(
    State(face): State<Face>,
    Path(name): Path<String>,
) -> Result<StatusCode, DockerError> {
    let (name, _) = face.network_name(&name).await?;
    let answers = face.ask_all(Method::DELETE, &format!("/networks/{name}"), None).await;
    let refused = answers.iter().find_map(|(_, answer)| match answer {
        Ok(answer) if answer.status == StatusCode::FORBIDDEN || answer.status == StatusCode::CONFLICT => {
            Some(answer.error())
        }
        Ok(_) | Err(_) => None,
    });
    match refused {
        Some(error) => Err(error),
        None => first(answers).map(|_| StatusCode::NO_CONTENT),
    }
}

pub(super) async fn prune(
    State(face): State<Face>,
    params: Params,
) -> Result<Json<NetworkPruneResponse>, DockerError> {
    Filters::parse(&params, &["label", "label!", "until"])?;
    let mut deleted = Vec::new();
    for (_, answer) in face.ask_all(Method::POST, "/networks/prune", None).await {
        let part = answer.ok().and_then(|answer| answer.json::<NetworkPruneResponse>().ok());
        deleted.extend(part.and_then(|part| part.networks_deleted).unwrap_or_default());
    }
    deleted.sort();
    deleted.dedup();
    Ok(Json(NetworkPruneResponse { networks_deleted: Some(deleted) }))
}

pub(super) async fn connect(
    State(face): State<Face>,
    Path(network): Path<String>,
    key: Key,
    JsonBody(asked): JsonBody<NetworkConnectRequest>,
) -> Result<StatusCode, DockerError> {
    let (network, _) = face.network_name(&network).await?;
    let settings = asked.endpoint_config.unwrap_or_default();
    let json = json!({ "EndpointConfig": settings });
    face.rewire(&network, "connect", &asked.container, key, json, |endpoints| {
        endpoints.insert(network.clone(), settings);
    })
    .await
}

pub(super) async fn disconnect(
    State(face): State<Face>,
    Path(network): Path<String>,
    key: Key,
    JsonBody(asked): JsonBody<NetworkDisconnectRequest>,
) -> Result<StatusCode, DockerError> {
    let (network, _) = face.network_name(&network).await?;
    let json = json!({ "Force": asked.force.unwrap_or_default() });
    face.rewire(&network, "disconnect", &asked.container, key, json, |endpoints| {
        endpoints.remove(&network);
    })
    .await
}

/// What every engine has, or what is no network at all.
fn is_builtin(name: &str) -> bool {
    matches!(name, "" | "bridge" | "default" | "host" | "none") || name.starts_with("container:")
}

type Endpoints = std::collections::HashMap<String, EndpointSettings>;

impl Face {
    /// What runs is rewired on its engine; either way the next attempt is made so.
    async fn rewire(
        &self,
        network: &str,
        how: &str,
        name: &str,
        key: Key,
        mut json: Value,
        change: impl FnOnce(&mut Endpoints),
    ) -> Result<StatusCode, DockerError> {
        let id = self.id_of(name).await?;
        let (spec, place) = {
            let state = self.backend.machine.state();
            let container = state.find_container(id).ok_or_else(|| DockerError::no_container(name))?;
            let runs = matches!(container.phase, Phase::Running(_));
            (container.spec.clone(), self.place(&state, id).filter(|_| runs))
        };
        if let Some(place) = place {
            json["Container"] = json!(place.docker_name);
            let path = format!("/networks/{network}/{how}");
            let answer = self.ask_with(place.node, Method::POST, &path, Some(json.to_string())).await?;
            if !answer.status.is_success() {
                return Err(answer.error());
            }
        }
        let odd = |error: serde_json::Error| DockerError::internal(error.to_string());
        let mut body: ContainerCreateBody = serde_json::from_str(&spec.create).map_err(odd)?;
        let endpoints = &mut body.networking_config.get_or_insert_default().endpoints_config;
        let endpoints = endpoints.get_or_insert_default();
        // The network that it was made for has no entry of its own, unless something more was said of it.
        let own = body.host_config.as_ref().and_then(|host| host.network_mode.clone());
        if let Some(own) = own.filter(|own| !is_builtin(own)) {
            endpoints.entry(own).or_default();
        }
        change(endpoints);
        let create = serde_json::to_string(&body).map_err(odd)?;
        let request = key.request(&(how, network, name, &create))?;
        let (needs, restart) = (spec.needs, spec.restart);
        self.commit(Command::Amend { request, container: id, create, needs, restart }).await?;
        Ok(StatusCode::OK)
    }
}
