//! One process's way to the engine: where calls are slow, lost, or the last thing a process did.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bollard::models::{ContainerCreateBody, EndpointSettings};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use pinode_scheduler::node::Image;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::super::runtime::{ContainerRuntime, EngineInfo, Hint, History, RuntimeError, Seen, Status};
use super::engine::Life;
use super::faults::{Call, Fault};
use super::{FakeEngine, lock};

/// How often a stop that waits looks whether it is done.
const STOP_LOOK: Duration = Duration::from_millis(10);

/// Where a process crashes; calls are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// The call is never sent.
    Before(usize),
    /// The call is done, and its answer never heard.
    After(usize),
}

/// A process's connection. After its crash nothing that it asked is ever answered.
#[derive(Clone, Debug)]
pub struct Connection {
    engine: FakeEngine,
    crash: Option<Crash>,
    calls: Arc<AtomicUsize>,
    crashed: watch::Sender<bool>,
}

/// A call under way: counted until it is answered or given up.
struct UnderWay<'a>(&'a FakeEngine, Call);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.faults().end(self.1);
    }
}

fn away(why: &str) -> RuntimeError {
    RuntimeError::Away(why.to_owned())
}

impl Connection {
    pub(super) fn new(engine: FakeEngine, crash: Option<Crash>) -> Arc<Connection> {
        Arc::new(Connection { engine, crash, calls: Arc::default(), crashed: watch::Sender::new(false) })
    }

    /// Returns when the process has come to its crash; never, if none is planned.
    pub async fn crashed(&self) {
        if self.crashed.subscribe().wait_for(|crashed| *crashed).await.is_err() {
            std::future::pending().await
        }
    }

    async fn pass(&self, place: Crash) {
        if self.crash == Some(place) {
            self.crashed.send_replace(true);
        }
        self.hold_if_crashed().await;
    }

    /// For ever, if the process has crashed.
    async fn hold_if_crashed(&self) {
        if *self.crashed.borrow() {
            std::future::pending().await
        }
    }

    /// One call from its request to its answer, with whatever is planned to go wrong between.
    async fn call<T: Send + 'static>(
        &self,
        call: Call,
        target: &str,
        act: impl FnOnce(&FakeEngine) -> Result<T, RuntimeError> + Send + 'static,
    ) -> Result<T, RuntimeError> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        self.pass(Crash::Before(number)).await;
        let fault = self.engine.faults().begin(call, target);
        let _under_way = UnderWay(&self.engine, call);
        let takes = self.engine.faults().slow.get(&call).copied();
        let answer = match takes {
            None => carry_out(self.engine.clone(), fault, act).await,
            Some(takes) => self.carry_out_slowly(takes, fault, act).await,
        };
        self.pass(Crash::After(number)).await;
        answer
    }

    /// What is under way in the engine is done, whether or not somebody waits for it still.
    async fn carry_out_slowly<T: Send + 'static>(
        &self,
        takes: Duration,
        fault: Option<Fault>,
        act: impl FnOnce(&FakeEngine) -> Result<T, RuntimeError> + Send + 'static,
    ) -> Result<T, RuntimeError> {
        let engine = self.engine.clone();
        let under_way = tokio::spawn(async move {
            sleep(takes).await;
            carry_out(engine, fault, act).await
        });
        under_way.await.unwrap_or_else(|error| Err(away(&error.to_string())))
    }
}

async fn carry_out<T: Send + 'static>(
    engine: FakeEngine,
    fault: Option<Fault>,
    act: impl FnOnce(&FakeEngine) -> Result<T, RuntimeError> + Send + 'static,
) -> Result<T, RuntimeError> {
    if !engine.engine().reachable {
        return Err(away("connection refused"));
    }
    match fault {
        None => act(&engine),
        Some(Fault::Refused(error)) => Err(error),
        Some(Fault::RequestLost) => Err(away("the request was lost")),
        Some(Fault::ReplyLost) => {
            drop(act(&engine));
            Err(away("the reply was lost"))
        }
        Some(Fault::AnsweredLate(by)) => {
            let answer = act(&engine);
            sleep(by).await;
            answer
        }
        Some(Fault::DoneLater(by)) => {
            tokio::spawn(async move {
                sleep(by).await;
                drop(act(&engine));
            });
            Err(away("the reply was lost"))
        }
    }
}

/// Starts a container, and sees to it that its program comes to its end.
fn start(engine: &FakeEngine, id: &str) -> Result<(), RuntimeError> {
    let Some(Life { run, length, healthy_after }) = engine.engine().start(id)? else { return Ok(()) };
    let later = |after: Option<Duration>, then: fn(&mut super::Engine, &str, u32)| {
        let Some(after) = after else { return };
        let (shared, id) = (Arc::downgrade(&engine.0), id.to_owned());
        tokio::spawn(async move {
            sleep(after).await;
            if let Some(shared) = shared.upgrade() {
                then(&mut lock(&shared.engine), &id, run);
            }
        });
    };
    later(healthy_after, super::Engine::is_healthy);
    later(length, super::Engine::is_through);
    Ok(())
}

