//! `node`: drain, undrain, label and remove nodes.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use hyper::Method;
use tokio::time::sleep;

use super::piece;
use crate::api::{Container, Node};
use crate::cli::{DrainArgs, NodeCommand, NodeLabelArgs};
use crate::client::Client;

/// Between two looks at whether a draining node is empty.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(super) async fn node(client: &Client, command: &NodeCommand) -> anyhow::Result<()> {
    match command {
        NodeCommand::Drain(args) => drain(client, args).await,
        NodeCommand::Undrain(node) => {
            client.act(Method::POST, &format!("{}/undrain", path(&node.name))).await?;
            anstream::println!("{}", node.name);
            Ok(())
        }
        NodeCommand::Rm(args) => {
            for name in &args.names {
                client.act(Method::DELETE, &format!("{}?force={}", path(name), args.force)).await?;
                anstream::println!("{name}");
            }
            Ok(())
        }
        NodeCommand::Label(args) => label(client, args).await,
    }
}

fn path(name: &str) -> String {
    format!("/api/v1/nodes/{}", piece(name))
}

async fn drain(client: &Client, args: &DrainArgs) -> anyhow::Result<()> {
    let hurry = match (&args.deadline, args.now) {
        (Some(deadline), _) => format!("?deadline={}", piece(deadline)),
        (None, true) => "?now=true".to_owned(),
        (None, false) => String::new(),
    };
    client.act(Method::POST, &format!("{}/drain{hurry}", path(&args.name))).await?;
    while args.wait && !left_on(client, &args.name).await?.is_empty() {
        sleep(LOOK_EVERY).await;
    }
    anstream::println!("{}", args.name);
    let left = left_on(client, &args.name).await?;
    if !left.is_empty() {
        anstream::eprintln!("still there: {}; --wait waits until none is", left.join(", "));
    }
    Ok(())
}

/// What the node has, by name.
async fn left_on(client: &Client, name: &str) -> anyhow::Result<Vec<String>> {
    let nodes: Vec<Node> = client.get("/api/v1/nodes").await?;
    let node = nodes.into_iter().find(|node| node.name == name || node.id == name);
    let node = node.with_context(|| format!("{name} was removed meanwhile"))?.name;
    let mut left = Vec::new();
    for state in ["claimed", "running"] {
        let all: Vec<Container> = client.get(&format!("/api/v1/containers?state={state}")).await?;
        left.extend(all.into_iter().filter(|c| c.node.as_ref() == Some(&node)).map(|c| c.name));
    }
    Ok(left)
}

async fn label(client: &Client, args: &NodeLabelArgs) -> anyhow::Result<()> {
    let mut labels = BTreeMap::new();
    for text in &args.labels {
        let (key, value) = match (text.split_once('='), text.strip_suffix('-')) {
            (Some((key, value)), _) => (key, Some(value)),
            (None, Some(key)) => (key, None),
            (None, None) => anyhow::bail!("`{text}`: write KEY=VALUE to give a label, KEY- to take it back"),
        };
        labels.insert(key, value);
    }
    client.post_quietly(&format!("{}/labels", path(&args.name)), &labels).await?;
    anstream::println!("{}", args.name);
    Ok(())
}
