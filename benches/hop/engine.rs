//! One engine, by its own API over its own socket: containers in a row by hand, and the times that it wrote down.

use std::collections::HashMap;

use anyhow::Context;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, EventsOptionsBuilder, ListContainersOptionsBuilder,
};
use bollard::{ClientVersion, Docker};
use futures_util::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

/// Longest wait for an answer, in seconds.
const TIMEOUT_S: u64 = 60;
/// Spoken by every engine that pinode speaks to.
const VERSION: ClientVersion = ClientVersion { major_version: 1, minor_version: 41 };

/// How the hand that starts one container after the other is told of an end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Told {
    /// By the answer to `wait`, as `docker run` is; the engine takes a while for it.
    ByWait,
    /// By the engine's event, which is as fast as it gets.
    ByEvent,
}

/// One Docker Engine.
pub(crate) struct Engine {
    docker: Docker,
    runtime: Runtime,
}

impl Engine {
    /// The engine at `host`, `unix://…`.
    pub(crate) fn connect(host: &str) -> anyhow::Result<Engine> {
        let path = host.strip_prefix("unix://").unwrap_or(host);
        let docker = Docker::connect_with_unix(path, TIMEOUT_S, &VERSION).context("connect to an engine")?;
        Ok(Engine { docker, runtime: Builder::new_current_thread().enable_all().build()? })
    }

    /// So many containers, each created when the one before has ended; when each ended.
    pub(crate) fn in_a_row(&self, name: &str, count: usize, told: Told) -> anyhow::Result<Vec<Timestamp>> {
        self.runtime.block_on(async {
            let mut ids = Vec::new();
            for k in 0..count {
                ids.push(self.run(&format!("{name}-{k}"), told).await?);
            }
            let mut ends = Vec::new();
            for id in &ids {
                ends.push(self.end(id).await?);
            }
            Ok(ends)
        })
    }

    /// When the one container with this label ended.
    pub(crate) fn end_of_labelled(&self, label: &str) -> anyhow::Result<Timestamp> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        self.runtime.block_on(async {
            let found = self.docker.list_containers(Some(options)).await?;
            let id = found.into_iter().find_map(|container| container.id);
            self.end(&id.with_context(|| format!("no container has the label {label}"))?).await
        })
    }

    async fn run(&self, name: &str, told: Told) -> anyhow::Result<String> {
        let body = ContainerCreateBody {
            image: Some("busybox:local".to_owned()),
            cmd: Some(vec!["true".to_owned()]),
            host_config: Some(HostConfig { network_mode: Some("none".to_owned()), ..HostConfig::default() }),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        let id = self.docker.create_container(Some(options), body).await?.id;
        match told {
            Told::ByWait => {
                self.docker.start_container(&id, None).await?;
                self.docker.wait_container(&id, None).try_collect::<Vec<_>>().await?;
            }
            Told::ByEvent => self.start_and_hear(&id).await?,
        }
        Ok(id)
    }

    /// Since the moment before the start, so that a connection that comes late misses nothing.
    async fn start_and_hear(&self, id: &str) -> anyhow::Result<()> {
        let filters = HashMap::from([("container", vec![id]), ("event", vec!["die"])]);
        let since = Timestamp::now().as_second().to_string();
        let options = EventsOptionsBuilder::default().since(&since).filters(&filters).build();
        let mut events = self.docker.events(Some(options));
        let (started, died) = tokio::join!(self.docker.start_container(id, None), events.next());
        started?;
        died.context("the events ended")??;
        Ok(())
    }

    async fn end(&self, id: &str) -> anyhow::Result<Timestamp> {
        let state = self.docker.inspect_container(id, None).await?.state;
        let at = state.and_then(|state| state.finished_at).with_context(|| format!("{id} has not ended"))?;
        at.parse().with_context(|| format!("read {at}"))
    }
}
