//! A connection whose frames end after the handshake: from there on it carries the bytes of one HTTP conversation with
//! the other node's API. The port where people reach a node may be its own loopback; the port of nodes is always known.

use std::io::{self, Cursor};
use std::time::Duration;

use bytes::BytesMut;
use rustix::net::sockopt;
use tokio::io::{AsyncReadExt, Chain, Join, join};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::dial::Frames;
use super::socket::Socket;

/// Of a machine that died nothing more is heard: it is asked whether it lives after this silence, so often, so many times.
const SILENCE: Duration = Duration::from_secs(5);
const ASK_EVERY: Duration = Duration::from_secs(2);
const ASK_TIMES: u32 = 3;

/// The bytes, both ways.
pub type Tunnel = Join<Chain<Cursor<BytesMut>, OwnedReadHalf>, OwnedWriteHalf>;

/// What follows the handshake, as bytes; the first of them may have come together with its last frame.
pub(super) fn bytes_of(frames: Frames) -> io::Result<Tunnel> {
    let parts = frames.into_parts();
    let Socket::Tcp(socket) = parts.io else {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "simulated wires carry no HTTP"));
    };
    be_patient(&socket)?;
    let (read, write) = socket.into_split();
    Ok(join(Cursor::new(parts.read_buf).chain(read), write))
}

/// Who reads a log may pause for as long as they like, and that is no broken connection: unlike Raft's, this one is given
/// up only when the other machine is gone.
fn be_patient(socket: &TcpStream) -> io::Result<()> {
    sockopt::set_tcp_user_timeout(socket, 0)?;
    sockopt::set_socket_keepalive(socket, true)?;
    sockopt::set_tcp_keepidle(socket, SILENCE)?;
    sockopt::set_tcp_keepintvl(socket, ASK_EVERY)?;
    sockopt::set_tcp_keepcnt(socket, ASK_TIMES)?;
    Ok(())
}
