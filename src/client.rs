//! The commands' end of the native API: tries one node after the other, streams what streams, and turns every failure
//! into a sentence and an exit code.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, BodyStream, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::api::{ErrorBody, ErrorDetail};
use crate::config::DEFAULT_SOCKET;
use crate::http::hex;

/// Longest wait for a connection to one node.
const DIAL_TIMEOUT: Duration = Duration::from_secs(3);
/// Where a node listens when nobody says otherwise.
const DEFAULT_HOST: &str = "http://127.0.0.1:7373";

/// A body that is sent.
pub type Outgoing = BoxBody<Bytes, std::io::Error>;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No node answered.
    #[error("no node is reachable ({}); name one with --host or PINODE_HOST", .0.join("; "))]
    Unreachable(Vec<String>),
    /// A node refused, with a sentence.
    #[error("{}", .detail.message)]
    Refused {
        /// HTTP status.
        status: StatusCode,
        /// What it said.
        detail: ErrorDetail,
    },
    /// The answer broke off or made no sense.
    #[error("the answer of {host} broke off: {why}")]
    Broken {
        /// Who.
        host: String,
        /// How.
        why: String,
    },
    /// `--host` makes no sense.
    #[error("--host {0}: write http://HOST:PORT, tcp://HOST:PORT, HOST:PORT or unix:///PATH")]
    BadHost(String),
}

impl ClientError {
    /// 1 refused or failed, 3 no node reachable, 4 no quorum in time.
    pub fn exit_code(&self) -> u8 {
        match self {
            ClientError::Unreachable(_) => 3,
            ClientError::Refused { status, .. } if *status == StatusCode::SERVICE_UNAVAILABLE => 4,
            ClientError::Refused { .. } | ClientError::Broken { .. } => 1,
            ClientError::BadHost(_) => 2,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Tcp(String),
    Unix(PathBuf),
}

impl Host {
    fn parse(text: &str) -> Result<Host, ClientError> {
        if let Some(path) = text.strip_prefix("unix://") {
            return Ok(Host::Unix(PathBuf::from(path)));
        }
        let addr = ["http://", "tcp://"].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
        let addr = addr.trim_end_matches('/');
        let fine =
            addr.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        if fine { Ok(Host::Tcp(addr.to_owned())) } else { Err(ClientError::BadHost(text.to_owned())) }
    }

    fn name(&self) -> String {
        match self {
            Host::Tcp(addr) => addr.clone(),
            Host::Unix(path) => path.display().to_string(),
        }
    }
}

/// Talks to a cluster through any of its nodes.
#[derive(Clone, Debug)]
pub struct Client {
    hosts: Vec<Host>,
}

impl Client {
    /// `given` is one host or a comma list; without it the local socket, then the local port.
    pub fn new(given: Option<&str>) -> Result<Client, ClientError> {
        let hosts = match given {
            Some(list) => list.split(',').map(|text| Host::parse(text.trim())).collect::<Result<_, _>>()?,
            None if std::path::Path::new(DEFAULT_SOCKET).exists() => {
                vec![Host::Unix(PathBuf::from(DEFAULT_SOCKET)), Host::parse(DEFAULT_HOST)?]
            }
            None => vec![Host::parse(DEFAULT_HOST)?],
        };
        Ok(Client { hosts })
    }

    /// A look.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.json(self.send(Method::GET, path, None).await?).await
    }

    /// An act with a JSON body and answer. A repetition on another node carries the same key.
    pub async fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| broken("this command", &error))?;
        self.json(self.send(Method::POST, path, Some(body)).await?).await
    }

    /// An act with a JSON body and no answer.
    pub async fn post_quietly<B: Serialize>(&self, path: &str, body: &B) -> Result<(), ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| broken("this command", &error))?;
        self.send(Method::POST, path, Some(body)).await.map(drop)
    }

    /// An act without an answer.
    pub async fn act(&self, method: Method, path: &str) -> Result<(), ClientError> {
        self.send(method, path, None).await.map(drop)
    }

    /// An answer that streams.
    pub async fn stream(
        &self,
        path: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, ClientError>> + Unpin + use<>, ClientError> {
        let (host, response) = self.send(Method::GET, path, None).await?;
        let frames = BodyStream::new(response.into_body());
        let frames = TryStreamExt::map_err(frames, move |error| broken(&host, &error));
        Ok(Box::pin(frames.try_filter_map(|frame| std::future::ready(Ok(frame.into_data().ok())))))
    }

    /// A body that can be sent only once: to the first node that takes a connection.
    pub async fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        content_type: &str,
        length: u64,
        body: Outgoing,
    ) -> Result<T, ClientError> {
        let mut missed = Vec::new();
        for host in &self.hosts {
            let stream = match dial(host).await {
                Ok(stream) => stream,
                Err(error) => {
                    missed.push(error);
                    continue;
                }
            };
            let request = request(Method::POST, path)
                .header(header::CONTENT_TYPE, content_type)
                .header(header::CONTENT_LENGTH, length)
                .body(body)
                .map_err(|error| broken(&host.name(), &error))?;
            let response = exchange(stream, request).await.map_err(|error| broken(&host.name(), &error))?;
            let response = refuse(&host.name(), response).await?;
            return self.json((host.name(), response)).await;
        }
        Err(ClientError::Unreachable(missed))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<(String, Response<Incoming>), ClientError> {
        let key = random_key();
        let mut missed = Vec::new();
        let mut refused = None;
        for host in &self.hosts {
            let name = host.name();
            let stream = match dial(host).await {
                Ok(stream) => stream,
                Err(error) => {
                    missed.push(error);
                    continue;
                }
            };
            let mut builder = request(method.clone(), path);
            if method != Method::GET {
                builder = builder.header("idempotency-key", &key);
            }
            if body.is_some() {
                builder = builder.header(header::CONTENT_TYPE, "application/json");
            }
            let request = builder.body(full(body.clone())).map_err(|error| broken(&name, &error))?;
            match exchange(stream, request).await {
                Ok(response) if response.status() == StatusCode::SERVICE_UNAVAILABLE => {
                    refused = refuse(&name, response).await.err();
                }
                Ok(response) => return Ok((name.clone(), refuse(&name, response).await?)),
                Err(error) => missed.push(format!("{name}: {error}")),
            }
        }
        Err(refused.unwrap_or(ClientError::Unreachable(missed)))
    }

    async fn json<T: DeserializeOwned>(
        &self,
        (host, response): (String, Response<Incoming>),
    ) -> Result<T, ClientError> {
        let body = response.into_body().collect().await.map_err(|error| broken(&host, &error))?.to_bytes();
        serde_json::from_slice(&body).map_err(|error| broken(&host, &error))
    }
}

