//! Sends a film, and fetches what came of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use super::client::Sender;
use crate::background::Stop;
use crate::client::Stream;
use crate::history::{Job, Kind, Operation, Wait};
use crate::node::Node;
use crate::{Answer, Client, media};

/// Longest upload: the node copies the film and has a container look into it before it answers.
const UPLOAD: Duration = Duration::from_secs(120);
/// Longest download.
const DOWNLOAD: Duration = Duration::from_secs(120);
const KEY: &str = "film";
const BOUNDARY: &str = "pinode-jepsen-9f1c07d2e6";

/// A film that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its id.
    pub id: String,
    /// The pipeline that encodes it.
    pub pipeline: String,
    /// Parts that it is cut into.
    pub parts: u64,
}

/// How it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stands {
    /// Plain word.
    pub state: String,
    /// Why it failed.
    pub error: Option<String>,
}

impl Stands {
    /// Whether nothing more will come of it.
    pub fn is_terminal(&self) -> bool {
        matches!(self.state.as_str(), "succeeded" | "failed" | "cancelled")
    }
}

/// Sends a film to a node at random, until one takes it in. None if it was refused, or never answered.
pub fn send(sender: &mut Sender, film: &Path, parts: u32) -> (Operation, Option<Sent>) {
    let mut sent = None;
    let what = format!("a film in {parts} parts");
    let post = |client: &Client| post(&client.within(UPLOAD), film, parts);
    let operation = sender.ask(&Stop::default(), (&what, KEY), post, |client, body| {
        let taken = taken(body)?;
        let ids = ids(client, &taken.pipeline)?;
        sent = Some(taken);
        Ok(ids)
    });
    (operation, sent)
}

fn post(client: &Client, film: &Path, parts: u32) -> anyhow::Result<Answer> {
    let file = File::open(film).with_context(|| format!("open {}", film.display()))?;
    let length = file.metadata().with_context(|| format!("measure {}", film.display()))?.len();
    let field = |head: &str| format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n");
    let head =
        format!("{}{parts}\r\n{}", field("name=\"parts\""), field("name=\"file\"; filename=\"film.mp4\""));
    let tail = format!("\r\n--{BOUNDARY}--\r\n");
    let length = length + (head.len() + tail.len()) as u64;
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let mut bytes = head.as_bytes().chain(file).chain(tail.as_bytes());
    client.post_stream(
        KEY,
        "/api/v1/videos",
        Stream { content_type: &content_type, length, bytes: &mut bytes },
    )
}

fn taken(body: &Value) -> anyhow::Result<Sent> {
    let lacks = |what: &str| format!("the answer has no {what}");
    Ok(Sent {
        id: body["id"].as_str().with_context(|| lacks("id"))?.to_owned(),
        pipeline: body["pipeline"].as_str().with_context(|| lacks("pipeline"))?.to_owned(),
        parts: body["parts"].as_u64().with_context(|| lacks("parts"))?,
    })
}

/// The answer names the pipeline; its containers are listed.
fn ids(client: &Client, pipeline: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let listed = client.get(&format!("/api/v1/containers?pipeline={pipeline}"))?.ok()?;
    let text = |each: &Value, field: &str| {
        each[field]
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("a container of {pipeline} has no {field}"))
    };
    let all = listed.as_array().context("a list of containers")?;
    all.iter().map(|each| Ok((text(each, "name")?, text(each, "id")?))).collect()
}

/// The containers of a film, as its pipeline promises them.
pub fn jobs(sent: &Sent) -> BTreeMap<String, Job> {
    let full = |name: &str| format!("{}.{name}", sent.pipeline);
    let encoders: Vec<String> = (0..sent.parts).map(|part| full(&format!("encode{part}"))).collect();
    let job = |on: &[String]| {
        let waits = on.iter().map(|on| Wait { on: on.clone(), kind: Kind::Container }).collect();
        Job { waits, ..Job::default() }
    };
    let split = full("split");
    let before_merge: Vec<String> = encoders.iter().cloned().chain([full("audio")]).collect();
    let mut jobs = BTreeMap::from([
        (full("audio"), job(&[])),
        (full("merge"), job(&before_merge)),
        (split.clone(), job(&[])),
    ]);
    jobs.extend(encoders.into_iter().map(|encoder| (encoder, job(std::slice::from_ref(&split)))));
    jobs
}

/// How it stands, as one node tells.
pub fn stands(node: &Node, id: &str) -> anyhow::Result<Stands> {
    let video = node.client.get(&format!("/api/v1/videos/{id}"))?.ok()?;
    let state =
        video["state"].as_str().with_context(|| format!("the film {id} on {} has no state", node.name))?;
    Ok(Stands { state: state.to_owned(), error: video["error"].as_str().map(str::to_owned) })
}

/// Fetches the result from one node and looks into it.
pub fn fetch(node: &Node, id: &str, into: &Path) -> anyhow::Result<crate::history::Probed> {
    node.client.within(DOWNLOAD).fetch(&format!("/api/v1/videos/{id}/result"), into)?;
    media::probe(into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_merge_waits_for_every_part_and_the_sound_and_each_part_for_the_split() {
        let sent = Sent { id: "1".to_owned(), pipeline: "film-1".to_owned(), parts: 2 };
        let waits: Vec<(String, Vec<String>)> = jobs(&sent)
            .into_iter()
            .map(|(name, job)| (name, job.waits.into_iter().map(|wait| wait.on).collect()))
            .collect();
        let expected = [
            ("film-1.audio", vec![]),
            ("film-1.encode0", vec!["film-1.split"]),
            ("film-1.encode1", vec!["film-1.split"]),
            ("film-1.merge", vec!["film-1.encode0", "film-1.encode1", "film-1.audio"]),
            ("film-1.split", vec![]),
        ];
        let text =
            |(name, on): (&str, Vec<&str>)| (name.to_owned(), on.into_iter().map(str::to_owned).collect());
        assert_eq!(waits, expected.map(text));
    }
}
