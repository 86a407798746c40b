//! Where an attempt that somebody is attached to waits, made and not started, until its first words have a listener. An
//! engine keeps no output for who comes late to an attach.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::intents::Key;

/// Who wanted to listen may be gone: then it starts unheard.
const LISTENER_WITHIN: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The Docker container is there.
    Made,
    /// Somebody listens to it.
    Heard,
}

/// The attempts that wait for a listener.
#[derive(Debug, Default)]
pub struct Gate {
    waiting: watch::Sender<BTreeMap<Key, Step>>,
}

impl Gate {
    /// Returns when somebody listens to `key`, or nobody came.
    pub(super) async fn pass(&self, key: Key) {
        let mut waiting = self.waiting.subscribe();
        self.waiting.send_modify(|all| {
            all.insert(key, Step::Made);
        });
        let heard = waiting.wait_for(|all| all.get(&key) != Some(&Step::Made));
        let heard = timeout(LISTENER_WITHIN, heard).await.is_ok();
        self.waiting.send_modify(|all| {
            all.remove(&key);
        });
        tracing::debug!(container = %key.0, attempt = key.1, heard, "past its gate");
    }

    /// Returns when the attempt stands at its gate.
    pub async fn until_made(&self, key: Key) {
        // The sender lives as long as `self`.
        let _ = self.waiting.subscribe().wait_for(|all| all.contains_key(&key)).await;
    }

    /// Somebody listens: it may start.
    pub fn heard(&self, key: Key) {
        self.waiting.send_if_modified(|all| match all.get_mut(&key) {
            Some(step) => std::mem::replace(step, Step::Heard) == Step::Made,
            None => false,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pinode_scheduler::ContainerId;

    use super::*;

    const KEY: Key = (ContainerId([7; 32]), 1);

    #[tokio::test(start_paused = true)]
    async fn a_start_waits_for_its_listener_and_for_nobody_longer_than_a_moment() {
        let gate = Arc::new(Gate::default());
        let start = tokio::spawn({
            let gate = gate.clone();
            async move { gate.pass(KEY).await }
        });
        gate.until_made(KEY).await;
        assert!(!start.is_finished());
        gate.heard(KEY);
        start.await.unwrap();
        let before = tokio::time::Instant::now();
        gate.pass(KEY).await;
        assert_eq!(before.elapsed(), LISTENER_WITHIN);
    }
}
