//! The dialling end of one connection: dials when there is something to ask, pairs answers with questions, dials again.
//!
//! One task owns the connection, so who gives up waiting neither breaks the stream nor stops a dial half-way.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::dial::{Frames, Target, dial};
use super::greeting::Greeting;
use super::socket::Wires;
use super::wire::{self, Answer, Ask, BadFrame, Welcome};

/// Questions that wait to be sent on one connection; more are refused.
const WAITING_MAX: usize = 256;
/// Questions that were sent on one connection and have no answer yet; more are refused.
const UNANSWERED_MAX: usize = 1_024;
/// After a failed dial nobody dials for this long, doubling up to the maximum.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_millis(500);
/// A connection without a question for this long is closed. The other end waits longer, so that it is this end that
/// closes, and no question is lost.
pub(super) const IDLE_MAX: Duration = Duration::from_secs(60);
/// Why a question got no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody there; it was not asked.
    #[error("connect to {addr}: {why}")]
    Dial {
        /// Where.
        addr: String,
        /// Why it failed.
        why: String,
    },
    /// It does not speak with us; it was not asked.
    #[error("talk to {addr}: {welcome}")]
    Refused {
        /// Who.
        addr: String,
        /// What it said.
        welcome: Welcome,
    },
    /// The connection broke; whether the question was heard is not known.
    #[error("talk to {addr}: {why}")]
    Broken {
        /// With whom.
        addr: String,
        /// Why it failed.
        why: String,
    },
    /// No answer in time; whether the question was heard is not known.
    #[error("{addr} did not answer within {ms} ms")]
    Late {
        /// Who.
        addr: String,
        /// How long was waited.
        ms: u128,
    },
    /// Too many questions wait for an answer already; it was not asked.
    #[error("{addr} has too many questions to answer already")]
    Busy {
        /// Who.
        addr: String,
    },
    /// The question fits no frame; it was not asked.
    #[error("ask {addr}: {source}")]
    Nonsense {
        /// Who.
        addr: String,
        /// How.
        #[source]
        source: BadFrame,
    },
    /// This node is stopping; it was not asked.
    #[error("this node is stopping")]
    Stopped,
}

type Answered = oneshot::Sender<Result<Answer, CallError>>;

#[derive(Debug)]
struct Call {
    question: Bytes,
    answered: Answered,
}

/// The handle of one connection. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    target: Arc<Target>,
    calls: mpsc::Sender<Call>,
}

impl Connection {
    /// The handle, and the task behind it, which ends when all handles are gone.
    pub(super) fn new(
        target: Target,
        greeting: Arc<Greeting>,
        wires: Arc<dyn Wires>,
    ) -> (Connection, impl Future<Output = ()> + Send) {
        let (calls, waiting) = mpsc::channel(WAITING_MAX);
        let target = Arc::new(target);
        let dialler = Dialler {
            target: Arc::clone(&target),
            greeting,
            wires,
            calls: waiting,
            pause: PAUSE_MIN,
            number: 0,
        };
        (Connection { target, calls }, dialler.run())
    }

    /// Asks and waits.
    pub(super) async fn call(&self, ask: &Ask, within: Duration) -> Result<Answer, CallError> {
        let nonsense = |source| CallError::Nonsense { addr: self.addr(), source };
        self.call_encoded(wire::encode(ask).map_err(nonsense)?, within).await
    }

    /// The same with a question that is encoded already.
    pub(super) async fn call_encoded(&self, question: Bytes, within: Duration) -> Result<Answer, CallError> {
        let (answered, answer) = oneshot::channel();
        self.calls.try_send(Call { question, answered }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => CallError::Busy { addr: self.addr() },
            mpsc::error::TrySendError::Closed(_) => CallError::Stopped,
        })?;
        match timeout(within, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(CallError::Stopped),
            Err(_) => Err(CallError::Late { addr: self.addr(), ms: within.as_millis() }),
        }
    }

    fn addr(&self) -> String {
        self.target.addr.clone()
    }
}

struct Dialler {
    target: Arc<Target>,
    greeting: Arc<Greeting>,
    wires: Arc<dyn Wires>,
    calls: mpsc::Receiver<Call>,
    pause: Duration,
    number: u64,
}

