//! The listening end: who may ask, what, and how much at once. Bytes that make no sense end their connection with a line
//! in the log, and nothing else.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use pinode_raft::host::here;
use pinode_raft::{Machine, Raft};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use super::connection::IDLE_MAX;
use super::dial::{self, Frames};
use super::greeting::Greeting;
use super::raft_end::RaftEnd;
use super::socket::{Listens, Socket};
use super::tunnel::bytes_of;
use super::wire::{self, Answer, Ask, BadFrame, Hello, Purpose, Verdict, Welcome};
use crate::http;
use crate::liveness::Keeper;
use crate::members::{Doubt, Founding, admit};
use crate::propose::Proposer;

/// Connections at once; a cluster of fifty nodes makes four from each, and tunnels come on top.
const CONNECTIONS_MAX: usize = 512;
/// Of these, HTTP conversations at once: however many people follow logs, there is a place for Raft.
const TUNNELS_MAX: usize = 256;
/// From the accept to the end of the handshake.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// A silent connection is ended after this. The dialler ends its own well before.
const SILENCE_MAX: Duration = Duration::from_secs(3 * IDLE_MAX.as_secs());
/// Questions of one connection that are worked on at once; the next is read when one of them is answered.
const AT_WORK_MAX: usize = 256;
/// After an accept that failed (no file descriptors), before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Who answers.
#[derive(Debug)]
pub struct Services {
    /// Who we are.
    pub greeting: Arc<Greeting>,
    /// First contact.
    pub founding: Arc<Founding>,
    /// Everything else, once there is a cluster.
    pub core: OnceLock<Core>,
    /// What other nodes are served over HTTP; once there is a cluster.
    pub http: OnceLock<Router>,
    tunnels: Semaphore,
}

/// What runs once there is a cluster.
#[derive(Debug)]
pub struct Core {
    /// Raft.
    pub raft: Raft,
    /// Its state.
    pub machine: Machine,
    /// For commands of others.
    pub proposer: Proposer,
    /// For renewals of others.
    pub keeper: Arc<Keeper>,
    /// Which candidates get no vote yet.
    pub doubt: Arc<Doubt>,
}

/// Accepts until it is dropped; its connections end with it.
pub async fn serve(mut listener: impl Listens, services: Arc<Services>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let (socket, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "accept a connection of another node");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            tracing::warn!(%from, limit = CONNECTIONS_MAX, "ended a connection: there are too many");
            continue;
        };
        let services = Arc::clone(&services);
        connections.spawn(here(async move {
            match services.talk(socket).await {
                // Who asked is gone, which is no news here.
                Ok(()) | Err(TalkError::Write(_)) => tracing::debug!(%from, "a connection ended"),
                Err(error) => tracing::warn!(%from, %error, "ended a connection"),
            }
            drop(place);
        }));
    }
}

