//! A container engine in memory, with Docker's real vices, under a script's hand. It keeps tokio's time, so that a
//! paused clock makes hours cheap, and it does nothing at random: the same script gives the same run.
//!
//! A [`FakeEngine`] is the machine's engine and outlives the processes that use it; each process gets a
//! [`Connection`], which can be cut at any call as a crash would cut it.

mod connection;
mod container;
mod deeds;
mod engine;
mod faults;
mod program;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use connection::{Connection, Crash};
pub use deeds::{Deed, Happened};
pub use faults::{Call, Called};
pub use program::Program;

use super::runtime::{RuntimeError, Seen, Status};
use engine::Engine;
use faults::{Fault, Faults};

/// What the script and all connections share.
#[derive(Debug)]
struct Shared {
    engine: Mutex<Engine>,
    faults: Mutex<Faults>,
}

/// The engine, as the script sees it. Clones are the same engine.
#[derive(Clone, Debug)]
pub struct FakeEngine(Arc<Shared>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FakeEngine {
    /// One that is up, empty, and has every image. Containers do not outlive it.
    pub fn empty() -> FakeEngine {
        FakeEngine(Arc::new(Shared { engine: Mutex::new(Engine::new()), faults: Mutex::default() }))
    }

    /// For one process.
    pub fn connect(&self) -> Arc<Connection> {
        Connection::new(self.clone(), None)
    }

    /// For one process that crashes at that call.
    pub fn connect_until(&self, crash: Crash) -> Arc<Connection> {
        Connection::new(self.clone(), Some(crash))
    }

    fn engine(&self) -> MutexGuard<'_, Engine> {
        lock(&self.0.engine)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.0.faults)
    }
}

/// What containers do.
impl FakeEngine {
    /// What a container of that pinode name does when it is started; others end at once with 0.
    pub fn on_start(&self, name: &str, program: Program) {
        self.engine().programs.insert(name.to_owned(), program);
    }

    /// A container that is nobody's here, by its Docker name.
    pub fn add_foreign(&self, docker_name: &str) {
        drop(self.engine().create(docker_name, &Default::default()));
    }

    /// Somebody with a shell on the machine kills it; whether it ran.
    pub fn kill_from_outside(&self, docker_name: &str) -> bool {
        self.engine().kill(docker_name).is_ok()
    }

    /// Somebody with a shell on the machine removes it, running or not; whether it was there.
    pub fn remove_from_outside(&self, docker_name: &str) -> bool {
        self.engine().remove(docker_name, true).is_ok()
    }
}

/// What goes wrong. Each `_of` concerns the next call of its kind that has none before it.
impl FakeEngine {
    /// It is done, and nobody hears of it.
    pub fn lose_reply_of(&self, call: Call) {
        self.faults().plan(call, Fault::ReplyLost);
    }

    /// It is not done, and nobody hears of that.
    pub fn lose_request_of(&self, call: Call) {
        self.faults().plan(call, Fault::RequestLost);
    }

    /// The reply is lost, and it is done that much later.
    pub fn delay_effect_of(&self, call: Call, by: Duration) {
        self.faults().plan(call, Fault::DoneLater(by));
    }

    /// The engine says no.
    pub fn refuse(&self, call: Call, error: RuntimeError) {
        self.faults().plan(call, Fault::Refused(error));
    }

    /// The call is done at once, and its answer takes that long.
    pub fn answer_late(&self, call: Call, by: Duration) {
        self.faults().plan(call, Fault::AnsweredLate(by));
    }

    /// From now on every such call takes that long before it is done.
    pub fn slow_down(&self, call: Call, by: Duration) {
        let slow = &mut self.faults().slow;
        if by.is_zero() {
            slow.remove(&call);
        } else {
            slow.insert(call, by);
        }
    }

    /// The image is not there.
    pub fn lose_image(&self, image: &str) {
        self.engine().missing_images.insert(image.to_owned());
    }

    /// Nothing answers and every stream breaks; the engine itself goes on.
    pub fn goes_away(&self) {
        self.engine().goes_away();
    }

    /// It answers again, and remembers everything.
    pub fn comes_back(&self) {
        self.engine().reachable = true;
    }

    /// The engine ends in order. Without live-restore it ends its containers before, by signal.
    pub fn shuts_down(&self) {
        self.engine().shut_down();
    }

    /// The machine's power goes, and with it everything that runs.
    pub fn loses_power(&self) {
        self.engine().lose_power();
    }

    /// A new run of the engine: what the one before remembered is gone.
    pub fn boots(&self) {
        let mut engine = self.engine();
        engine.forget_history();
        engine.reachable = true;
    }

    /// Whether containers outlive the engine.
    pub fn set_live_restore(&self, on: bool) {
        self.engine().live_restore = on;
    }

    /// Whether hints are dropped before anybody hears them.
    pub fn lose_hints(&self, lost: bool) {
        self.engine().hints_lost = lost;
    }

    /// Every open stream of hints ends; a new one can be had at once.
    pub fn break_hints(&self) {
        self.engine().listeners.clear();
    }
}

/// What happened.
impl FakeEngine {
    /// Every call that reached for the engine, in order.
    pub fn calls(&self) -> Vec<Called> {
        self.faults().log.clone()
    }

    /// The targets of the calls of that kind, in order.
    pub fn targets_of(&self, call: Call) -> Vec<String> {
        self.calls().into_iter().filter(|called| called.call == call).map(|called| called.target).collect()
    }

    /// How often each attempt's program has really begun, by pinode name and attempt.
    pub fn runs(&self) -> BTreeMap<(String, u32), u32> {
        self.engine().runs.clone()
    }

    /// The most creates and starts that were under way at once.
    pub fn most_launches_at_once(&self) -> usize {
        self.faults().most_launches
    }

    /// Every start and end so far, in order.
    pub fn deeds(&self) -> Vec<Deed> {
        self.engine().deeds.clone()
    }

    /// Forgets what it only keeps for scripts: calls, deeds, and the programs and events of what is gone. For long runs.
    pub fn forget_the_past(&self) {
        self.faults().log.clear();
        self.engine().forget_the_past();
    }

    /// A container, as the engine shows it.
    pub fn find(&self, docker_name: &str) -> Option<Seen> {
        self.engine().inspect(docker_name)
    }

    /// Where it is.
    pub fn status_of(&self, docker_name: &str) -> Option<Status> {
        self.find(docker_name).map(|seen| seen.status)
    }

    /// The Docker names of all containers.
    pub fn names(&self) -> Vec<String> {
        self.engine().names()
    }

    /// How many containers there are, in any state.
    pub fn count(&self) -> usize {
        self.engine().count()
    }
}
