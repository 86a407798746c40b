//! The listening end: a hello, then questions and answers, one after the other on each connection.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use pinode_raft::codec::{self, Schema, SnapshotV1};
use pinode_raft::types::Snapshot;
use pinode_raft::{Machine, Raft};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::peers::Greeting;
use super::wire::{self, Answer, Ask, Hello, PROTOCOL, Welcome};
use crate::liveness::Keeper;
use crate::members::{Founding, admit};
use crate::propose::Proposer;

/// Connections at once; a cluster of a hundred nodes needs four each.
const CONNECTIONS_MAX: usize = 512;
/// Longest wait for a hello.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection on which nothing is asked for so long is closed; its owner dials again when it needs one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// Pause after a failed accept (no file descriptors left), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Who answers.
#[derive(Debug)]
pub struct Services {
    /// Who we are.
    pub greeting: Arc<Greeting>,
    /// The first contact.
    pub founding: Founding,
    /// Raft and what stands on it, once there is a cluster.
    pub core: OnceLock<Core>,
}

/// Raft and what stands on it.
#[derive(Debug)]
pub struct Core {
    /// Raft.
    pub raft: Raft,
    /// The state.
    pub machine: Machine,
    /// Commits commands.
    pub proposer: Proposer,
    /// Grants leases while this node leads.
    pub keeper: Arc<Keeper>,
}

/// Accepts connections until the task is aborted.
pub async fn serve(listener: TcpListener, services: Arc<Services>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, addr)) => {
                let services = services.clone();
                tokio::spawn(async move {
                    if let Err(error) = talk(stream, &services).await {
                        tracing::debug!(%addr, %error, "a peer connection ended");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "accept a peer connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

type Frames = Framed<TcpStream, LengthDelimitedCodec>;

async fn talk(stream: TcpStream, services: &Services) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut frames = Framed::new(stream, wire::framing());
    let Some(hello) = timeout(HELLO_TIMEOUT, frames.next()).await? else { return Ok(()) };
    let hello: Hello = wire::decode(&hello?).map_err(io::Error::other)?;
    let welcome = services.welcome(&hello);
    send(&mut frames, &welcome).await?;
    if welcome != Welcome::Come {
        tracing::warn!(node = hello.node, ?welcome, "refused a peer");
        return Ok(());
    }
    // Checked by every question that is not first contact: a stranger asks to found or to join, nothing else.
    let stranger = hello.cluster.is_none();
    let mut pieces = Vec::new();
    while let Some(frame) = timeout(IDLE_TIMEOUT, frames.next()).await? {
        let ask: Ask = wire::decode(&frame?).map_err(io::Error::other)?;
        let answer = services.answer(ask, stranger, &mut pieces).await;
        send(&mut frames, &answer).await?;
    }
    Ok(())
}

async fn send<T: serde::Serialize>(frames: &mut Frames, value: &T) -> io::Result<()> {
    frames.send(wire::encode(value).map_err(io::Error::other)?).await
}

impl Services {
    fn welcome(&self, hello: &Hello) -> Welcome {
        if hello.protocol != PROTOCOL {
            return Welcome::OtherProtocol(PROTOCOL);
        }
        if let (Some(ours), Some(theirs)) = (self.greeting.cluster(), hello.cluster)
            && ours != theirs
        {
            return Welcome::OtherCluster(ours);
        }
        let seen = self.core.get().and_then(|core| Some(core.machine.state().find_node(hello.node)?.facts.start_counter));
        match seen {
            Some(seen) if seen > hello.starts => Welcome::Stale { seen },
            Some(_) | None => Welcome::Come,
        }
    }

    async fn answer(&self, ask: Ask, stranger: bool, pieces: &mut Vec<u8>) -> Answer {
        if let Ask::Found(founder) = ask {
            return Answer::Found(self.founding.hear(&founder, self.greeting.cluster()));
        }
        let Some(core) = self.core.get() else { return Answer::Unable("it has no cluster yet".to_owned()) };
        if stranger {
            return Answer::Unable("say which cluster you belong to".to_owned());
        }
        core.answer(ask, pieces).await.unwrap_or_else(|error| Answer::Unable(format!("{error:#}")))
    }
}

impl Core {
    async fn answer(&self, ask: Ask, pieces: &mut Vec<u8>) -> anyhow::Result<Answer> {
        Ok(match ask {
            Ask::Append(rpc) => Answer::Append(self.raft.append_entries(rpc).await?),
            Ask::Vote(rpc) => Answer::Vote(self.raft.vote(rpc).await?),
            Ask::PreVote(rpc) => Answer::Vote(self.raft.pre_vote(rpc).await?),
            Ask::Transfer(rpc) => Answer::Transfer(self.raft.handle_transfer_leader(rpc).await?),
            Ask::Snapshot { vote, piece, last, bytes } => {
                if piece == 0 {
                    pieces.clear();
                }
                pieces.extend_from_slice(&bytes);
                if !last {
                    return Ok(Answer::More);
                }
                let record = std::mem::take(pieces);
                let covered: SnapshotV1 = codec::decode(Schema::Snapshot, &record)?;
                let snapshot = Snapshot { meta: covered.meta.into(), snapshot: record };
                Answer::Snapshot(self.raft.install_full_snapshot(vote, snapshot).await?)
            }
            Ask::Propose(command) => self.proposer.propose_here(command).await,
            Ask::ReadIndex => self.proposer.read_index_here().await,
            Ask::Renew(renewal) => Answer::Renewed(self.keeper.renew(renewal).await),
            Ask::Join(joiner) => Answer::Joined(admit(&self.raft, &self.machine, &joiner).await),
            Ask::Found(_) => Answer::Unable("answered before".to_owned()),
        })
    }
}
