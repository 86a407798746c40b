//! `inspect`, `stop`, `kill`, `retry`, `rm`: one act on several containers. One that fails does not keep the others
//! from it.

use hyper::Method;

use super::{container, listing};
use crate::cli::RmArgs;
use crate::client::{Client, ClientError};

pub(super) async fn inspect(client: &Client, names: &[String]) -> anyhow::Result<()> {
    let mut found = Vec::new();
    for name in names {
        found.push(client.get::<serde_json::Value>(&container(name)).await?);
    }
    listing::json(&found)
}

pub(super) async fn act(client: &Client, names: &[String], act: &str) -> anyhow::Result<()> {
    let mut failed = None;
    for name in names {
        let done = client.act(Method::POST, &format!("{}/{act}", container(name))).await;
        said(name, done, &mut failed);
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}

pub(super) async fn rm(client: &Client, args: &RmArgs) -> anyhow::Result<()> {
    let mut failed = None;
    for name in &args.names {
        let done = client.act(Method::DELETE, &format!("{}?force={}", container(name), args.force)).await;
        said(name, done, &mut failed);
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// Prints a name that was done; keeps the last error, prints the ones before it.
fn said(name: &str, done: Result<(), ClientError>, failed: &mut Option<ClientError>) {
    match done {
        Ok(()) => anstream::println!("{name}"),
        Err(error) => {
            if let Some(before) = failed.replace(error) {
                anstream::eprintln!("pinode: {before}");
            }
        }
    }
}
