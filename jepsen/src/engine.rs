//! A Docker Engine asked over its own socket: who judges pinode does not ask pinode, and a `docker` process a look would
//! cost more than what is looked at.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::background::Stop;
use crate::history::{EngineEvent, EngineRun};
use crate::moment;

/// Longest wait for an engine's word; one that is being cut never answers.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Longest time until a stream that shall end does.
const NOTICE: Duration = Duration::from_millis(300);

/// A cluster that is not there: what bears its label is a stranger.
pub const STRANGE_CLUSTER: &str = "feedfacefeedfacefeedfacefeedface";

/// A container in an engine's list: Docker's id and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Docker's id.
    pub docker_id: String,
    /// Docker's word.
    pub state: String,
}

/// All containers of a cluster in the engine at `socket`, ended ones too.
pub fn list(socket: &Path) -> anyhow::Result<Vec<Listed>> {
    let filters = "%7B%22label%22%3A%5B%22pinode.container%22%5D%7D";
    let all = get(socket, &format!("/containers/json?all=1&filters={filters}"))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |each: &Value| Listed { docker_id: text(&each["Id"]), state: text(&each["State"]) };
    let all = all.as_array().context("an engine's list is no list")?.iter();
    Ok(all.filter(|each| each["Labels"]["pinode.cluster"] != STRANGE_CLUSTER).map(one).collect())
}

/// One of them, as it stands; none if it is no longer there.
pub fn inspect(socket: &Path, node: &str, docker_id: &str) -> anyhow::Result<Option<EngineRun>> {
    // Before the question: what the answer shows as running was certainly not over by then.
    let seen_ns = moment::now();
    let seen = get(socket, &format!("/containers/{docker_id}/json"))?;
    if seen["Id"].is_null() {
        return Ok(None);
    }
    let labels = &seen["Config"]["Labels"];
    let label = |key: &str| labels[key].as_str().unwrap_or_default().to_owned();
    let state = &seen["State"];
    let at = |key: &str| state[key].as_str().and_then(moment::parse);
    Ok(Some(EngineRun {
        node: node.to_owned(),
        docker_id: docker_id.to_owned(),
        name: label("pinode.name"),
        container: label("pinode.container"),
        attempt: label("pinode.attempt").parse().context("read the label pinode.attempt")?,
        state: state["Status"].as_str().unwrap_or_default().to_owned(),
        started_ns: at("StartedAt").into_iter().collect(),
        // A second start leaves the end of the first one there; an end stays while the container is removed.
        finished_ns: at("FinishedAt").filter(|_| state["Running"] == false),
        code: state["ExitCode"].as_i64().unwrap_or_default(),
        seen_ns,
    }))
}

/// Tells what happens to a cluster's containers, also what has happened since a moment, until the engine ends it or it
/// shall end.
pub fn listen(
    socket: &Path,
    node: &str,
    since_ns: u64,
    stop: &Stop,
    mut tell: impl FnMut(EngineEvent),
) -> anyhow::Result<()> {
    let filters = "%7B%22type%22%3A%5B%22container%22%5D%2C%22label%22%3A%5B%22pinode.container%22%5D%7D";
    let since = format!("{}.{:09}", since_ns / 1_000_000_000, since_ns % 1_000_000_000);
    let mut stream =
        UnixStream::connect(socket).with_context(|| format!("connect to {}", socket.display()))?;
    stream.set_read_timeout(Some(NOTICE))?;
    write!(stream, "GET /events?since={since}&filters={filters} HTTP/1.0\r\nHost: engine\r\n\r\n")?;
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while !stop.is_wanted() {
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => return Ok(()),
            Ok(_) => {
                // Lines of the head are no JSON.
                if let Some(event) = serde_json::from_slice(&line).ok().and_then(|told| event(node, &told)) {
                    tell(event);
                }
                line.clear();
            }
            // What was read of a line so far stays in it.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error).context("read an engine's events"),
        }
    }
    Ok(())
}

fn event(node: &str, told: &Value) -> Option<EngineEvent> {
    let labels = &told["Actor"]["Attributes"];
    if labels["pinode.cluster"] == STRANGE_CLUSTER {
        return None;
    }
    Some(EngineEvent {
        at_ns: told["timeNano"].as_u64()?,
        node: node.to_owned(),
        docker_id: told["Actor"]["ID"].as_str()?.to_owned(),
        name: labels["pinode.name"].as_str()?.to_owned(),
        attempt: labels["pinode.attempt"].as_str()?.parse().ok()?,
        what: told["Action"].as_str()?.to_owned(),
        code: labels["exitCode"].as_str().and_then(|code| code.parse().ok()),
    })
}

/// GET as HTTP/1.0: the engine then closes at the end instead of sending chunks.
pub fn get(socket: &Path, path: &str) -> anyhow::Result<Value> {
    let mut stream =
        UnixStream::connect(socket).with_context(|| format!("connect to {}", socket.display()))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: engine\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).with_context(|| format!("GET {path} of {}", socket.display()))?;
    let (head, body) = answer.split_once("\r\n\r\n").context("an engine's answer has no end of its head")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    ensure!(matches!(status, "200" | "404"), "GET {path} of {}: {status} {body}", socket.display());
    serde_json::from_str(body).with_context(|| format!("GET {path} of {}", socket.display()))
}
