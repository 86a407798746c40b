//! Where people come in: HTTP on its listener and on a local socket. A simulation's clients have doors of their own.

use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::agent::docker::DockerEngine;
use crate::config::Config;
use crate::http::{self, Backend};
use crate::members::Founding;
use crate::transport::Services;
use crate::{docker_api, film};

/// Where people come in.
pub trait Doors: Send {
    /// Serves who comes before there is a cluster. Ends only when it cannot go on.
    fn wait(&mut self, founding: Arc<Founding>) -> impl Future<Output = ()> + Send;
    /// Serves everybody from now on.
    fn open(&mut self, backend: Backend, services: &Services, tasks: &mut JoinSet<()>) -> anyhow::Result<()>;
}

/// The real ones.
pub(super) struct HttpDoors {
    pub(super) config: Config,
    pub(super) listener: Arc<TcpListener>,
    pub(super) engine: Arc<DockerEngine>,
}

impl Doors for HttpDoors {
    async fn wait(&mut self, founding: Arc<Founding>) {
        http::serve(self.listener.clone(), http::waiting(founding)).await;
    }

    fn open(&mut self, backend: Backend, services: &Services, tasks: &mut JoinSet<()>) -> anyhow::Result<()> {
        let films = film::Films::new(backend.clone(), self.engine.clone(), &self.config);
        let events = docker_api::EventLog::default();
        tasks.spawn(docker_api::record(backend.machine.clone(), events.clone()));
        let face = docker_api::FaceConfig {
            docker_host: self.config.docker_host.clone(),
            version: self.config.docker_api_version,
        };
        let face = docker_api::Face::new(backend.clone(), face, events);
        backend.agent.fetch_images_from(Arc::new(face.clone()));
        let for_nodes = http::for_nodes(backend.clone()).merge(film::for_nodes(films.clone()));
        services.http.get_or_init(|| for_nodes.merge(docker_api::for_nodes(face.clone())));
        let router = docker_api::front(http::router(backend).merge(film::routes(films)), face);
        if let Some(path) = &self.config.socket {
            let socket = http::bind_socket(path).context("open the local socket")?;
            tasks.spawn(http::serve_socket(socket, router.clone()));
        }
        tasks.spawn(http::serve(self.listener.clone(), router));
        tracing::info!(listen = %self.config.listen, "ready for people");
        Ok(())
    }
}
