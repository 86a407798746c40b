//! The way to a start, which is sent once per Docker container, ever; and what is believed when its answer is lost.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bollard::models::{ContainerCreateBody, EndpointSettings};
use pinode_raft::host;
use pinode_scheduler::container::Decline;
use pinode_scheduler::mutant::{self, Mutant};
use pinode_scheduler::{Outcome, Work};
use tokio::time::Instant;

use super::{Next, Trouble, Worker};
use crate::agent::dispatch::{Report, UNHEARD, What};
use crate::agent::intents::Signal;
use crate::agent::runtime::{RuntimeError, Seen, Status};

/// After a start without a reply, the engine is looked at so often, for so long; then the arbiter decides.
const DOUBT_LOOK: Duration = Duration::from_millis(100);
const DOUBT_MAX: Duration = Duration::from_secs(10);
/// Pause while there is no authority to start.
const NO_LEASE: Duration = Duration::from_millis(50);

impl Worker {
    /// Whether this step was taken for a duty that has changed meanwhile. A lease says only that some session may act.
    fn is_outdated(&self) -> bool {
        self.duty.has_changed().unwrap_or(true)
    }

    /// Returns when the start under way must not be waited for any longer: an engine may take a minute to answer,
    /// and a fence, or whoever wants it to stop, has seconds.
    fn overtaken(&self) -> impl Future<Output = ()> + use<> {
        let (mut duty, mut fenced) = (self.duty.clone(), self.fenced.clone());
        async move {
            tokio::select! {
                _ = duty.changed() => {}
                Ok(()) = fenced.changed() => {}
            }
        }
    }

    pub(super) async fn launch_and_watch(&mut self, work: &Work) -> Result<Next, Trouble> {
        let intent = self.context.intents.of(self.key);
        if intent.start.is_none() && intent.signal.is_some() {
            // It was given up before it started, perhaps by an earlier process.
            return self.resolve(work).await;
        }
        if intent.start.is_none() && !self.memory.name_taken {
            // Nearly always there is nothing yet; if there is, the engine refuses the name.
            return self.create(work).await;
        }
        match self.look(work).await? {
            None if intent.start.is_some() => self.end(work, Outcome::Unknown, None).await,
            None => self.create(work).await,
            Some(seen) if !self.is_ours(&seen) => {
                let reason = format!(
                    "the Docker name {} is taken by another",
                    self.context.launcher.docker_name(work)
                );
                self.end(work, Outcome::LaunchFailed { code: 125, reason }, None).await
            }
            Some(seen) => match seen.status {
                Status::Created if intent.start.is_some() => self.doubt(work, &seen).await,
                Status::Created => self.start(work, &seen.id).await,
                // The lease came back before the kill was carried out. Whatever it does from here on is no result any more.
                Status::Running if intent.signal == Some(Signal::Fence) => self.kill(&seen).await,
                Status::Running => self.observe(work, &seen).await,
                Status::Exited => self.conclude(work, &seen).await,
            },
        }
    }

