//! One connection to one peer for one purpose: made when first needed, thrown away at the first error, one question at
//! a time.

use std::io;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::wire::{self, Answer, Ask, BadFrame, Hello, Welcome};

/// Longest wait for a connection and its hello.
const DIAL_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a question got no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody there.
    #[error("connect to {addr}")]
    Dial {
        /// Where.
        addr: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The connection broke; whether the question was heard is not known.
    #[error("talk to {addr}")]
    Broken {
        /// With whom.
        addr: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// No answer in time; whether the question was heard is not known.
    #[error("{addr} did not answer within {ms} ms")]
    Late {
        /// Who.
        addr: String,
        /// How long was waited.
        ms: u128,
    },
    /// It does not speak with us.
    #[error("{addr} refuses us: {welcome:?}")]
    Refused {
        /// Who.
        addr: String,
        /// What it said.
        welcome: Welcome,
    },
    /// What it said makes no sense.
    #[error("{addr} answers nonsense: {source}")]
    Nonsense {
        /// Who.
        addr: String,
        /// How.
        #[source]
        source: BadFrame,
    },
}

impl CallError {
    /// Whether the question certainly was not heard.
    pub fn was_not_heard(&self) -> bool {
        matches!(self, CallError::Dial { .. } | CallError::Refused { .. })
    }
}

type Frames = Framed<TcpStream, LengthDelimitedCodec>;

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    addr: String,
    frames: Option<Frames>,
}

impl Connection {
    pub(super) fn new(addr: String) -> Connection {
        Connection { addr, frames: None }
    }

    pub(super) fn addr(&self) -> &str {
        &self.addr
    }

    /// Asks and waits. Any failure drops the connection: an answer that comes late must not answer the next question.
    pub(super) async fn call(&mut self, hello: &Hello, ask: &Ask, within: Duration) -> Result<Answer, CallError> {
        let question = wire::encode(ask).map_err(|source| CallError::Nonsense { addr: self.addr.clone(), source })?;
        let mut frames = match self.frames.take() {
            Some(frames) => frames,
            None => self.dial(hello).await?,
        };
        let exchange = async {
            frames.send(question).await?;
            next_frame(&mut frames).await
        };
        let answer = match timeout(within, exchange).await {
            Err(_) => return Err(CallError::Late { addr: self.addr.clone(), ms: within.as_millis() }),
            Ok(Err(source)) => return Err(CallError::Broken { addr: self.addr.clone(), source }),
            Ok(Ok(frame)) => frame,
        };
        let nonsense = |source| CallError::Nonsense { addr: self.addr.clone(), source };
        let answer = wire::decode(&answer).map_err(nonsense)?;
        self.frames = Some(frames);
        Ok(answer)
    }

    async fn dial(&self, hello: &Hello) -> Result<Frames, CallError> {
        let failed = |source| CallError::Dial { addr: self.addr.clone(), source };
        let greet = async {
            let stream = TcpStream::connect(&self.addr).await?;
            stream.set_nodelay(true)?;
            let mut frames = Framed::new(stream, wire::framing());
            frames.send(wire::encode(hello).map_err(io::Error::other)?).await?;
            let welcome = next_frame(&mut frames).await?;
            Ok((frames, welcome))
        };
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no hello in time");
        let greeted = timeout(DIAL_TIMEOUT, greet).await.map_err(late).and_then(|greeted| greeted);
        let (frames, welcome) = greeted.map_err(failed)?;
        let nonsense = |source| CallError::Nonsense { addr: self.addr.clone(), source };
        match wire::decode(&welcome).map_err(nonsense)? {
            Welcome::Come => Ok(frames),
            welcome => Err(CallError::Refused { addr: self.addr.clone(), welcome }),
        }
    }
}

async fn next_frame(frames: &mut Frames) -> io::Result<bytes::BytesMut> {
    frames.next().await.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))
}
