//! `docker events`: what the log says, in Docker's words, from whichever node is asked. The last ones are remembered, so
//! that `--since` works across a reconnect.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bollard::models::{EventActor, EventMessage, EventMessageScopeEnum, EventMessageTypeEnum};
use bytes::Bytes;
use futures_util::stream;
use pinode_raft::Machine;
use pinode_raft::machine::Changes;
use pinode_scheduler::{Change, ContainerId, Outcome, What};
use serde::Serialize;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::error::DockerError;
use super::face::Face;
use super::filters::Filters;
use super::params::Params;
use crate::clock;

/// Events that are remembered.
const REMEMBERED: usize = 1_024;
const FILTERS: [&str; 11] = [
    "config",
    "container",
    "daemon",
    "event",
    "image",
    "label",
    "network",
    "node",
    "scope",
    "type",
    "volume",
];

/// An event as clients of every age read it.
#[derive(Clone, Debug, Serialize)]
struct Event {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(flatten)]
    message: EventMessage,
}

/// The events of this node's cluster. Clones share it.
#[derive(Clone, Debug)]
pub struct EventLog {
    past: Arc<Mutex<VecDeque<Arc<Event>>>>,
    live: broadcast::Sender<Arc<Event>>,
}

impl Default for EventLog {
    fn default() -> EventLog {
        EventLog { past: Arc::default(), live: broadcast::Sender::new(REMEMBERED) }
    }
}

impl EventLog {
    fn add(&self, event: Event) {
        let event = Arc::new(event);
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        if past.len() >= REMEMBERED {
            past.pop_front();
        }
        past.push_back(event.clone());
        // Sent under the lock, so that who subscribes under it misses none and has none twice. Nobody may listen.
        let _ = self.live.send(event);
    }

    fn follow(&self) -> (Vec<Arc<Event>>, broadcast::Receiver<Arc<Event>>) {
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        (past.iter().cloned().collect(), self.live.subscribe())
    }
}

/// What a client is told of a container beside its name.
#[derive(Clone, Debug, Default)]
struct Traits {
    image: String,
    labels: BTreeMap<String, String>,
}

/// Turns entries into events for as long as the node lives.
pub async fn record(machine: Machine, log: EventLog) {
    let mut changes = machine.changes();
    // A container that is removed is no longer in the state when its removal is told.
    let mut known: BTreeMap<ContainerId, Traits> = BTreeMap::new();
    loop {
        let entry = match changes.recv().await {
            Ok(entry) => entry,
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "events of that many entries are not told to Docker's clients");
                continue;
            }
            Err(RecvError::Closed) => return,
        };
        for change in &entry.changes {
            let traits = change.container.as_ref().map(|(id, _)| traits(&machine, &mut known, *id));
            let gone = change.what == What::Removed;
            events_of(&entry, change, &traits.unwrap_or_default())
                .into_iter()
                .for_each(|event| log.add(event));
            if gone && let Some((id, _)) = &change.container {
                known.remove(id);
            }
        }
    }
}

fn traits(machine: &Machine, known: &mut BTreeMap<ContainerId, Traits>, id: ContainerId) -> Traits {
    let found = machine.state().find_container(id).map(|container| Traits {
        image: container.spec.image.clone(),
        labels: container.spec.labels.clone(),
    });
    match found {
        Some(traits) => known.entry(id).or_insert(traits).clone(),
        None => known.get(&id).cloned().unwrap_or_default(),
    }
}

