//! The machine that a task runs on. Outside of a simulation there is one, the real one, and nothing here does anything.
//! In a simulation many machines share one process: each task belongs to one of them, stands still while that one is
//! held, is gone when that one crashes, and reads that one's clocks.
//!
//! Every task of a node is begun with [`here`], so that it stays on the machine of whoever began it.

use std::cell::RefCell;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

/// A simulated machine.
pub trait Host: Send + Sync {
    /// Whether a task of it may go on now. The waker is for when it may again.
    fn standing(&self, waker: &Waker) -> Standing;
    /// Its CLOCK_BOOTTIME.
    fn boottime(&self) -> Duration;
    /// Its wall clock: since 1970.
    fn wall(&self) -> Duration;
    /// What it has in the place of the kernel's random numbers.
    fn random(&self) -> u64;
}

/// What a task finds of its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It runs.
    Runs,
    /// It is stopped, and will go on.
    Held,
    /// Its process has ended.
    Gone,
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<dyn Host>>> = const { RefCell::new(None) };
}

/// The simulated machine of the task that asks; none on a real one.
pub fn current() -> Option<Arc<dyn Host>> {
    CURRENT.with_borrow(Clone::clone)
}

/// Does something as the given machine.
pub fn enter<T>(host: &Arc<dyn Host>, act: impl FnOnce() -> T) -> T {
    let before = CURRENT.replace(Some(host.clone()));
    let done = act();
    CURRENT.set(before);
    done
}

/// The future as a task of the machine that begins it.
pub fn here<F: Future>(future: F) -> impl Future<Output = F::Output> + use<F> {
    on(current(), future)
}

/// The future as a task of the given machine.
pub async fn on<F: Future>(host: Option<Arc<dyn Host>>, future: F) -> F::Output {
    let Some(host) = host else { return future.await };
    let mut living = Some(Box::pin(future));
    poll_fn(move |context| match host.standing(context.waker()) {
        Standing::Runs => {
            let Some(future) = &mut living else { return Poll::Pending };
            enter(&host, || future.as_mut().poll(context))
        }
        Standing::Held => Poll::Pending,
        Standing::Gone => {
            enter(&host, || living = None);
            Poll::Pending
        }
    })
    .await
}

/// Work that may wait for a disk: on a thread of its own, or, in a simulation, at once, because threads have no seed.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, tokio::task::JoinError> {
    if current().is_some() {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await
}
