//! One request over one connection of its own, whatever kind of connection that is: bodies stream, and where the answer
//! switches protocols the two connections are joined, so that what was typed reaches a container two machines away.

use std::io;

use axum::body::Body;
use hyper::client::conn::http1;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};

/// Sends `request` over `io`. The connection ends with the answer, or when nobody reads it any more.
pub async fn relay<IO>(io: IO, mut request: Request<Body>) -> Result<Response<Body>, hyper::Error>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let asker = request.extensions_mut().remove::<OnUpgrade>();
    let headers = request.headers_mut();
    headers.entry(header::HOST).or_insert(header::HeaderValue::from_static("pinode"));
    let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "a relayed conversation ended");
        }
    });
    let mut response = sender.send_request(request).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS
        && let Some(asker) = asker
    {
        join_later(asker, hyper::upgrade::on(&mut response));
    }
    Ok(response.map(Body::new))
}

/// Joins two connections once both are there.
pub fn join_later(asker: OnUpgrade, answerer: OnUpgrade) {
    tokio::spawn(async move {
        if let Err(error) = join(asker, answerer).await {
            tracing::debug!(%error, "a joined conversation ended");
        }
    });
}

/// Copies both ways until both ends are done. Who closes one direction (a client without stdin does so at once) closes
/// that direction only.
async fn join(asker: OnUpgrade, answerer: OnUpgrade) -> io::Result<()> {
    let (asker, answerer) = tokio::try_join!(asker, answerer).map_err(io::Error::other)?;
    copy_bidirectional(&mut TokioIo::new(asker), &mut TokioIo::new(answerer)).await.map(drop)
}
