//! `submit`: a pipeline from a compose file or JSON.

use std::io::Read;
use std::path::Path;

use anyhow::Context;

use super::listing;
use crate::api::{AcceptedPipeline, Pipeline};
use crate::cli::{Format, SubmitArgs, WaitforMissing};
use crate::client::Client;
use crate::submit::compose_pipeline;

pub(super) async fn submit(client: &Client, args: &SubmitArgs, format: Format) -> anyhow::Result<()> {
    let text = read(&args.file)?;
    let mut pipeline = parse(&text, args)?;
    if let Some(name) = &args.name {
        pipeline.name.clone_from(name);
    }
    if args.waitfor_missing == WaitforMissing::Reject {
        pipeline.waitfor_missing = Some("reject".to_owned());
    }
    let accepted: AcceptedPipeline = client.post("/api/v1/pipelines", &pipeline).await?;
    for container in &accepted.containers {
        container.warnings.iter().for_each(|warning| anstream::eprintln!("{}: {warning}", container.name));
    }
    match (args.quiet, format) {
        (true, _) => accepted.containers.iter().for_each(|c| anstream::println!("{}", c.id)),
        (false, Format::Json) => listing::json(&accepted)?,
        (false, Format::Table | Format::Dot) => {
            let row = |c: &crate::api::Accepted| {
                vec![listing::short(&c.id).to_owned(), c.name.clone(), c.state.clone()]
            };
            listing::table(&["ID", "NAME", "STATE"], accepted.containers.iter().map(row));
        }
    }
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))
}

/// Our own JSON has `containers`; everything else is a compose file.
fn parse(text: &str, args: &SubmitArgs) -> anyhow::Result<Pipeline> {
    let json =
        serde_json::from_str::<serde_json::Value>(text).ok().filter(|json| json.get("containers").is_some());
    match json {
        Some(json) => Ok(serde_json::from_value(json)?),
        None => Ok(compose_pipeline(text, &fallback_name(&args.file))?),
    }
}

/// As compose does: the folder's name, made fit to be one.
fn fallback_name(file: &Path) -> String {
    let folder =
        file.canonicalize().ok().and_then(|file| file.parent()?.file_name().map(|name| name.to_owned()));
    let name = folder.map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let fine: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).collect();
    if fine.is_empty() { "pipeline".to_owned() } else { fine }
}