    async fn create(&mut self, work: &Work) -> Result<Next, Trouble> {
        let context = self.context.clone();
        // The semaphore lives as long as the context and is never closed.
        let place = context.launches.acquire().await;
        if self.is_outdated() {
            return Ok(Duration::ZERO);
        }
        if !context.authority.may_start(work.claim.session) {
            return Ok(NO_LEASE);
        }
        // It makes folders in the shared folder, which may hang for as long as its network does.
        let (launcher, asked) = (context.clone(), work.clone());
        let body = host::blocking(move || launcher.launcher.body(&asked)).await;
        let said = |error: &dyn std::error::Error| Decline::Other(error.to_string());
        let body: ContainerCreateBody = match body {
            Ok(Ok(body)) => body,
            Ok(Err(error)) => return self.decline(work, said(&error)).await,
            Err(error) => return self.decline(work, said(&error)).await,
        };
        let image = body.image.clone().unwrap_or_default();
        match self.make(work, body).await {
            Ok(id) => {
                context.note_made(self.key, &id);
                self.start(work, &id).await
            }
            Err(RuntimeError::ImageMissing(_)) if !self.memory.image_sought => {
                // Others need not wait for what may take minutes.
                drop(place);
                self.seek_image(work, image).await
            }
            Err(RuntimeError::NameTaken) => {
                let news = !std::mem::replace(&mut self.memory.name_taken, true);
                Ok(if news { Duration::ZERO } else { DOUBT_LOOK })
            }
            Err(RuntimeError::ImageMissing(image)) => self.decline(work, Decline::ImageMissing(image)).await,
            Err(RuntimeError::NoSpace(what)) => self.decline(work, Decline::NoSpace(what)).await,
            Err(RuntimeError::Refused { status: 400..=499, message }) => {
                self.end(work, Outcome::LaunchFailed { code: 125, reason: message }, None).await
            }
            Err(RuntimeError::Refused { message, .. }) => self.decline(work, Decline::Other(message)).await,
            Err(error @ (RuntimeError::Away(_) | RuntimeError::NoSuch)) => Err(error.into()),
        }
    }

    /// Looks for the image elsewhere. An attempt that has it, and whose engine still lacks it, is declined.
    async fn seek_image(&mut self, work: &Work, image: String) -> Result<Next, Trouble> {
        let context = self.context.clone();
        let Some(source) = context.images.get() else {
            return self.decline(work, Decline::ImageMissing(image)).await;
        };
        let (reports, key, session) = (context.reports.clone(), self.key, Some(work.claim.session));
        let doing = move |what: String| {
            let report = Report { container: key.0, attempt: key.1, session, what: What::Preparing(what) };
            // Only for people: where reports pile up, this one is not missed.
            if reports.try_send(report).is_err() {
                tracing::debug!("a sentence about an image was not told");
            }
        };
        let sought = tokio::select! {
            sought = source.bring(&image, &doing) => sought,
            () = self.overtaken() => return Ok(Duration::ZERO),
        };
        match sought {
            Ok(()) => {
                self.memory.image_sought = true;
                Ok(Duration::ZERO)
            }
            Err(why) => {
                tracing::info!(%image, %why, "an image is not to be had");
                self.decline(work, Decline::ImageMissing(image)).await
            }
        }
    }

    /// Makes the Docker container, on all its networks: engines before 25 take only one at the create.
    async fn make(&self, work: &Work, mut body: ContainerCreateBody) -> Result<String, RuntimeError> {
        let more = further_networks(&mut body);
        let context = &self.context;
        let id = context.runtime.create(&context.launcher.docker_name(work), body).await?;
        for (network, settings) in more {
            if let Err(error) = context.runtime.connect(&network, &id, settings).await {
                // Half-made it would be found again, and started with a network less.
                context.runtime.remove(&id, true).await?;
                return Err(error);
            }
        }
        Ok(id)
    }

    /// Sends the start, once per Docker container, ever: the intent is on disk before, and nobody who finds one
    /// sends another.
    async fn start(&mut self, work: &Work, id: &str) -> Result<Next, Trouble> {
        let context = self.context.clone();
        if self.is_outdated() {
            return Ok(Duration::ZERO);
        }
        if !context.authority.may_start(work.claim.session) {
            return Ok(NO_LEASE);
        }
        if work.attached {
            context.gate.pass(self.key).await;
            if self.is_outdated() || !context.authority.may_start(work.claim.session) {
                return Ok(Duration::ZERO);
            }
        }
        context.intents.starting(self.key, &context.boot)?;
        self.memory.doubt_until = Some(Instant::now() + DOUBT_MAX);
        if !context.authority.may_start(work.claim.session) {
            return Ok(DOUBT_LOOK);
        }
        let epoch = context.epoch.load(Ordering::Relaxed);
        let answer = tokio::select! {
            answer = context.runtime.start(id) => answer,
            () = self.overtaken() => Err(RuntimeError::Away("overtaken before it was answered".to_owned())),
        };
        match answer {
            Ok(()) => {
                self.memory.started_in_epoch = (epoch != UNHEARD).then_some(epoch);
                match self.look(work).await? {
                    Some(seen) if seen.status == Status::Exited => {
                        self.observe(work, &seen).await?;
                        self.conclude(work, &seen).await
                    }
                    Some(seen) => self.observe(work, &seen).await,
                    None => Ok(DOUBT_LOOK),
                }
            }
            Err(RuntimeError::Away(why)) => Err(RuntimeError::Away(why).into()),
            Err(refused) => self.not_started(work, refused).await,
        }
    }

