//! `status`: the cluster as one node sees it.

use super::listing;
use crate::api::{Blackout, Status};
use crate::cli::Format;
use crate::client::Client;

pub(super) async fn status(client: &Client, format: Format) -> anyhow::Result<()> {
    let status: Status = client.get("/api/v1/status").await?;
    if format == Format::Json {
        return listing::json(&status);
    }
    let leader = status.leader.as_deref().unwrap_or("none; a majority of the voters must reach each other");
    anstream::println!("node       {}", status.node);
    anstream::println!("cluster    {}", listing::short(&status.cluster_id));
    anstream::println!("leader     {leader} (term {})", status.term);
    anstream::println!("applied    {} (state {})", status.applied_index, listing::short(&status.state_hash));
    for member in &status.members {
        let role = if member.voter { "voter" } else { "learner" };
        anstream::println!("member     {} at {}, {role}", member.name, member.address);
    }
    for (state, count) in &status.containers {
        anstream::println!("{state:<10} {count}");
    }
    if let Some(blackout) = &status.blackout {
        print_blackout(blackout);
    }
    for sentence in &status.attention {
        anstream::println!("attention  {sentence}");
    }
    for node in &status.shared_odd {
        anstream::println!("attention  {node} does not see the shared folder that the others see");
    }
    Ok(())
}

fn print_blackout(blackout: &Blackout) {
    let back = blackout.back.join(", ");
    anstream::println!("blackout   all nodes were without power until {}; back: {back}", blackout.at);
    if !blackout.missing.is_empty() {
        anstream::println!("  missing  {}", blackout.missing.join(", "));
    }
    for (name, fate) in &blackout.ran {
        anstream::println!("  ran      {name} {fate}");
    }
    for (name, what) in &blackout.waits {
        anstream::println!("  waits    {name} for {what}");
    }
}
