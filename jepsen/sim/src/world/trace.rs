//! Everything that happened, in order. Two runs of a seed are the same when their digests are.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::lock;

/// The trace of one run. Clones share it.
#[derive(Clone)]
pub struct Trace(Arc<Inner>);

struct Inner {
    began: Instant,
    told: Told,
    digest: Mutex<Sha256>,
}

/// How much of a trace is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Nothing.
    Nothing,
    /// What people read: faults, requests, containers.
    Events,
    /// Every frame between nodes as well.
    Frames,
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").finish_non_exhaustive()
    }
}

impl Trace {
    /// Begins now.
    pub fn new(told: Told) -> Trace {
        Trace(Arc::new(Inner { began: Instant::now(), told, digest: Mutex::default() }))
    }

    /// Virtual time since the run began.
    pub fn now(&self) -> Duration {
        self.0.began.elapsed()
    }

    /// Something happened.
    pub fn event(&self, what: fmt::Arguments<'_>) {
        let line = format!("{:>10.3} {what}", self.now().as_secs_f64());
        self.add(line.as_bytes());
        if self.0.told != Told::Nothing {
            println!("{line}");
        }
    }

    /// A frame arrived.
    pub fn frame(&self, from: usize, to: usize, bytes: &[u8]) {
        let mut head = [0; 18];
        let at = u64::try_from(self.now().as_micros()).unwrap_or(u64::MAX);
        head.iter_mut().zip(at.to_le_bytes()).for_each(|(to, byte)| *to = byte);
        head[8] = u8::try_from(from).unwrap_or(u8::MAX);
        head[9] = u8::try_from(to).unwrap_or(u8::MAX);
        head.iter_mut().skip(10).zip((bytes.len() as u64).to_le_bytes()).for_each(|(to, byte)| *to = byte);
        let mut digest = lock(&self.0.digest);
        digest.update(head);
        digest.update(bytes);
        drop(digest);
        if self.0.told == Told::Frames {
            println!("{:>10.3} frame {from} -> {to}: {} bytes", self.now().as_secs_f64(), bytes.len());
        }
    }

    fn add(&self, bytes: &[u8]) {
        lock(&self.0.digest).update(bytes);
    }

    /// The digest so far, as 16 hex digits.
    pub fn digest(&self) -> String {
        let digest = lock(&self.0.digest).clone().finalize();
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}
