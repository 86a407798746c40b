//! This node's own Docker Engine, as bytes: requests are passed on as they come, in a version that it speaks.

use std::sync::Mutex;
use std::sync::PoisonError;

use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde::Deserialize;
use tokio::net::{TcpStream, UnixStream};

use super::error::DockerError;
use super::request::{bare, query, redirect};
use super::version::{self, Version};
use crate::http::relay;

/// Largest answer to "which version are you", in bytes.
const WORD_MAX_BYTES: usize = 64 << 10;

/// Where the engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Address {
    Unix(String),
    Tcp(String),
}

/// The versions that an engine speaks.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Speaks {
    #[serde(rename = "ApiVersion", deserialize_with = "parsed")]
    newest: Version,
    #[serde(rename = "MinAPIVersion", deserialize_with = "parsed")]
    oldest: Version,
}

fn parsed<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Version, D::Error> {
    String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
}

/// The engine.
#[derive(Debug)]
pub(super) struct Engine {
    address: Address,
    speaks: Mutex<Option<Speaks>>,
}

impl Engine {
    /// The engine at `host`: `unix:///…`, `tcp://…` or `http://…`.
    pub(super) fn new(host: &str) -> Engine {
        let address = match host.strip_prefix("unix://") {
            Some(path) => Address::Unix(path.to_owned()),
            None => {
                let host = host.split_once("://").map_or(host, |(_, host)| host);
                Address::Tcp(host.trim_end_matches('/').to_owned())
            }
        };
        Engine { address, speaks: Mutex::default() }
    }

    /// Passes a request on. Its path may begin with a version; the engine gets the nearest one that it speaks.
    pub(super) async fn send(&self, mut request: Request<Body>) -> Result<Response<Body>, DockerError> {
        let speaks = self.speaks().await?;
        let (asked, rest) = version::split(request.uri().path());
        let spoken = asked.unwrap_or(speaks.newest).min(speaks.newest).max(speaks.oldest);
        let query = query(&request);
        let path = format!("/v{spoken}{rest}{query}");
        redirect(&mut request, &path)?;
        self.pass(request).await
    }

    async fn speaks(&self) -> Result<Speaks, DockerError> {
        let known = *self.known();
        if let Some(speaks) = known {
            return Ok(speaks);
        }
        let request = bare(Method::GET, "/version")?;
        let answer = self.pass(request).await?;
        let body = Limited::new(answer.into_body(), WORD_MAX_BYTES).collect().await;
        let body = body.map_err(|error| DockerError::internal(error.to_string()))?.to_bytes();
        let speaks = serde_json::from_slice(&body).map_err(|error| away(&error))?;
        *self.known() = Some(speaks);
        Ok(speaks)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<Speaks>> {
        self.speaks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn pass(&self, request: Request<Body>) -> Result<Response<Body>, DockerError> {
        let answer = match &self.address {
            Address::Unix(path) => match UnixStream::connect(path).await {
                Ok(socket) => relay(socket, request).await,
                Err(error) => return Err(self.is_away(&error)),
            },
            Address::Tcp(addr) => match TcpStream::connect(addr).await {
                Ok(socket) => relay(socket, request).await,
                Err(error) => return Err(self.is_away(&error)),
            },
        };
        answer.map_err(|error| away(&error))
    }

    /// An engine that is started again may be another one.
    fn is_away(&self, error: &std::io::Error) -> DockerError {
        *self.known() = None;
        away(error)
    }
}

fn away(error: &dyn std::error::Error) -> DockerError {
    DockerError::new(StatusCode::BAD_GATEWAY, format!("the node's Docker Engine does not answer: {error}"))
}
