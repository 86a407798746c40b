//! One node, a cluster of its own.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use pinode_raft::Raft;
use pinode_raft::config::{Timeouts, raft_config};
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::engine;
use crate::agent::docker::DockerEngine;
use crate::agent::{Agent, AgentConfig, Intents};
use crate::cli::JoinArgs;
use crate::config::Config;
use crate::docker_api::{ANNOUNCED, EventLog, Face, FaceConfig, front};
use crate::film;
use crate::http::{Backend, hex, router};
use crate::liveness::{Lease, Record, Timing};
use crate::members::{Founding, found, initialise};
use crate::propose::Proposer;
use crate::transport::wire::Joiner;
use crate::transport::{Greeting, Network, Peers};
use crate::web;

pub(crate) struct Node {
    router: Router,
    /// The same, with Docker's API beside it.
    pub(crate) front: Router,
    dir: TempDir,
    _engine: JoinSet<()>,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

impl Answer {
    /// The word of an error, and the field at fault.
    pub(super) fn error(&self) -> (&str, &str) {
        let text = |name: &str| self.body["error"][name].as_str().unwrap_or_default();
        (text("code"), text("field"))
    }

    pub(super) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }
}

pub(crate) async fn node() -> Node {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let engine_tasks = engine::serve(&at("docker.sock"));
    let args = JoinArgs {
        name: Some("n1".to_owned()),
        data_dir: Some(at("data")),
        docker_host: Some(format!("unix://{}", at("docker.sock").display())),
        ..JoinArgs::default()
    };
    let config = Config::load(args).unwrap();
    let opened = pinode_raft::open(&config.data_dir, 1, Box::new(|error| panic!("a sync failed: {error}")));
    let opened = opened.unwrap();
    let (mut identity, log, machine) = (opened.identity, opened.log, opened.machine);
    let me = identity.node();
    let greeting = Greeting::new(me, identity.start(), log.clone(), machine.clone(), identity.cluster());
    let greeting = Arc::new(greeting);
    let peers = Arc::new(Peers::new(greeting.clone()));
    let joiner = Joiner { node: me, name: "n1".to_owned(), addr: "127.0.0.1:1".to_owned() };
    let founding = Founding::new(joiner, &BTreeSet::new());
    let found = found(&mut identity, &founding, &greeting, &peers).await.unwrap();
    let raft_config = Arc::new(raft_config("test", Timeouts::FAST).unwrap());
    let raft = Raft::new(me, raft_config, Network::new(peers.clone()), log, machine.clone()).await.unwrap();
    initialise(&raft, me, &found).await.unwrap();
    let engine = Arc::new(DockerEngine::new(&config.docker_host).unwrap());
    let cluster = identity.cluster().unwrap();
    let agent = AgentConfig {
        cluster: hex(&cluster),
        node: "n1".to_owned(),
        boot: "boot".to_owned(),
        intents: Intents::open(&at("intents")).unwrap(),
        shared_dir: config.shared_dir.clone(),
        live_restore: true,
    };
    let (agent, _reports) =
        Agent::start(engine.clone(), Lease::new(Timing::DEFAULT, Record::nowhere(), None), agent);
    let backend = Backend {
        node: "n1".to_owned(),
        me,
        cluster,
        proposer: Proposer::new(raft.clone(), machine.clone(), peers.clone(), me),
        raft,
        machine,
        peers,
        agent: Arc::new(agent),
        shared_dir: config.shared_dir.clone(),
        strategy: Default::default(),
    };
    let films = film::routes(film::Films::new(backend.clone(), engine, &config));
    let router = router(backend.clone()).merge(films).merge(web::routes(backend.clone()));
    let face = FaceConfig { docker_host: config.docker_host.clone(), version: ANNOUNCED };
    let front = front(router.clone(), Face::new(backend, face, EventLog::default()));
    Node { router, front, dir, _engine: engine_tasks }
}

impl Node {
    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let text = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let body = serde_json::from_slice(&text)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&text).into_owned()));
        Answer { status, body }
    }

    pub(super) async fn ask(&self, method: Method, path: &str, key: Option<&str>, body: &Value) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.send(request.body(body).unwrap()).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None, &Value::Null).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(Method::POST, path, None, body).await
    }

    /// Names of all containers.
    pub(super) async fn names(&self) -> Vec<String> {
        let all = self.get("/api/v1/containers").await.body;
        all.as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect()
    }

    /// The folder of all films.
    pub(super) fn films(&self) -> PathBuf {
        self.dir.path().join("data/shared/films")
    }
}
