//! What a stranger may cost: the limits on requests and connections, and the loop that serves.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream, to_bytes};
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::error::ApiError;

/// Largest body, in bytes; uploads have a limit of their own.
pub(crate) const BODY_MAX_BYTES: usize = 1 << 20;
/// What is longer is read on so far, and so long, before it is refused.
const THROWN_AWAY_MAX_BYTES: usize = 32 << 20;
const THROWN_AWAY_WITHIN: Duration = Duration::from_secs(5);
/// Largest head of a request, in bytes.
const HEADERS_MAX_BYTES: usize = 16 << 10;
/// Longest wait for the head of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections at once.
const CONNECTIONS_MAX: usize = 1_024;
/// Longest sentence of an error that is not ours, in bytes.
const SENTENCE_MAX_BYTES: usize = 4 << 10;
/// After so long a silence a client is asked whether it is there; so many unanswered questions end its connection.
const SILENCE: Duration = Duration::from_secs(15);
const PROBES: u32 = 3;
/// Pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Puts the limits around a router.
pub(super) fn around(router: Router) -> Router {
    router.layer(DefaultBodyLimit::max(BODY_MAX_BYTES)).layer(from_fn(own_shape))
}

/// Why a body was not read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It is longer than a body may be.
    TooLarge,
    /// The client did not send it to its end.
    Broken(axum::Error),
}

/// A body, to its end, and not further than it may be long. The rest of a longer one is read as well, and thrown away:
/// who is still sending when the connection is closed never sees the answer.
pub(crate) async fn read_body(body: Body) -> Result<Bytes, Unread> {
    let mut stream = body.into_data_stream();
    let mut bytes = BytesMut::new();
    while let Some(more) = stream.next().await {
        let more = more.map_err(Unread::Broken)?;
        if bytes.len() + more.len() > BODY_MAX_BYTES {
            // Whether or not it comes to its end: the answer is the same.
            drop(timeout(THROWN_AWAY_WITHIN, throw_away(stream)).await);
            return Err(Unread::TooLarge);
        }
        bytes.extend_from_slice(&more);
    }
    Ok(bytes.freeze())
}

async fn throw_away(mut stream: BodyDataStream) {
    let mut left = THROWN_AWAY_MAX_BYTES;
    while let Some(Ok(more)) = stream.next().await {
        let Some(rest) = left.checked_sub(more.len()) else { return };
        left = rest;
    }
}

pub(super) async fn unknown(request: Request) -> ApiError {
    let message = format!("there is nothing at {}; see /api/openapi.json", request.uri().path());
    ApiError::new(StatusCode::NOT_FOUND, "not_found", message)
}

/// Errors that axum makes (a wrong method, a path that is no text, a form without a boundary) have no body, or a plain
/// one. All of ours have one shape, with a sentence.
pub async fn own_shape(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    if !is_error || content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
        return response;
    }
    let code = match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            let message = format!("{path} does not know {method}");
            return ApiError::new(status, "method_not_allowed", message).into_response();
        }
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        status if status.is_client_error() => "bad_request",
        _ => "internal",
    };
    let text = to_bytes(response.into_body(), SENTENCE_MAX_BYTES).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    ApiError::new(status, code, if text.is_empty() { format!("{method} {path}: {status}") } else { text })
        .into_response()
}

/// Serves people over TCP until the task is aborted.
pub async fn serve(listener: Arc<TcpListener>, router: Router) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true).and_then(|()| keep_alive(&stream)) {
                    tracing::debug!(%error, "set up a connection");
                }
                attend(stream, router.clone(), place);
            }
            Err(error) => pause(&error).await,
        }
    }
}

/// Serves local people over a socket until the task is aborted.
pub async fn serve_socket(listener: UnixListener, router: Router) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => attend(stream, router.clone(), place),
            Err(error) => pause(&error).await,
        }
    }
}

/// Who waits for a container may wait for hours, and may have gone meanwhile.
fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, SILENCE)?;
    sockopt::set_tcp_keepintvl(stream, SILENCE)?;
    sockopt::set_tcp_keepcnt(stream, PROBES).map_err(io::Error::from)
}

async fn pause(error: &io::Error) {
    tracing::warn!(%error, "accept a connection");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

fn attend<S>(stream: S, router: Router, place: tokio::sync::OwnedSemaphorePermit)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        converse(stream, router).await;
        drop(place);
    });
}

/// Serves one connection to its end.
pub async fn converse<S>(stream: S, router: Router)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADERS_MAX_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended");
    }
}

/// A socket for local people: its folder's and its own permissions are the guard.
pub fn bind_socket(path: &Path) -> io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // A socket that an earlier process left behind; one that is in use is held by the data folder's lock.
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(PathBuf::from(path))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use axum::routing::post;
    use serde_json::Value;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::super::body;
    use super::*;

    #[tokio::test]
    async fn who_sends_too_much_and_looks_for_an_answer_only_then_gets_one() {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", post(async |body::Body(_): body::Body<Value>| {}));
        let serving = tokio::spawn(serve(listener, around(router)));
        let mut stream = TcpStream::connect(address).await.unwrap();
        let length = 16 << 20;
        let head =
            format!("POST / HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b' '; length]).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        serving.abort();
    }
}
