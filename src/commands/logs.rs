//! `logs`: what a container prints.

use std::io::Write;

use futures_util::TryStreamExt;

use super::container;
use crate::cli::LogsArgs;
use crate::client::Client;

pub(super) async fn logs(client: &Client, args: &LogsArgs) -> anyhow::Result<()> {
    print(client, &args.name, args.follow).await
}

/// Copies the stream to standard output as it comes.
pub(super) async fn print(client: &Client, name: &str, follow: bool) -> anyhow::Result<()> {
    let mut stream = client.stream(&format!("{}/logs?follow={follow}", container(name))).await?;
    let mut out = std::io::stdout();
    while let Some(bytes) = stream.try_next().await? {
        out.write_all(&bytes)?;
        out.flush()?;
    }
    Ok(())
}