fn broken(host: &str, error: &dyn std::error::Error) -> ClientError {
    ClientError::Broken { host: host.to_owned(), why: error.to_string() }
}

fn request(method: Method, path: &str) -> hyper::http::request::Builder {
    Request::builder().method(method).uri(path).header(header::HOST, "pinode")
}

fn full(body: Option<Vec<u8>>) -> Outgoing {
    let never = |never: std::convert::Infallible| match never {};
    match body {
        Some(body) => Full::from(body).map_err(never).boxed(),
        None => Empty::new().map_err(never).boxed(),
    }
}

/// The same for each repetition of one command.
fn random_key() -> String {
    match crate::random::bytes::<16>() {
        Ok(bytes) => hex(&bytes),
        // Without randomness the process and the time still tell two commands apart.
        Err(_) => format!("{}-{}", std::process::id(), crate::clock::wall_ms()),
    }
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

async fn dial(host: &Host) -> Result<Box<dyn Duplex>, String> {
    let dialled = async {
        Ok::<Box<dyn Duplex>, std::io::Error>(match host {
            Host::Tcp(addr) => Box::new(TcpStream::connect(addr).await?),
            Host::Unix(path) => Box::new(UnixStream::connect(path).await?),
        })
    };
    match timeout(DIAL_TIMEOUT, dialled).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(format!("{}: {error}", host.name())),
        Err(_) => Err(format!("{}: no connection within {} s", host.name(), DIAL_TIMEOUT.as_secs())),
    }
}

async fn exchange(
    stream: Box<dyn Duplex>,
    request: Request<Outgoing>,
) -> Result<Response<Incoming>, hyper::Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended");
        }
    });
    sender.send_request(request).await
}

/// An error becomes one, with what the node said.
async fn refuse(host: &str, response: Response<Incoming>) -> Result<Response<Incoming>, ClientError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response.into_body().collect().await.map_err(|error| broken(host, &error))?.to_bytes();
    let detail = match serde_json::from_slice::<ErrorBody>(&body) {
        Ok(body) => body.error,
        Err(_) => {
            let message = format!("{host} answered {status}");
            ErrorDetail { code: "unknown".to_owned(), message, field: None }
        }
    };
    Err(ClientError::Refused { status, detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_written_in_several_ways() {
        for text in ["http://pi:7373", "tcp://pi:7373", "pi:7373", "http://pi:7373/"] {
            assert_eq!(Host::parse(text).unwrap(), Host::Tcp("pi:7373".to_owned()), "{text}");
        }
        assert_eq!(Host::parse("unix:///run/x").unwrap(), Host::Unix("/run/x".into()));
        for text in ["pi", "http://", ":7373", "pi:http"] {
            assert!(Host::parse(text).is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn without_a_reachable_node_the_code_is_3_and_all_that_was_tried_is_named() {
        let client = Client::new(Some("127.0.0.1:1,unix:///nowhere/sock")).unwrap();
        let error = client.get::<serde_json::Value>("/api/v1/status").await.unwrap_err();
        assert_eq!(error.exit_code(), 3);
        let text = error.to_string();
        assert!(text.contains("127.0.0.1:1") && text.contains("/nowhere/sock"), "{text}");
    }
}