/// Docker's words for a change, with what else it says.
fn words(what: &What) -> Vec<(String, Option<(&'static str, String)>)> {
    let plain = |word: &str| vec![(word.to_owned(), None)];
    let with = |word: &str, key, value: String| vec![(word.to_owned(), Some((key, value)))];
    match what {
        What::Created => plain("create"),
        What::Started(_) => plain("start"),
        What::Healthy(_) => plain("health_status: healthy"),
        What::AttemptEnded(_, outcome) => match outcome {
            Outcome::Exited { code, .. } | Outcome::LaunchFailed { code, .. } => {
                with("die", "exitCode", code.to_string())
            }
            Outcome::Interrupted { code, .. } | Outcome::Cancelled { code } => {
                with("die", "exitCode", code.unwrap_or(137).to_string())
            }
            Outcome::Lost | Outcome::Unknown => with("die", "exitCode", "137".to_owned()),
            Outcome::NeverStarted { .. } => Vec::new(),
        },
        What::Stopping => with("kill", "signal", "15".to_owned()),
        What::Cancelled(_) => plain("stop"),
        What::Removed => plain("destroy"),
        What::Renamed(old) => with("rename", "oldName", format!("/{old}")),
        What::Amended => plain("update"),
        // Words of our own: Docker has none for what it does not know.
        What::Blocked(waits) => with("blocked", "waitsFor", waits.join(", ")),
        What::Claimed(attempt) => with("claimed", "attempt", attempt.to_string()),
        What::Preparing(doing) => with("preparing", "what", doing.clone()),
        What::Declined(why) => with("declined", "why", why.clone()),
        What::Skipped(cause) => with("skipped", "cause", cause.join(", because ")),
        What::Ready
        | What::Backoff(_)
        | What::Unknown
        | What::Succeeded
        | What::Failed(..)
        | What::Retried
        | What::SessionOpened(_)
        | What::Suspected
        | What::Trusted
        | What::NodeLost(_)
        | What::Ailing(..)
        | What::Draining(_)
        | What::Undrained
        | What::NodeRemoved
        | What::Labelled(_)
        | What::Configured(_)
        | What::Blackout(_) => Vec::new(),
    }
}

fn events_of(entry: &Changes, change: &Change, traits: &Traits) -> Vec<Event> {
    let Some((id, name)) = &change.container else { return Vec::new() };
    let event = |(action, extra): (String, Option<(&str, String)>)| {
        let mut attributes: HashMap<String, String> = traits.labels.clone().into_iter().collect();
        attributes.insert("name".to_owned(), name.clone());
        attributes.insert("image".to_owned(), traits.image.clone());
        if let Some(node) = &change.node {
            attributes.insert("node.name".to_owned(), node.clone());
        }
        attributes.extend(extra.map(|(key, value)| (key.to_owned(), value)));
        let at = i64::try_from(entry.at_ms).unwrap_or(i64::MAX);
        Event {
            status: Some(action.clone()),
            id: Some(id.to_string()),
            from: Some(traits.image.clone()),
            message: EventMessage {
                typ: Some(EventMessageTypeEnum::CONTAINER),
                action: Some(action),
                actor: Some(EventActor { id: Some(id.to_string()), attributes: Some(attributes) }),
                scope: Some(EventMessageScopeEnum::LOCAL),
                time: Some(at / 1000),
                time_nano: Some(at.saturating_mul(1_000_000)),
            },
        }
    };
    words(&change.what).into_iter().map(event).collect()
}

/// What one client wants to hear.
struct Listener {
    filters: Filters,
    since_ns: Option<i64>,
    until_ns: Option<i64>,
    past: std::vec::IntoIter<Arc<Event>>,
    live: broadcast::Receiver<Arc<Event>>,
}

pub(super) async fn events(State(face): State<Face>, params: Params) -> Result<Response, DockerError> {
    let filters = Filters::parse(&params, &FILTERS)?;
    let (since_ns, until_ns) = (moment(&params, "since")?, moment(&params, "until")?);
    let (past, live) = face.events.follow();
    // Without a beginning nothing that is over is told, but for who names an end.
    let past = if since_ns.is_some() || until_ns.is_some() { past } else { Vec::new() };
    let listener = Listener { filters, since_ns, until_ns, past: past.into_iter(), live };
    let body = Body::from_stream(stream::unfold(listener, |mut listener| async move {
        let line = listener.next().await?;
        Some((Ok::<Bytes, std::convert::Infallible>(line), listener))
    }));
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

impl Listener {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let event = match self.past.next() {
                Some(event) => event,
                None => match self.recv().await? {
                    Some(event) => event,
                    None => continue,
                },
            };
            if self.wants(&event) {
                let mut line = serde_json::to_vec(&*event).unwrap_or_default();
                line.push(b'\n');
                return Some(line.into());
            }
        }
    }

    /// The next one that happens; none when its time is over.
    async fn recv(&mut self) -> Option<Option<Arc<Event>>> {
        let left = self.until_ns.map(|until| until.saturating_sub(now_ns()));
        let received = match left {
            None => self.live.recv().await,
            Some(left) => {
                let left = std::time::Duration::from_nanos(u64::try_from(left).ok()?);
                tokio::time::timeout(left, self.live.recv()).await.ok()?
            }
        };
        match received {
            Ok(event) => Some(Some(event)),
            Err(RecvError::Lagged(_)) => Some(None),
            Err(RecvError::Closed) => None,
        }
    }

    fn wants(&self, event: &Event) -> bool {
        let at = event.message.time_nano.unwrap_or_default();
        let attributes = event.message.actor.as_ref().and_then(|actor| actor.attributes.as_ref());
        let find = |key: &str| attributes.and_then(|all| all.get(key)).map(String::as_str);
        let (id, action) =
            (event.id.as_deref().unwrap_or_default(), event.status.as_deref().unwrap_or_default());
        let none = |key: &str| self.filters.values(key).is_none();
        self.since_ns.is_none_or(|since| at >= since)
            && self.until_ns.is_none_or(|until| at <= until)
            && self.filters.takes("type", |wanted| wanted == "container")
            && self
                .filters
                .takes("event", |wanted| action == wanted || action.split(':').next() == Some(wanted))
            && self.filters.takes("container", |wanted| {
                id.starts_with(wanted) || find("name") == Some(wanted.trim_start_matches('/'))
            })
            && self.filters.takes("image", |wanted| {
                find("image").is_some_and(|image| image == wanted || image.split(':').next() == Some(wanted))
            })
            && self.filters.takes("node", |wanted| find("node.name") == Some(wanted))
            && self.filters.takes("scope", |wanted| wanted == "local")
            && self.filters.takes_labels("label", find)
            && ["config", "daemon", "network", "volume"].into_iter().all(none)
    }
}