type Unanswered = Mutex<BTreeMap<u64, Answered>>;

impl Dialler {
    async fn run(mut self) {
        while let Some(first) = self.calls.recv().await {
            if first.answered.is_closed() {
                continue;
            }
            match dial(&self.target, &self.greeting, &*self.wires).await {
                Ok(frames) => {
                    self.pause = PAUSE_MIN;
                    self.converse(frames, first).await;
                }
                Err(error) => {
                    tracing::debug!(purpose = ?self.target.purpose, %error, "dial");
                    give(first.answered, Err(error.clone()));
                    self.refuse_for_a_while(&error).await;
                }
            }
        }
    }

    async fn refuse_for_a_while(&mut self, error: &CallError) {
        let until = sleep(self.pause);
        tokio::pin!(until);
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        loop {
            tokio::select! {
                () = &mut until => return,
                call = self.calls.recv() => match call {
                    Some(call) => give(call.answered, Err(error.clone())),
                    None => return,
                },
            }
        }
    }

    /// Until the connection ends, or nobody has asked anything for a while.
    async fn converse(&mut self, frames: Frames, first: Call) {
        let addr = self.target.addr.clone();
        let (sink, stream) = frames.split();
        let unanswered = Unanswered::default();
        let why = tokio::select! {
            why = self.ask(sink, first, &unanswered) => why,
            why = hear(stream, &unanswered) => why,
        };
        tracing::debug!(addr, purpose = ?self.target.purpose, why, "a connection ended");
        for answered in std::mem::take(&mut *lock(&unanswered)).into_values() {
            give(answered, Err(CallError::Broken { addr: addr.clone(), why: why.clone() }));
        }
    }

    async fn ask(
        &mut self,
        mut sink: impl Sink<Bytes, Error = io::Error> + Unpin,
        first: Call,
        unanswered: &Unanswered,
    ) -> String {
        let mut next = Some(first);
        loop {
            let call = match next.take() {
                Some(call) => call,
                None => match timeout(IDLE_MAX, self.calls.recv()).await {
                    Ok(Some(call)) => call,
                    Ok(None) => return "this node is stopping".to_owned(),
                    Err(_) if lock(unanswered).is_empty() => return "there was nothing to ask".to_owned(),
                    Err(_) => continue,
                },
            };
            if let Some(frame) = self.note(call, unanswered)
                && let Err(error) = sink.feed(frame).await
            {
                return error.to_string();
            }
            next = self.calls.try_recv().ok();
            if next.is_none()
                && let Err(error) = sink.flush().await
            {
                return error.to_string();
            }
        }
    }

    /// Remembers who waits, and gives the frame to send; none if nobody waits any more.
    fn note(&mut self, call: Call, unanswered: &Unanswered) -> Option<Bytes> {
        if call.answered.is_closed() {
            return None;
        }
        let mut unanswered = lock(unanswered);
        if unanswered.len() >= UNANSWERED_MAX {
            unanswered.retain(|_, answered| !answered.is_closed());
        }
        if unanswered.len() >= UNANSWERED_MAX {
            give(call.answered, Err(CallError::Busy { addr: self.target.addr.clone() }));
            return None;
        }
        self.number += 1;
        unanswered.insert(self.number, call.answered);
        Some(wire::numbered(self.number, &call.question))
    }
}

async fn hear(
    mut stream: impl Stream<Item = io::Result<BytesMut>> + Unpin,
    unanswered: &Unanswered,
) -> String {
    loop {
        let frame = match stream.next().await {
            None => return "it hung up".to_owned(),
            Some(Err(error)) => return error.to_string(),
            Some(Ok(frame)) => frame,
        };
        match wire::decode_numbered(&frame) {
            Ok((number, answer)) => {
                let answered = lock(unanswered).remove(&number);
                if let Some(answered) = answered {
                    give(answered, Ok(answer));
                }
            }
            Err(error) => return error.to_string(),
        }
    }
}

fn lock(unanswered: &Unanswered) -> MutexGuard<'_, BTreeMap<u64, Answered>> {
    unanswered.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who asked may have given up; the answer is nobody's then, and that is no error.
fn give(answered: Answered, answer: Result<Answer, CallError>) {
    drop(answered.send(answer));
}