/// Why a connection was ended by this end.
#[derive(Debug, thiserror::Error)]
enum TalkError {
    #[error("it did not introduce itself within {} s", HELLO_TIMEOUT.as_secs())]
    Silent,
    #[error("it did not introduce itself: {0}")]
    Hello(#[source] io::Error),
    #[error(transparent)]
    Nonsense(#[from] BadFrame),
    #[error("a question on a connection for {0:?} that does not belong there")]
    Astray(Purpose),
    #[error("HTTP before this node has a cluster")]
    NobodyYet,
    #[error("more than {TUNNELS_MAX} HTTP conversations at once")]
    TooManyTunnels,
    #[error("read a question: {0}")]
    Read(#[source] io::Error),
    #[error("send an answer: {0}")]
    Write(#[from] io::Error),
}

impl Services {
    /// Before there is a cluster.
    pub fn new(greeting: Arc<Greeting>, founding: Arc<Founding>) -> Services {
        let tunnels = Semaphore::new(TUNNELS_MAX);
        Services { greeting, founding, core: OnceLock::new(), http: OnceLock::new(), tunnels }
    }

    async fn talk(self: Arc<Self>, socket: Socket) -> Result<(), TalkError> {
        let introduced =
            timeout(HELLO_TIMEOUT, self.introduce(socket)).await.map_err(|_| TalkError::Silent)?;
        let Some((hello, frames)) = introduced.map_err(TalkError::Hello)? else { return Ok(()) };
        if hello.purpose == Purpose::Http {
            return self.serve_http(frames).await;
        }
        let (sink, mut stream) = frames.split();
        let mut answers = Answers { sink: Arc::new(Mutex::new(sink)), at_work: JoinSet::new() };
        let mut raft_end = RaftEnd::default();
        while let Some((number, ask)) = next_question(&mut stream, hello.purpose).await? {
            answers.give_up_if_failed()?;
            if hello.purpose == Purpose::Rpc {
                let services = Arc::clone(&self);
                let stranger = hello.cluster.is_none();
                answers.later(number, async move { services.answer(ask, stranger).await }).await?;
                continue;
            }
            let answer = self.answer_raft(&mut raft_end, ask).await;
            answers.now(number, &answer).await?;
        }
        Ok(())
    }

    async fn answer_raft(&self, raft_end: &mut RaftEnd, ask: Ask) -> Answer {
        match self.core.get() {
            // It stops in a moment.
            _ if self.greeting.is_stale() => Answer::Unable("its disk is set aside".to_owned()),
            Some(core) if core.doubt.withholds(&ask) => Answer::Unable("it has less than it had".to_owned()),
            Some(core) => raft_end.answer(&core.raft, ask).await,
            // Who starts asks so, and those that it asks may be starting too.
            None if matches!(ask, Ask::PreVote(_)) => Answer::Vote(self.greeting.standing()),
            None => Answer::Unable(NO_CLUSTER.to_owned()),
        }
    }

    async fn serve_http(&self, frames: Frames) -> Result<(), TalkError> {
        let Some(router) = self.http.get() else { return Err(TalkError::NobodyYet) };
        let _place = self.tunnels.try_acquire().map_err(|_| TalkError::TooManyTunnels)?;
        http::converse(bytes_of(frames)?, router.clone()).await;
        Ok(())
    }

    async fn introduce(&self, socket: Socket) -> io::Result<Option<(Hello, Frames)>> {
        let mut frames = dial::framed(socket)?;
        let hello: Hello = dial::receive(&mut frames).await?;
        let welcome = self.greeting.welcome(&hello);
        dial::send(&mut frames, &welcome).await?;
        if !matches!(welcome, Welcome::Come(_)) {
            tracing::debug!(node = %format_args!("{:x}", hello.node), purpose = ?hello.purpose, ?welcome, "refused");
            return Ok(None);
        }
        match dial::receive(&mut frames).await? {
            Verdict::Fine => Ok(Some((hello, frames))),
            Verdict::Stale(seen) => {
                self.greeting.found_stale(seen);
                Ok(None)
            }
        }
    }

    async fn answer(&self, ask: Ask, stranger: bool) -> Answer {
        if let Ask::Found(founder) = ask {
            return Answer::Found(self.founding.hear(&founder));
        }
        let Some(core) = self.core.get() else { return Answer::Unable(NO_CLUSTER.to_owned()) };
        if stranger {
            return Answer::Unable("say which cluster you belong to".to_owned());
        }
        match ask {
            Ask::Propose(command) => core.proposer.propose_here(command).await,
            Ask::ReadIndex => core.proposer.read_index_here().await,
            Ask::Renew(renewal) => Answer::Renewed(core.keeper.renew(renewal, None).await),
            Ask::RenewMeasured { renewal, sync_ms } => {
                Answer::Renewed(core.keeper.renew(renewal, Some(sync_ms)).await)
            }
            Ask::Join(joiner) => Answer::Joined(admit(&core.raft, &core.machine, &joiner).await),
            Ask::Append(_)
            | Ask::Vote(_)
            | Ask::PreVote(_)
            | Ask::Transfer(_)
            | Ask::Piece { .. }
            | Ask::Install { .. }
            | Ask::Found(_) => Answer::Unable("this is Raft's".to_owned()),
        }
    }
}

const NO_CLUSTER: &str = "it has no cluster yet";

async fn next_question(
    stream: &mut SplitStream<Frames>,
    purpose: Purpose,
) -> Result<Option<(u64, Ask)>, TalkError> {
    let frame = match timeout(SILENCE_MAX, stream.next()).await {
        Err(_) | Ok(None) => return Ok(None),
        // A node that died or lost its network is no news here: liveness tells of it.
        Ok(Some(Err(error))) if error.kind() != io::ErrorKind::InvalidData => {
            tracing::debug!(%error, ?purpose, "a connection broke");
            return Ok(None);
        }
        Ok(Some(frame)) => frame.map_err(TalkError::Read)?,
    };
    let (number, ask): (u64, Ask) = wire::decode_numbered(&frame)?;
    if ask.fits(purpose) { Ok(Some((number, ask))) } else { Err(TalkError::Astray(purpose)) }
}

/// The way back of one connection.
struct Answers {
    sink: Arc<Mutex<SplitSink<Frames, Bytes>>>,
    at_work: JoinSet<Result<(), TalkError>>,
}

impl Answers {
    async fn now(&self, number: u64, answer: &Answer) -> Result<(), TalkError> {
        send(&self.sink, number, answer).await
    }

    /// Answers when there is an answer; waits only while too much is at work.
    async fn later(
        &mut self,
        number: u64,
        answer: impl Future<Output = Answer> + Send + 'static,
    ) -> Result<(), TalkError> {
        if self.at_work.len() >= AT_WORK_MAX
            && let Some(done) = self.at_work.join_next().await
        {
            flat(done)?;
        }
        let sink = Arc::clone(&self.sink);
        self.at_work.spawn(here(async move { send(&sink, number, &answer.await).await }));
        Ok(())
    }

    fn give_up_if_failed(&mut self) -> Result<(), TalkError> {
        while let Some(done) = self.at_work.try_join_next() {
            flat(done)?;
        }
        Ok(())
    }
}

fn flat(done: Result<Result<(), TalkError>, JoinError>) -> Result<(), TalkError> {
    done.unwrap_or_else(|error| Err(TalkError::Write(io::Error::other(error))))
}

async fn send(sink: &Mutex<SplitSink<Frames, Bytes>>, number: u64, answer: &Answer) -> Result<(), TalkError> {
    let message = match wire::encode(answer) {
        Err(error @ BadFrame::TooLarge(_)) => wire::encode(&Answer::Unable(error.to_string()))?,
        encoded => encoded?,
    };
    Ok(sink.lock().await.send(wire::numbered(number, &message)).await?)
}
