//! The HTTP API of one node, as a stranger uses it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

/// Longest wait for an answer; waits for an end take longer and say so.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for a container to end.
const WAIT_TIMEOUT: Duration = Duration::from_secs(300);

/// Asks one node.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    agent: ureq::Agent,
}

/// Status and body. An error status is an answer, too.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON, or a string where it is none.
    pub body: Value,
}

/// What is sent without being held in memory.
pub struct Stream<'a> {
    /// Its type.
    pub content_type: &'a str,
    /// Its length, in bytes.
    pub length: u64,
    /// It.
    pub bytes: &'a mut dyn Read,
}

impl Answer {
    /// The stable word of an error.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// The sentence of an error.
    pub fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    /// The body of a success.
    pub fn ok(self) -> anyhow::Result<Value> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        bail!("{}: {}", self.status, self.body)
    }
}

impl Client {
    /// Of the node at `base`, `http://HOST:PORT`.
    pub fn new(base: &str) -> Client {
        let agent =
            ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false).build();
        Client { base: base.to_owned(), agent: agent.into() }
    }

    /// The same, with another patience.
    pub fn within(&self, timeout: Duration) -> Client {
        let agent =
            ureq::Agent::config_builder().timeout_global(Some(timeout)).http_status_as_error(false).build();
        Client { base: self.base.clone(), agent: agent.into() }
    }

    /// GET.
    pub fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let url = format!("{}{path}", self.base);
        answer(self.agent.get(&url).call().with_context(|| format!("GET {url}"))?)
    }

    /// POST of a text, as it is.
    pub fn post_text(&self, path: &str, body: &str) -> anyhow::Result<Answer> {
        let url = format!("{}{path}", self.base);
        let request = self.agent.post(&url).content_type("application/json");
        answer(request.send(body).with_context(|| format!("POST {url}"))?)
    }

    /// POST of JSON.
    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.post_text(path, &body.to_string())
    }

    /// POST of JSON under an idempotency key.
    pub fn post_as(&self, key: &str, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let url = format!("{}{path}", self.base);
        let request = self.agent.post(&url).content_type("application/json").header("Idempotency-Key", key);
        answer(request.send(body.to_string()).with_context(|| format!("POST {url}"))?)
    }

    /// POST of `length` bytes of any type under an idempotency key.
    pub fn post_stream(&self, key: &str, path: &str, body: Stream<'_>) -> anyhow::Result<Answer> {
        let url = format!("{}{path}", self.base);
        let request = self.agent.post(&url).content_type(body.content_type).header("Idempotency-Key", key);
        let request = request.header("Content-Length", body.length.to_string());
        answer(request.send(ureq::SendBody::from_reader(body.bytes)).with_context(|| format!("POST {url}"))?)
    }

    /// GET of what is no JSON, into a file. How many bytes it was.
    pub fn fetch(&self, path: &str, into: &Path) -> anyhow::Result<u64> {
        let url = format!("{}{path}", self.base);
        let mut response = self.agent.get(&url).call().with_context(|| format!("GET {url}"))?;
        if !response.status().is_success() {
            bail!("GET {url}: {}", answer(response)?.body);
        }
        let mut file = File::create(into).with_context(|| format!("make {}", into.display()))?;
        let mut bytes = response.body_mut().as_reader();
        io::copy(&mut bytes, &mut file).with_context(|| format!("GET {url} into {}", into.display()))
    }

    /// DELETE.
    pub fn delete(&self, path: &str) -> anyhow::Result<Answer> {
        let url = format!("{}{path}", self.base);
        answer(self.agent.delete(&url).call().with_context(|| format!("DELETE {url}"))?)
    }

    /// Submits a container; its accepted form.
    pub fn submit(&self, body: &Value) -> anyhow::Result<Value> {
        self.post("/api/v1/containers", body)?.ok()
    }

    /// DELETE under an idempotency key.
    pub fn delete_as(&self, key: &str, path: &str) -> anyhow::Result<Answer> {
        let url = format!("{}{path}", self.base);
        let request = self.agent.delete(&url).header("Idempotency-Key", key);
        answer(request.call().with_context(|| format!("DELETE {url}"))?)
    }

    /// A container as it stands.
    pub fn container(&self, name: &str) -> anyhow::Result<Value> {
        self.get(&format!("/api/v1/containers/{name}"))?.ok()
    }

    /// All containers as this node's own state has them, without asking anybody.
    pub fn containers_here(&self) -> anyhow::Result<Vec<Value>> {
        let all = self.get("/api/v1/containers?consistency=stale")?.ok()?;
        all.as_array().cloned().context("a list of containers")
    }

    /// All containers, never older than the question.
    pub fn containers(&self) -> anyhow::Result<Value> {
        self.get("/api/v1/containers")?.ok()
    }

    /// How a container ended.
    pub fn wait(&self, name: &str) -> anyhow::Result<Value> {
        self.within(WAIT_TIMEOUT).post_text(&format!("/api/v1/containers/{name}/wait"), "")?.ok()
    }

    /// The cluster as this node sees it.
    pub fn status(&self) -> anyhow::Result<Value> {
        self.get("/api/v1/status")?.ok()
    }
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> anyhow::Result<Answer> {
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().context("read the answer")?;
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(Answer { status, body })
}
