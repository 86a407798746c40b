//! The real engine, through bollard.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, ContainerStateStatusEnum, EndpointSettings,
    HealthStatusEnum, NetworkConnectRequest,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, EventsOptionsBuilder, KillContainerOptionsBuilder,
    ListContainersOptionsBuilder, ListImagesOptions, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
    StopContainerOptionsBuilder,
};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use pinode_scheduler::node::Image;

use super::runtime::{ContainerRuntime, EngineInfo, Hint, History, RuntimeError, Seen, Status, label};
use crate::clock;

/// Longest wait for an answer of the engine, in seconds; a stop waits for its grace on top.
const TIMEOUT_S: u64 = 60;
/// What the engine says of a time that has not come.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// A Docker Engine.
#[derive(Debug)]
pub struct DockerEngine {
    client: Docker,
    /// What machine each image is made for, by its id: lists do not say, and ids do not change.
    arches: Mutex<BTreeMap<String, String>>,
}

impl DockerEngine {
    /// The engine at `host`: `unix:///…`, `tcp://…` or `http://…`. Connects when it is first asked.
    pub fn new(host: &str) -> Result<DockerEngine, RuntimeError> {
        // 1.41 is spoken by every engine from 20.10 to 29, and has all that is asked here.
        let version = &bollard::ClientVersion { major_version: 1, minor_version: 41 };
        let client = match host.strip_prefix("unix://") {
            Some(path) => Docker::connect_with_unix(path, TIMEOUT_S, version),
            None => Docker::connect_with_http(host, TIMEOUT_S, version),
        };
        let client = client.map_err(|error| RuntimeError::Away(format!("{host}: {error}")))?;
        Ok(DockerEngine { client, arches: Mutex::default() })
    }

    /// Empty if the image is gone, or does not say.
    async fn arch(&self, id: &str) -> Result<String, RuntimeError> {
        if let Some(arch) = self.known_arches().get(id) {
            return Ok(arch.clone());
        }
        match self.client.inspect_image(id).await.map_err(failed) {
            Ok(image) => Ok(image.architecture.unwrap_or_default()),
            Err(RuntimeError::ImageMissing(_)) => Ok(String::new()),
            Err(error) => Err(error),
        }
    }

    fn known_arches(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.arches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client, for what is beyond the agent's needs.
    pub fn client(&self) -> &Docker {
        &self.client
    }
}

fn failed(error: Error) -> RuntimeError {
    if let Error::DockerResponseServerError { status_code, message } = error {
        return refused(status_code, message);
    }
    RuntimeError::Away(error.to_string())
}

fn refused(status: u16, message: String) -> RuntimeError {
    let full = message.contains("no space left") || message.contains("disk quota");
    match status {
        404 if message.to_ascii_lowercase().contains("no such image") => RuntimeError::ImageMissing(message),
        404 if message.to_ascii_lowercase().contains("no such container") => RuntimeError::NoSuch,
        409 if message.contains("already in use") => RuntimeError::NameTaken,
        _ if full => RuntimeError::NoSpace(message),
        _ => RuntimeError::Refused { status, message },
    }
}

fn seen(found: ContainerInspectResponse) -> Seen {
    let state = found.state.unwrap_or_default();
    let labels = found.config.and_then(|config| config.labels).unwrap_or_default();
    let time = |at: Option<String>| at.filter(|at| at != NEVER && !at.is_empty());
    let status = match state.status {
        Some(ContainerStateStatusEnum::CREATED) | None => Status::Created,
        Some(ContainerStateStatusEnum::EXITED | ContainerStateStatusEnum::DEAD) => Status::Exited,
        Some(_) => Status::Running,
    };
    Seen {
        id: found.id.unwrap_or_default(),
        status,
        code: state.exit_code.unwrap_or_default(),
        oom: state.oom_killed.unwrap_or_default(),
        started_at: time(state.started_at),
        finished_at: time(state.finished_at),
        healthy: state.health.and_then(|health| health.status) == Some(HealthStatusEnum::HEALTHY),
        ours: ours(&labels),
        error: state.error.unwrap_or_default(),
    }
}

fn ours(labels: &HashMap<String, String>) -> Option<(String, u32)> {
    Some((labels.get(label::CONTAINER)?.clone(), labels.get(label::ATTEMPT)?.parse().ok()?))
}

fn only(key: &str, value: String) -> HashMap<String, Vec<String>> {
    HashMap::from([(key.to_owned(), vec![value])])
}

impl ContainerRuntime for DockerEngine {
    fn images(&self) -> BoxFuture<'_, Result<Vec<Image>, RuntimeError>> {
        async move {
            let found = self.client.list_images(None::<ListImagesOptions>).await.map_err(failed)?;
            let mut arches = BTreeMap::new();
            let mut images = BTreeMap::new();
            for image in found {
                let arch = self.arch(&image.id).await?;
                let names = image.repo_tags.into_iter().filter(|name| name != "<none>:<none>");
                images.extend(names.chain([image.id.clone()]).map(|name| (name, arch.clone())));
                arches.insert(image.id, arch);
            }
            *self.known_arches() = arches;
            Ok(images.into_iter().map(|(name, arch)| Image { name, arch }).collect())
        }
        .boxed()
    }

