//! `ps`: list containers.

use super::listing;
use crate::api::Container;
use crate::cli::{Format, PsArgs};
use crate::client::Client;

pub(super) async fn ps(client: &Client, args: &PsArgs, format: Format) -> anyhow::Result<()> {
    let mut all: Vec<Container> = client.get("/api/v1/containers").await?;
    if !args.all {
        all.retain(|c| !matches!(c.state.as_str(), "succeeded" | "failed" | "skipped" | "cancelled"));
    }
    if args.quiet {
        all.iter().for_each(|c| anstream::println!("{}", c.id));
        return Ok(());
    }
    if format == Format::Json {
        return listing::json(&all);
    }
    let row = |c: &Container| {
        let node = c.node.clone().unwrap_or_default();
        vec![
            listing::short(&c.id).to_owned(),
            c.name.clone(),
            c.image.clone(),
            listing::ago(&c.created_at),
            state(c),
            node,
        ]
    };
    listing::table(&["ID", "NAME", "IMAGE", "CREATED", "STATE", "NODE"], all.iter().map(row));
    Ok(())
}

/// The word, and what a person would ask next.
pub(super) fn state(c: &Container) -> String {
    match (c.state.as_str(), c.exit_code, &c.cause) {
        ("blocked", _, _) => format!("blocked (waits for {})", c.waits_for.join(", ")),
        ("failed", _, Some(cause)) => format!("failed ({cause})"),
        ("failed", Some(code), None) => format!("failed ({code})"),
        ("skipped", _, Some(cause)) => format!("skipped ({cause})"),
        (word, _, _) => word.to_owned(),
    }
}
