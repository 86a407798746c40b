//! The way to another node: the socket, the frames on it, and the handshake.

use std::io;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use pinode_scheduler::NodeId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::connection::CallError;
use super::greeting::Greeting;
use super::socket::{Socket, Wires};
use super::wire::{self, Purpose, Verdict, Welcome};

/// From the dial to the end of the handshake.
const DIAL_MAX: Duration = Duration::from_secs(1);

pub(super) type Frames = Framed<Socket, LengthDelimitedCodec>;

/// Makes a socket speak in frames.
pub(super) fn framed(socket: Socket) -> io::Result<Frames> {
    socket.prepare()?;
    Ok(Framed::new(socket, wire::framing()))
}

/// Sends a frame of the handshake.
pub(super) async fn send<T: Serialize>(frames: &mut Frames, value: &T) -> io::Result<()> {
    frames.send(wire::encode(value).map_err(io::Error::other)?).await
}

/// Receives a frame of the handshake.
pub(super) async fn receive<T: DeserializeOwned>(frames: &mut Frames) -> io::Result<T> {
    let frame = frames.next().await.ok_or(io::ErrorKind::UnexpectedEof)??;
    wire::decode(&frame).map_err(io::Error::other)
}

/// Whom a connection is to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    pub(super) addr: String,
    pub(super) to: Option<NodeId>,
    pub(super) purpose: Purpose,
    /// As which cluster's member this node speaks: who has found its cluster says so on a new connection.
    pub(super) cluster: Option<[u8; 32]>,
}

impl Target {
    fn unreachable(&self, why: String) -> CallError {
        CallError::Dial { addr: self.addr.clone(), why }
    }
}

/// Connects and introduces this node. What follows on the connection is its purpose's affair.
pub(super) async fn dial(
    target: &Target,
    greeting: &Greeting,
    wires: &dyn Wires,
) -> Result<Frames, CallError> {
    let late = |_| Err(target.unreachable(format!("no hello within {} ms", DIAL_MAX.as_millis())));
    let shake = async {
        let said = greeting.protocol();
        match shake_hands(target, greeting, wires).await {
            // A new level is known here a moment later than there: no reason to take that node for one that is away.
            Err(CallError::Refused { welcome: Welcome::OtherProtocol(_), .. })
                if greeting.protocol() > said =>
            {
                shake_hands(target, greeting, wires).await
            }
            shaken => shaken,
        }
    };
    timeout(DIAL_MAX, shake).await.unwrap_or_else(late)
}

async fn shake_hands(target: &Target, greeting: &Greeting, wires: &dyn Wires) -> Result<Frames, CallError> {
    let failed = |error: io::Error| target.unreachable(error.to_string());
    let socket = wires.connect(&target.addr).await.map_err(failed)?;
    let mut frames = framed(socket).map_err(failed)?;
    let acknowledged = target.to.and_then(|node| greeting.acknowledged(node));
    send(&mut frames, &greeting.hello(target)).await.map_err(failed)?;
    let welcome = receive(&mut frames).await.map_err(failed)?;
    let Welcome::Come(me) = welcome else {
        match welcome {
            Welcome::Stale(seen) => greeting.found_stale(seen),
            Welcome::OtherCluster(Some(theirs)) => greeting.met(&theirs),
            Welcome::OtherProtocol(protocol) => greeting.is_asked_for(protocol),
            Welcome::Come(_) | Welcome::OtherCluster(None) | Welcome::OtherNode(_) => {}
        }
        return Err(CallError::Refused { addr: target.addr.clone(), welcome });
    };
    match greeting.judge(&me, acknowledged) {
        Ok(()) => {
            send(&mut frames, &Verdict::Fine).await.map_err(failed)?;
            Ok(frames)
        }
        Err(seen) => {
            send(&mut frames, &Verdict::Stale(seen)).await.map_err(failed)?;
            Err(target.unreachable(format!("it was told: {seen}")))
        }
    }
}