    fn info(&self) -> BoxFuture<'_, Result<EngineInfo, RuntimeError>> {
        async move {
            let info = self.client.info().await.map_err(failed)?;
            Ok(EngineInfo {
                version: info.server_version.unwrap_or_default(),
                cpus: info.ncpu.and_then(|n| u64::try_from(n).ok()).unwrap_or(1),
                memory: info.mem_total.and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
                arch: info.architecture.unwrap_or_default(),
                os: info.operating_system.unwrap_or_default(),
                kernel: info.kernel_version.unwrap_or_default(),
                storage: info.driver.unwrap_or_default(),
                live_restore: info.live_restore_enabled.unwrap_or_default(),
            })
        }
        .boxed()
    }

    fn list<'a>(&'a self, cluster: &'a str) -> BoxFuture<'a, Result<Vec<Seen>, RuntimeError>> {
        async move {
            let filters = only("label", format!("{}={cluster}", label::CLUSTER));
            let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
            let found = self.client.list_containers(Some(options)).await.map_err(failed)?;
            let summary = |c: bollard::models::ContainerSummary| Seen {
                id: c.id.unwrap_or_default(),
                status: match c.state.map(|state| state.to_string()).as_deref() {
                    Some("created") | None => Status::Created,
                    Some("exited" | "dead") => Status::Exited,
                    Some(_) => Status::Running,
                },
                code: 0,
                oom: false,
                started_at: None,
                finished_at: None,
                healthy: false,
                ours: ours(&c.labels.unwrap_or_default()),
                error: String::new(),
            };
            Ok(found.into_iter().map(summary).collect())
        }
        .boxed()
    }

    fn create<'a>(
        &'a self,
        name: &'a str,
        body: ContainerCreateBody,
    ) -> BoxFuture<'a, Result<String, RuntimeError>> {
        async move {
            let options = CreateContainerOptionsBuilder::default().name(name).build();
            self.client.create_container(Some(options), body).await.map(|made| made.id).map_err(failed)
        }
        .boxed()
    }

    fn connect<'a>(
        &'a self,
        network: &'a str,
        id: &'a str,
        settings: EndpointSettings,
    ) -> BoxFuture<'a, Result<(), RuntimeError>> {
        async move {
            let request = NetworkConnectRequest { container: id.to_owned(), endpoint_config: Some(settings) };
            self.client.connect_network(network, request).await.map_err(failed)
        }
        .boxed()
    }

    fn start<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), RuntimeError>> {
        async move { self.client.start_container(id, None).await.map_err(failed) }.boxed()
    }

    fn inspect<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Seen>, RuntimeError>> {
        async move {
            match self.client.inspect_container(id, None).await.map_err(failed) {
                Ok(found) => Ok(Some(seen(found))),
                Err(RuntimeError::NoSuch) => Ok(None),
                Err(error) => Err(error),
            }
        }
        .boxed()
    }

    fn stop<'a>(&'a self, id: &'a str, grace_s: u32) -> BoxFuture<'a, Result<(), RuntimeError>> {
        async move {
            let options =
                StopContainerOptionsBuilder::default().t(i32::try_from(grace_s).unwrap_or(i32::MAX)).build();
            self.client.stop_container(id, Some(options)).await.map_err(failed)
        }
        .boxed()
    }

    fn kill<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), RuntimeError>> {
        async move {
            let options = KillContainerOptionsBuilder::default().signal("KILL").build();
            self.client.kill_container(id, Some(options)).await.map_err(failed)
        }
        .boxed()
    }

    fn remove<'a>(&'a self, id: &'a str, force: bool) -> BoxFuture<'a, Result<(), RuntimeError>> {
        async move {
            let options = RemoveContainerOptionsBuilder::default().force(force).v(true).build();
            self.client.remove_container(id, Some(options)).await.map_err(failed)
        }
        .boxed()
    }

    fn history<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<History, RuntimeError>> {
        async move {
            // Bounded by now, so that the engine answers with what it remembers instead of following.
            let now = clock::wall_ms();
            let until = format!("{}.{:03}000000", now / 1000, now % 1000);
            let filters = only("container", id.to_owned());
            let options = EventsOptionsBuilder::default().since("0").until(&until).filters(&filters).build();
            let mut events = self.client.events(Some(options));
            let mut history = History::default();
            while let Some(event) = events.try_next().await.map_err(failed)? {
                match event.action.as_deref() {
                    Some("start") => history.start = true,
                    Some("kill") => history.kill = true,
                    Some("die") => break,
                    Some(_) | None => {}
                }
            }
            Ok(history)
        }
        .boxed()
    }

    fn logs(&self, id: &str, follow: bool) -> BoxStream<'static, Result<Bytes, RuntimeError>> {
        let options = LogsOptionsBuilder::default().follow(follow).stdout(true).stderr(true).build();
        self.client
            .logs(id, Some(options))
            .map_ok(bollard::container::LogOutput::into_bytes)
            .map_err(failed)
            .boxed()
    }

    fn hints(&self, cluster: &str) -> BoxStream<'static, Result<Hint, RuntimeError>> {
        let mut filters = only("label", format!("{}={cluster}", label::CLUSTER));
        filters.insert("type".to_owned(), vec!["container".to_owned()]);
        let options = EventsOptionsBuilder::default().filters(&filters).build();
        let hint = |event: bollard::models::EventMessage| {
            let attributes = event.actor?.attributes?;
            let (container, attempt) = ours(&attributes)?;
            // What a program runs inside itself (health checks) changes nothing out here.
            let inside = event.action.as_deref().is_some_and(|action| action.starts_with("exec_"));
            (!inside).then_some(Hint { container, attempt })
        };
        let events = self.client.events(Some(options)).map_err(failed);
        events.try_filter_map(move |event| std::future::ready(Ok(hint(event)))).boxed()
    }

    fn has_image<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<bool, RuntimeError>> {
        async move {
            match self.client.inspect_image(image).await {
                Ok(_) => Ok(true),
                Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
                Err(error) => Err(failed(error)),
            }
        }
        .boxed()
    }
}
