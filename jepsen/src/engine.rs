//! A Docker Engine asked over its own socket: who judges pinode does not ask pinode, and a `docker` process a look would
//! cost more than what is looked at.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::history::EngineRun;
use crate::moment;

/// Longest wait for an engine's word; one that is being cut never answers.
const TIMEOUT: Duration = Duration::from_secs(5);

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
    Ok(all.as_array().context("an engine's list is no list")?.iter().map(one).collect())
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

/// GET as HTTP/1.0: the engine then closes at the end instead of sending chunks.
fn get(socket: &Path, path: &str) -> anyhow::Result<Value> {
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