/// The engine's own part of a stop: it goes on whether somebody waits for it or not.
async fn stop(engine: FakeEngine, id: String, grace: Duration) -> Result<(), RuntimeError> {
    let runs = |engine: &FakeEngine| engine.status_of(&id) == Some(Status::Running);
    if !runs(&engine) {
        return engine.find(&id).map(|_| ()).ok_or(RuntimeError::NoSuch);
    }
    engine.engine().terminate(&id)?;
    let until = Instant::now() + grace;
    while runs(&engine) && Instant::now() < until {
        sleep(STOP_LOOK).await;
    }
    if runs(&engine) { engine.engine().kill(&id) } else { Ok(()) }
}

impl ContainerRuntime for Connection {
    fn info(&self) -> BoxFuture<'_, Result<EngineInfo, RuntimeError>> {
        self.call(Call::Info, "", |engine| Ok(engine.engine().info())).boxed()
    }

    fn list<'a>(&'a self, cluster: &'a str) -> BoxFuture<'a, Result<Vec<Seen>, RuntimeError>> {
        let wanted = cluster.to_owned();
        self.call(Call::List, "", move |engine| Ok(engine.engine().list(&wanted))).boxed()
    }

    fn create<'a>(
        &'a self,
        name: &'a str,
        body: ContainerCreateBody,
    ) -> BoxFuture<'a, Result<String, RuntimeError>> {
        let wanted = name.to_owned();
        self.call(Call::Create, name, move |engine| engine.engine().create(&wanted, &body)).boxed()
    }

    fn connect<'a>(
        &'a self,
        _network: &'a str,
        _id: &'a str,
        _settings: EndpointSettings,
    ) -> BoxFuture<'a, Result<(), RuntimeError>> {
        // Nothing here sends a byte.
        std::future::ready(Ok(())).boxed()
    }

    fn start<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), RuntimeError>> {
        let wanted = id.to_owned();
        self.call(Call::Start, id, move |engine| start(engine, &wanted)).boxed()
    }

    fn inspect<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Seen>, RuntimeError>> {
        let wanted = id.to_owned();
        self.call(Call::Inspect, id, move |engine| Ok(engine.engine().inspect(&wanted))).boxed()
    }

    fn stop<'a>(&'a self, id: &'a str, grace_s: u32) -> BoxFuture<'a, Result<(), RuntimeError>> {
        let wanted = id.to_owned();
        let grace = Duration::from_secs(grace_s.into());
        let begin = move |engine: &FakeEngine| Ok(tokio::spawn(stop(engine.clone(), wanted, grace)));
        async move {
            let ended = self.call(Call::Stop, id, begin).await?.await;
            self.hold_if_crashed().await;
            ended.unwrap_or_else(|error| Err(away(&error.to_string())))
        }
        .boxed()
    }

    fn kill<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), RuntimeError>> {
        let wanted = id.to_owned();
        self.call(Call::Kill, id, move |engine| engine.engine().kill(&wanted)).boxed()
    }

    fn remove<'a>(&'a self, id: &'a str, force: bool) -> BoxFuture<'a, Result<(), RuntimeError>> {
        let wanted = id.to_owned();
        self.call(Call::Remove, id, move |engine| engine.engine().remove(&wanted, force)).boxed()
    }

    fn history<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<History, RuntimeError>> {
        let wanted = id.to_owned();
        self.call(Call::History, id, move |engine| Ok(engine.engine().history(&wanted))).boxed()
    }

    /// Scripted programs print nothing.
    fn logs(&self, _id: &str, _follow: bool) -> BoxStream<'static, Result<Bytes, RuntimeError>> {
        stream::empty().boxed()
    }

    fn hints(&self, cluster: &str) -> BoxStream<'static, Result<Hint, RuntimeError>> {
        let (connection, wanted) = (self.clone(), cluster.to_owned());
        let opened = async move {
            connection.call(Call::Hints, "", move |engine| Ok(engine.engine().listen(&wanted))).await
        };
        let follow = |opened: Result<tokio::sync::mpsc::Receiver<Hint>, RuntimeError>| match opened {
            Ok(heard) => {
                stream::unfold(heard, |mut heard| async move { Some((Ok(heard.recv().await?), heard)) })
                    .boxed()
            }
            Err(error) => stream::iter([Err(error)]).boxed(),
        };
        stream::once(opened).flat_map(follow).boxed()
    }

    /// Which images there are makes no difference here: what is missing is scripted.
    fn images(&self) -> BoxFuture<'_, Result<Vec<Image>, RuntimeError>> {
        self.call(Call::Images, "", |_| Ok(Vec::new())).boxed()
    }

    fn has_image<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<bool, RuntimeError>> {
        let wanted = image.to_owned();
        self.call(Call::HasImage, "", move |engine| Ok(!engine.engine().missing_images.contains(&wanted)))
            .boxed()
    }
}
