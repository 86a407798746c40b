//! A look at a film before it is accepted: a short container of the film image on this node's engine.

use std::path::Path;
use std::time::Duration;

use bollard::models::{ContainerCreateBody, HostConfig};
use futures_util::TryStreamExt;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::agent::docker::DockerEngine;
use crate::agent::runtime::{ContainerRuntime, RuntimeError, Status};

/// Longest look.
const WITHIN: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(50);

/// What a film is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Probe {
    /// Places where it can be cut.
    pub(super) keyframes: u32,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProbeError {
    /// It is no film; the sentence is ffprobe's or ours.
    #[error("{0}")]
    NoFilm(String),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] RuntimeError),
}

/// Looks at `source`, in the film folder `folder`, whose name nobody else's probe has.
pub(super) async fn probe(engine: &DockerEngine, image: &str, folder: &Path) -> Result<Probe, ProbeError> {
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(vec!["probe".to_owned()]),
        env: Some(vec!["FILM_DIR=/film".to_owned()]),
        labels: Some([("pinode.probe".to_owned(), "1".to_owned())].into()),
        host_config: Some(HostConfig {
            binds: Some(vec![format!("{}:/film", folder.display())]),
            network_mode: Some("none".to_owned()),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let docker_id = engine.create(&format!("pinode-probe{name}"), body).await?;
    let seen = run(engine, &docker_id).await;
    let removed = engine.remove(&docker_id, true).await;
    let found = seen?;
    removed?;
    found
}

async fn run(engine: &DockerEngine, id: &str) -> Result<Result<Probe, ProbeError>, RuntimeError> {
    engine.start(id).await?;
    let began = Instant::now();
    let code = loop {
        match engine.inspect(id).await? {
            Some(seen) if seen.status == Status::Exited => break seen.code,
            Some(_) if began.elapsed() < WITHIN => sleep(LOOK).await,
            Some(_) => {
                return Err(RuntimeError::Away(format!("the probe took longer than {} s", WITHIN.as_secs())));
            }
            None => return Err(RuntimeError::NoSuch),
        }
    };
    let chunks: Vec<bytes::Bytes> = engine.logs(id, false).try_collect().await?;
    let text = String::from_utf8_lossy(&chunks.concat()).into_owned();
    let found = text.lines().find_map(|line| serde_json::from_str::<Probe>(line).ok());
    Ok(match found.filter(|_| code == 0) {
        Some(found) => Ok(found),
        None => {
            let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it has no video stream");
            Err(ProbeError::NoFilm(last.trim().trim_start_matches("film probe: ").to_owned()))
        }
    })
}
