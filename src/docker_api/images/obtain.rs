//! An image for a claim: from a node that has it, and only where none has it, from its registry.

use std::time::Duration;

use axum::http::Method;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use serde_json::Value;
use tokio::time::timeout;

use super::tagged;
use crate::agent::ImageSource;
use crate::docker_api::error::DockerError;
use crate::docker_api::face::Face;
use crate::docker_api::reach::{Peer, read};
use crate::docker_api::request::bare;
use crate::docker_api::stats::lines;

/// A registry that says nothing for so long is not there; most homes that have none have no name for it either.
const REGISTRY_ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// A pull that says nothing for so long has come to a stop.
const PULL_GOES_ON_WITHIN: Duration = Duration::from_secs(120);

impl ImageSource for Face {
    fn bring<'a>(
        &'a self,
        image: &'a str,
        doing: &'a (dyn Fn(String) + Send + Sync),
    ) -> BoxFuture<'a, Result<(), String>> {
        async move {
            let holders = self.holders(image).await;
            for Peer { id, name } in holders.into_iter().filter(|peer| peer.id != self.backend.me) {
                doing(format!("fetches image {image} from {name}"));
                match self.fetch_image(image, id).await {
                    Ok(()) => return Ok(()),
                    Err(error) => tracing::warn!(%error, image, from = %name, "fetch an image"),
                }
            }
            doing(format!("pulls image {image} from its registry"));
            self.pull(image).await.map_err(|error| error.message)
        }
        .boxed()
    }
}

impl Face {
    async fn pull(&self, image: &str) -> Result<(), DockerError> {
        let _turn = self.transfers.acquire().await;
        let query =
            form_urlencoded::Serializer::new(String::new()).append_pair("fromImage", &tagged(image)).finish();
        let request = bare(Method::POST, &format!("/images/create?{query}"))?;
        let silent = |_| DockerError::internal("its registry does not answer");
        let answer = timeout(REGISTRY_ANSWERS_WITHIN, self.engine.send(request)).await.map_err(silent)??;
        if !answer.status().is_success() {
            return Err(read(answer).await?.error());
        }
        let mut body = std::pin::pin!(lines(answer.into_body()));
        let mut within = REGISTRY_ANSWERS_WITHIN;
        while let Some(line) = timeout(within, body.next()).await.map_err(silent)? {
            let line = line.map_err(|error| DockerError::internal(error.to_string()))?;
            let said: Value = serde_json::from_slice(&line).unwrap_or_default();
            if let Some(error) = said["error"].as_str() {
                return Err(DockerError::internal(error));
            }
            within = PULL_GOES_ON_WITHIN;
        }
        Ok(())
    }
}
