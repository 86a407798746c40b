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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A machine that is told how it stands.
    struct Told {
        standing: Mutex<Standing>,
        waiting: Mutex<Vec<Waker>>,
    }

    impl Told {
        fn stands(&self, standing: Standing) {
            *self.standing.lock().unwrap() = standing;
            self.waiting.lock().unwrap().drain(..).for_each(Waker::wake);
        }
    }

    impl Host for Told {
        fn standing(&self, waker: &Waker) -> Standing {
            self.waiting.lock().unwrap().push(waker.clone());
            *self.standing.lock().unwrap()
        }

        fn boottime(&self) -> Duration {
            Duration::from_secs(7)
        }

        fn wall(&self) -> Duration {
            Duration::ZERO
        }

        fn random(&self) -> u64 {
            4
        }
    }

    struct Dropped(Arc<AtomicU32>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn machine() -> Arc<Told> {
        Arc::new(Told { standing: Mutex::new(Standing::Runs), waiting: Mutex::default() })
    }

    #[tokio::test]
    async fn a_task_that_is_begun_on_a_machine_stays_on_it() {
        let task = async { tokio::spawn(here(async { current().map(|host| host.boottime()) })).await };
        let host: Arc<dyn Host> = machine();
        assert_eq!(on(Some(host), task).await.unwrap(), Some(Duration::from_secs(7)));
        assert!(current().is_none(), "who asks from outside is on no machine");
    }

    #[tokio::test]
    async fn a_task_stands_still_with_its_machine_and_goes_on_with_it() {
        let told = machine();
        told.stands(Standing::Held);
        let task = tokio::spawn(on(Some(told.clone()), async { 1 }));
        tokio::task::yield_now().await;
        assert!(!task.is_finished());
        told.stands(Standing::Runs);
        assert_eq!(task.await.unwrap(), 1);
    }

    #[tokio::test]
    async fn what_a_task_holds_is_let_go_when_its_machine_is_gone() {
        let (told, count) = (machine(), Arc::new(AtomicU32::new(0)));
        let held = Dropped(count.clone());
        let life = async move {
            std::future::pending::<()>().await;
            drop(held);
        };
        let task = tokio::spawn(on(Some(told.clone()), life));
        tokio::task::yield_now().await;
        told.stands(Standing::Gone);
        tokio::task::yield_now().await;
        assert_eq!(count.load(Ordering::Relaxed), 1);
        assert!(!task.is_finished(), "nobody hears of the end of a machine");
        task.abort();
    }
}
