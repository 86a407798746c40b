//! What happens, as it happens: server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use pinode_raft::machine::Changes;
use pinode_scheduler::{Change, What};
use tokio::sync::broadcast::error::RecvError;

use super::backend::Backend;
use super::query::{Nothing, Query};
use super::view;
use crate::api;

/// So often there is a line even when nothing happens: who hears none knows that the node is gone.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

pub(super) async fn events(
    State(backend): State<Backend>,
    Query(Nothing {}): Query<Nothing>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = backend.machine.changes();
    let stream = stream::unfold((changes, Vec::new()), |(mut changes, mut waiting)| async move {
        loop {
            if let Some(event) = waiting.pop() {
                return Some((Ok(event), (changes, waiting)));
            }
            match changes.recv().await {
                Ok(entry) => waiting = in_order(&entry),
                Err(RecvError::Lagged(missed)) => {
                    let note = format!("{missed} entries were missed; list what you need");
                    return Some((Ok(Event::default().event("missed").data(note)), (changes, waiting)));
                }
                Err(RecvError::Closed) => return None,
            }
        }
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE))
}

/// Last first, because they are taken from the end.
fn in_order(entry: &Arc<Changes>) -> Vec<Event> {
    let events = entry.changes.iter().rev().map(|change| view_change(entry, change));
    events.filter_map(|event| Event::default().event(event.event.clone()).json_data(event).ok()).collect()
}

fn view_change(entry: &Changes, change: &Change) -> api::Event {
    let (event, detail) = words(&change.what);
    api::Event {
        index: entry.index,
        at: view::time(entry.at_ms),
        event: event.to_owned(),
        container: change.container.as_ref().map(|(_, name)| name.clone()),
        id: change.container.as_ref().map(|(id, _)| id.to_string()),
        node: change.node.clone(),
        detail,
    }
}

fn words(what: &What) -> (&'static str, Option<String>) {
    match what {
        What::Created => ("created", None),
        What::Renamed(old) => ("renamed", Some(format!("was {old}"))),
        What::Amended => ("amended", None),
        What::Preparing(what) => ("preparing", Some(what.clone())),
        What::Blocked(waits) => ("blocked", Some(format!("waits for {}", waits.join(", ")))),
        What::Ready => ("ready", None),
        What::Claimed(attempt) => ("claimed", Some(format!("attempt {attempt}"))),
        What::Started(attempt) => ("started", Some(format!("attempt {attempt}"))),
        What::Healthy(attempt) => ("healthy", Some(format!("attempt {attempt}"))),
        What::AttemptEnded(attempt, outcome) => {
            ("ended", Some(format!("attempt {attempt}: {}", outcome.sentence())))
        }
        What::Declined(reason) => ("declined", Some(reason.clone())),
        What::Backoff(ms) => ("backoff", Some(format!("again in {} s", ms.div_ceil(1000)))),
        What::Unknown => ("unknown", None),
        What::Succeeded => ("succeeded", None),
        What::Failed(code, reason) => {
            let code = code.map(|code| format!("code {code}"));
            ("failed", Some([code, reason.clone()].into_iter().flatten().collect::<Vec<_>>().join(", ")))
        }
        What::Skipped(cause) => ("skipped", Some(cause.join(", because "))),
        What::Cancelled(code) => ("cancelled", code.map(|code| format!("code {code}"))),
        What::Stopping => ("stopping", None),
        What::Removed => ("removed", None),
        What::Retried => ("retried", None),
        What::SessionOpened(number) => ("session-opened", Some(format!("session {number}"))),
        What::Suspected => ("suspected", None),
        What::Trusted => ("trusted", None),
        What::NodeLost(number) => ("node-lost", Some(format!("session {number}"))),
        What::Draining(what) => ("draining", Some(what.clone())),
        What::Undrained => ("undrained", None),
        What::NodeRemoved => ("node-removed", None),
        What::Labelled(labels) => ("labelled", Some(print_labels(labels))),
        What::Blackout(what) => ("blackout", Some(what.clone())),
        What::Configured(what) => ("configured", Some(what.clone())),
        What::Ailing(what, problem) => {
            ("ailing", Some(format!("{what}: {}", problem.as_deref().unwrap_or("well again"))))
        }
    }
}

fn print_labels(labels: &[(String, Option<String>)]) -> String {
    let words = labels.iter().map(|(key, value)| match value {
        Some(value) => format!("{key}={value}"),
        None => format!("{key} taken back"),
    });
    words.collect::<Vec<_>>().join(", ")
}