fn now_ns() -> i64 {
    i64::try_from(clock::wall_ms()).unwrap_or(i64::MAX).saturating_mul(1_000_000)
}

/// A moment as Docker's clients send it: seconds since 1970 with a fraction, or RFC 3339; in nanoseconds.
fn moment(params: &Params, key: &str) -> Result<Option<i64>, DockerError> {
    let Some(text) = params.text(key) else { return Ok(None) };
    let bad = || DockerError::bad(format!("the parameter {key} is no time: `{text}`"));
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return i64::try_from(at.as_nanosecond()).map(Some).map_err(|_| bad());
    }
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let nanos = format!("{fraction:0<9}");
    let seconds: i64 = seconds.parse().map_err(|_| bad())?;
    let nanos: i64 = nanos.get(..9).and_then(|nanos| nanos.parse().ok()).ok_or_else(bad)?;
    Ok(Some(seconds.saturating_mul(1_000_000_000).saturating_add(nanos)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_seconds_with_a_fraction_or_a_date() {
        let at = |text: &str| moment(&Params::parse(&format!("since={text}")), "since");
        assert_eq!(at("1500000000.000000250").unwrap(), Some(1_500_000_000_000_000_250));
        assert_eq!(at("1500000000").unwrap(), Some(1_500_000_000_000_000_000));
        assert_eq!(at("2017-07-14T02:40:00Z").unwrap(), Some(1_500_000_000_000_000_000));
        assert!(at("yesterday").unwrap_err().message.contains("`yesterday`"));
    }
}
