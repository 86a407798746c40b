//! Volumes. One of the driver `glusterfs` is a folder of the shared folder, the same on all nodes; a local one is on the
//! node where it was first used, and made on each so that it can be.

use std::collections::HashMap;
use std::path::PathBuf;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use bollard::models::{
    Volume, VolumeCreateRequest, VolumeListResponse, VolumePruneResponse, VolumeScopeEnum,
};

use super::error::DockerError;
use super::face::Face;
use super::filters::Filters;
use super::params::{JsonBody, Params};
use crate::agent::SHARED_DRIVER;
use crate::submit::check_name;

const FILTERS: [&str; 4] = ["dangling", "driver", "label", "name"];

pub(super) async fn list(
    State(face): State<Face>,
    params: Params,
) -> Result<Json<VolumeListResponse>, DockerError> {
    let filters = Filters::parse(&params, &FILTERS)?;
    let mut volumes = face.local_volumes().await;
    volumes.extend(face.shared_volumes().await?);
    volumes.sort_by(|a, b| a.name.cmp(&b.name));
    let used = face.used_volumes();
    volumes.retain(|volume| {
        filters.takes("name", |wanted| volume.name.contains(wanted))
            && filters.takes("driver", |wanted| volume.driver == wanted)
            && filters
                .takes("dangling", |wanted| matches!(wanted, "true" | "1") != used.contains(&volume.name))
            && filters.takes_labels("label", |key| volume.labels.get(key).map(String::as_str))
    });
    Ok(Json(VolumeListResponse { volumes: Some(volumes), warnings: Some(Vec::new()) }))
}

impl Face {
    /// One line a name: that of the node where it is pinned, or else the first that has it.
    async fn local_volumes(&self) -> Vec<Volume> {
        let mut found: HashMap<String, Volume> = HashMap::new();
        for (peer, answer) in self.ask_all(Method::GET, "/volumes", None).await {
            let list = answer.ok().and_then(|answer| answer.json::<VolumeListResponse>().ok());
            for volume in list.and_then(|list| list.volumes).into_iter().flatten() {
                let home = self.backend.machine.state().volume_home(&volume.name);
                if home.is_none_or(|home| home == peer.id) {
                    found.entry(volume.name.clone()).or_insert(volume);
                }
            }
        }
        found.into_values().collect()
    }

    /// The folders of the shared folder. It may hang for as long as its network does, and is read apart.
    async fn shared_volumes(&self) -> Result<Vec<Volume>, DockerError> {
        let shared = self.backend.shared_dir.clone();
        let names = tokio::task::spawn_blocking(move || {
            let entries = std::fs::read_dir(&shared).into_iter().flatten().flatten();
            let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
            names.filter(|name| !name.starts_with('.')).collect::<Vec<_>>()
        });
        let names = names.await.map_err(|error| DockerError::internal(error.to_string()))?;
        Ok(names.into_iter().map(|name| shared_volume(name, self.backend.shared_dir.clone())).collect())
    }

    fn used_volumes(&self) -> Vec<String> {
        let state = self.backend.machine.state();
        let bodies = state.containers().map(|c| serde_json::from_str(&c.spec.create).unwrap_or_default());
        let binds = bodies.flat_map(|body: bollard::models::ContainerCreateBody| {
            body.host_config.and_then(|host| host.binds).unwrap_or_default()
        });
        binds.filter_map(|bind| bind.split_once(':').map(|(source, _)| source.to_owned())).collect()
    }
}

fn shared_volume(name: String, shared: PathBuf) -> Volume {
    Volume {
        mountpoint: shared.join(&name).display().to_string(),
        name,
        driver: SHARED_DRIVER.to_owned(),
        scope: Some(VolumeScopeEnum::GLOBAL),
        ..Volume::default()
    }
}

pub(super) async fn create(
    State(face): State<Face>,
    JsonBody(mut asked): JsonBody<VolumeCreateRequest>,
) -> Result<(StatusCode, Json<Volume>), DockerError> {
    let name = match asked.name.clone().filter(|name| !name.is_empty()) {
        Some(name) => check_name("Name", &name)?,
        // The same on every engine.
        None => crate::http::Key::fresh()?.as_str().to_owned(),
    };
    if asked.driver.as_deref() == Some(SHARED_DRIVER) {
        let (folder, shared) = (face.backend.shared_dir.join(&name), face.backend.shared_dir.clone());
        let made = tokio::task::spawn_blocking(move || std::fs::create_dir_all(folder)).await;
        let made = made.map_err(|error| DockerError::internal(error.to_string()))?;
        made.map_err(|error| DockerError::internal(format!("make the folder of {name}: {error}")))?;
        return Ok((StatusCode::CREATED, Json(shared_volume(name, shared))));
    }
    asked.name = Some(name);
    let json = serde_json::to_string(&asked).map_err(|error| DockerError::bad(error.to_string()))?;
    let answers = face.ask_all(Method::POST, "/volumes/create", Some(json)).await;
    super::images::first(answers).and_then(|answer| Ok((StatusCode::CREATED, Json(answer.json()?))))
}

pub(super) async fn inspect(
    State(face): State<Face>,
    Path(name): Path<String>,
) -> Result<Json<Volume>, DockerError> {
    let local = face.local_volumes().await.into_iter().find(|volume| volume.name == name);
    let found = match local {
        Some(local) => Some(local),
        None => face.shared_volumes().await?.into_iter().find(|volume| volume.name == name),
    };
    found.map(Json).ok_or_else(|| DockerError::missing(format!("get {name}: no such volume")))
}

pub(super) async fn remove(
    State(face): State<Face>,
    Path(name): Path<String>,
    params: Params,
) -> Result<StatusCode, DockerError> {
    if face.used_volumes().contains(&name) {
        return Err(DockerError::conflict(format!("remove {name}: volume is in use")));
    }
    let force = if params.flag("force") { "?force=1" } else { "" };
    let answers = face.ask_all(Method::DELETE, &format!("/volumes/{name}{force}"), None).await;
    let done = super::images::first(answers);
    if done.is_err() && face.shared_volumes().await?.iter().any(|volume| volume.name == name) {
        let message = format!(
            "remove {name}: it is a folder that all nodes share, and its files are not removed by a word; remove {}",
            face.backend.shared_dir.join(&name).display()
        );
        return Err(DockerError::conflict(message));
    }
    done.map(|_| StatusCode::NO_CONTENT)
}

pub(super) async fn prune(
    State(face): State<Face>,
    params: Params,
) -> Result<Json<VolumePruneResponse>, DockerError> {
    Filters::parse(&params, &["all", "label", "label!"])?;
    let query = params.text("filters").map(|filters| {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("filters", filters).finish();
        format!("?{query}")
    });
    let path = format!("/volumes/prune{}", query.unwrap_or_default());
    let mut whole = VolumePruneResponse { volumes_deleted: Some(Vec::new()), space_reclaimed: Some(0) };
    for (_, answer) in face.ask_all(Method::POST, &path, None).await {
        let Some(part) = answer.ok().and_then(|a| a.json::<VolumePruneResponse>().ok()) else { continue };
        whole.volumes_deleted.get_or_insert_default().extend(part.volumes_deleted.unwrap_or_default());
        *whole.space_reclaimed.get_or_insert(0) += part.space_reclaimed.unwrap_or(0);
    }
    let deleted = whole.volumes_deleted.get_or_insert_default();
    deleted.sort();
    deleted.dedup();
    Ok(Json(whole))
}