    /// The engine said no. It is believed once it shows the container as never started.
    async fn not_started(&mut self, work: &Work, refused: RuntimeError) -> Result<Next, Trouble> {
        match self.look(work).await? {
            Some(seen) if seen.status != Status::Created => Ok(Duration::ZERO),
            Some(_) | None => {
                let reason = refused.to_string();
                if let RuntimeError::NoSpace(what) = refused {
                    return self.decline(work, Decline::NoSpace(what)).await;
                }
                self.end(work, Outcome::LaunchFailed { code: shell_code(&reason), reason }, None).await
            }
        }
    }

    /// An intent, and a container that has not started: perhaps the start is still on its way. After a while a removal
    /// without force decides: what runs stays, and is adopted.
    pub(super) async fn doubt(&mut self, work: &Work, seen: &Seen) -> Result<Next, Trouble> {
        let now = Instant::now();
        if mutant::is(Mutant::StartsTwice) {
            self.context.runtime.start(&seen.id).await?;
            return Ok(DOUBT_LOOK);
        }
        let until = *self.memory.doubt_until.get_or_insert(now + DOUBT_MAX);
        if now < until {
            return Ok(DOUBT_LOOK);
        }
        self.arbitrate(work, seen).await
    }

    pub(super) async fn arbitrate(&mut self, work: &Work, seen: &Seen) -> Result<Next, Trouble> {
        match self.context.runtime.remove(&seen.id, false).await {
            // What ran and ended since that look goes without force as well. The engine's history is asked before the
            // intent goes, so that whatever happens here, the next look finds "perhaps".
            Ok(()) if self.context.runtime.history(&seen.id).await?.start => {
                self.end(work, Outcome::Unknown, None).await
            }
            Ok(()) => {
                self.context.intents.forget(self.key)?;
                self.give_up()?;
                let reason = "the engine never carried out its start".to_owned();
                self.end(work, Outcome::NeverStarted { reason }, None).await
            }
            // Somebody else has removed it, and may be about to say so.
            Err(RuntimeError::NoSuch) => Ok(DOUBT_LOOK),
            Err(RuntimeError::Refused { status: 409, .. }) => Ok(Duration::ZERO),
            Err(error) => Err(error.into()),
        }
    }
}

/// All networks of a body but the one that it is made on.
fn further_networks(body: &mut ContainerCreateBody) -> Vec<(String, EndpointSettings)> {
    let Some(endpoints) = body.networking_config.as_mut().and_then(|config| config.endpoints_config.as_mut())
    else {
        return Vec::new();
    };
    if endpoints.len() < 2 {
        return Vec::new();
    }
    let mode = body.host_config.as_ref().and_then(|host| host.network_mode.clone());
    let first = mode.filter(|mode| endpoints.contains_key(mode)).or_else(|| endpoints.keys().min().cloned());
    let mut more: Vec<_> = endpoints.extract_if(|network, _| Some(network) != first.as_ref()).collect();
    more.sort_by(|a, b| a.0.cmp(&b.0));
    more
}

/// The exit code that a shell, and `docker run`, give a program that could not be started.
fn shell_code(reason: &str) -> i64 {
    if reason.contains("executable file not found") || reason.contains("no such file or directory") {
        127
    } else if reason.contains("permission denied") {
        126
    } else {
        125
    }
}
