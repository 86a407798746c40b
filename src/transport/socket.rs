//! What frames travel on: TCP, or what a simulation puts in its place. Everything above, from the handshake on, is the
//! same on both.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// How long bytes may stay unacknowledged by the other machine before the kernel gives the connection up: TCP by itself
/// would go on for a quarter of an hour, ever more rarely, after the network has healed.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(2);

/// Bytes, both ways, in order.
pub trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// One end of a connection between nodes.
pub enum Socket {
    /// Through the kernel.
    Tcp(TcpStream),
    /// Through a simulated network.
    Simulated(Box<dyn Bytes>),
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Socket::Tcp(_) => "Tcp",
            Socket::Simulated(_) => "Simulated",
        })
    }
}

impl Socket {
    fn bytes(&mut self) -> Pin<&mut dyn Bytes> {
        match self {
            Socket::Tcp(stream) => Pin::new(stream),
            Socket::Simulated(bytes) => Pin::new(bytes.as_mut()),
        }
    }

    /// Over TCP without Nagle's 40 ms, and without TCP's patience.
    pub(super) fn prepare(&self) -> io::Result<()> {
        if let Socket::Tcp(stream) = self {
            stream.set_nodelay(true)?;
            let ms = u32::try_from(UNACKNOWLEDGED_MAX.as_millis()).unwrap_or(u32::MAX);
            sockopt::set_tcp_user_timeout(stream, ms)?;
        }
        Ok(())
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.bytes().poll_read(context, into)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.bytes().poll_write(context, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.bytes().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.bytes().poll_shutdown(context)
    }
}

/// The way out.
pub trait Wires: fmt::Debug + Send + Sync {
    /// Connects to `host:port`.
    fn connect<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Socket>>;
}

/// The way out over TCP.
#[derive(Clone, Copy, Debug)]
pub struct Tcp;

impl Wires for Tcp {
    fn connect<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Socket>> {
        async move { TcpStream::connect(addr).await.map(Socket::Tcp) }.boxed()
    }
}

/// The way in.
pub trait Listens: Send {
    /// The next connection, and from where it is.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Socket, String)>> + Send;
}

impl Listens for TcpListener {
    async fn accept(&mut self) -> io::Result<(Socket, String)> {
        let (stream, from) = TcpListener::accept(self).await?;
        Ok((Socket::Tcp(stream), from.to_string()))
    }
}
