//! `why`: where a container stands, in sentences.

use super::{container, listing};
use crate::api::Why;
use crate::cli::Format;
use crate::client::Client;

pub(super) async fn why(client: &Client, name: &str, format: Format) -> anyhow::Result<()> {
    let why: Why = client.get(&format!("{}/why", container(name))).await?;
    if format == Format::Json {
        return listing::json(&why);
    }
    anstream::println!("{}", why.summary);
    why.because.iter().for_each(|because| anstream::println!("  {because}"));
    why.nodes.iter().for_each(|(node, lacks)| anstream::println!("  {node}: {lacks}"));
    Ok(())
}
