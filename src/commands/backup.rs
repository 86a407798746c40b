//! `backup` and `restore`: the whole state as one file, and a new cluster of one from it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use futures_util::TryStreamExt;
use pinode_raft::{BackupV1, write_durably};
use pinode_scheduler::State;

use super::recover::count_phases;
use crate::cli::{BackupArgs, Format, RestoreArgs};
use crate::client::Client;
use crate::config::data_dir;
use crate::http::view;
use crate::random;
use crate::transport::wire::cluster_name;

pub(super) async fn backup(client: &Client, args: &BackupArgs, format: Format) -> anyhow::Result<()> {
    let mut stream = client.stream("/api/v1/backup").await?;
    let mut record = Vec::new();
    while let Some(bytes) = stream.try_next().await? {
        record.extend_from_slice(&bytes);
    }
    // A file that breaks off must not stand where a whole one stood.
    let backup = BackupV1::decode(&record).context("the backup came in damaged; try again")?;
    write_durably(&args.file, &record).with_context(|| format!("write {}", args.file.display()))?;
    say(&args.file, &backup, &backup.state, format)
}

pub(super) async fn restore(args: &RestoreArgs, format: Format) -> anyhow::Result<()> {
    let record = std::fs::read(&args.file).with_context(|| format!("read {}", args.file.display()))?;
    let backup = BackupV1::decode(&record).with_context(|| format!("read {}", args.file.display()))?;
    let dir = data_dir(args.data_dir.clone());
    let state = backup.clone().restore(&dir, random::number()?).await?;
    say(&args.file, &backup, &state, format)?;
    if format != Format::Json {
        anstream::println!(
            "restored into {}; start it there with pinode join, then the other nodes with empty data folders and \
             --peers naming this one",
            dir.display()
        );
    }
    Ok(())
}

/// What is in it; `state` is how it begins again.
fn say(file: &Path, backup: &BackupV1, state: &State, format: Format) -> anyhow::Result<()> {
    let containers: BTreeMap<String, usize> = count_phases(state);
    let index = backup.meta.last.map_or(0, |id| id.index);
    let (cluster, at) = (cluster_name(Some(&backup.cluster)), view::time(backup.at_ms));
    if format == Format::Json {
        let file = file.display().to_string();
        return super::listing::json(&serde_json::json!({
            "file": file, "cluster_id": crate::http::hex(&backup.cluster), "at": at, "index": index, "containers": containers,
        }));
    }
    anstream::println!("{} of {at}, up to entry {index}", cluster);
    for (state, count) in &containers {
        anstream::println!("{state:<10} {count}");
    }
    Ok(())
}
