//! One simulated connection: two directions of frames. It knows where a frame ends, so that whole frames travel, and can
//! be late, twice or out of order, as the weather has it.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::lock;
use super::net::Net;

/// Bytes of a frame's length, as the transport's codec writes it.
const LENGTH_BYTES: usize = 4;

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// What was written and is no whole frame yet.
    staged: Vec<u8>,
    /// What has arrived and was not read.
    arrived: VecDeque<u8>,
    /// Frames sent so far: those of the handshake are spared.
    sent: u64,
    /// The writer is done, and everything before has arrived.
    ended: bool,
    reader: Option<Waker>,
}

/// A connection, shared by its two ends and the network.
#[derive(Debug)]
pub(super) struct Connection {
    /// The machines: who dialled, and who answered.
    pub(super) ends: [usize; 2],
    pub(super) state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// `ways[side]` is what `side` writes.
    ways: [Way; 2],
    /// Why an end does not work any more.
    broken: [Option<io::ErrorKind>; 2],
    /// When the last frame of each direction arrives: no later one arrives before it.
    last: [Option<Instant>; 2],
}

impl Connection {
    pub(super) fn new(ends: [usize; 2]) -> Arc<Connection> {
        Arc::new(Connection { ends, state: Mutex::default() })
    }

    /// A frame that `side` wrote has arrived at the other end.
    pub(super) fn arrive(&self, side: usize, bytes: &[u8]) {
        let mut state = lock(&self.state);
        let way = &mut state.ways[side];
        way.arrived.extend(bytes);
        if let Some(reader) = way.reader.take() {
            reader.wake();
        }
    }

    /// `side` will write no more, and the other end has seen everything before.
    pub(super) fn end(&self, side: usize) {
        let mut state = lock(&self.state);
        let way = &mut state.ways[side];
        way.ended = true;
        if let Some(reader) = way.reader.take() {
            reader.wake();
        }
    }

    /// `side` finds it broken from now on.
    pub(super) fn break_at(&self, side: usize, why: io::ErrorKind) {
        let mut state = lock(&self.state);
        state.broken[side].get_or_insert(why);
        if let Some(reader) = state.ways[1 - side].reader.take() {
            reader.wake();
        }
    }

    pub(super) fn is_broken_at(&self, side: usize) -> bool {
        lock(&self.state).broken[side].is_some()
    }

    /// A frame that would arrive then arrives after all that were sent before it.
    pub(super) fn after_the_last(&self, side: usize, at: Instant) -> Instant {
        let last = &mut lock(&self.state).last[side];
        *last.insert(last.map_or(at, |last| last.max(at)))
    }
}

/// One end, as the transport holds it.
#[derive(Debug)]
pub(super) struct End {
    pub(super) connection: Arc<Connection>,
    pub(super) side: usize,
    pub(super) net: Net,
}

impl AsyncRead for End {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = lock(&self.connection.state);
        if let Some(why) = state.broken[self.side] {
            return Poll::Ready(Err(why.into()));
        }
        let way = &mut state.ways[1 - self.side];
        if way.arrived.is_empty() {
            if way.ended {
                return Poll::Ready(Ok(()));
            }
            way.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let (first, second) = way.arrived.as_slices();
        let slice = if first.is_empty() { second } else { first };
        let count = slice.len().min(into.remaining());
        into.put_slice(&slice[..count]);
        way.arrived.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let mut frames = Vec::new();
        {
            let mut state = lock(&self.connection.state);
            if let Some(why) = state.broken[self.side] {
                return Poll::Ready(Err(why.into()));
            }
            let way = &mut state.ways[self.side];
            way.staged.extend_from_slice(from);
            while let Some(frame) = whole_frame(&mut way.staged) {
                way.sent += 1;
                frames.push((way.sent, frame));
            }
        }
        for (number, frame) in frames {
            self.net.send(&self.connection, self.side, number, frame);
        }
        Poll::Ready(Ok(from.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.net.hang_up(&self.connection, self.side);
    }
}

fn whole_frame(staged: &mut Vec<u8>) -> Option<Vec<u8>> {
    let length = u32::from_be_bytes(staged.first_chunk::<LENGTH_BYTES>().copied()?);
    let whole = LENGTH_BYTES + usize::try_from(length).ok()?;
    if staged.len() < whole {
        return None;
    }
    let rest = staged.split_off(whole);
    Some(std::mem::replace(staged, rest))
}
