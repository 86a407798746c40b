//! `settings`: what holds for the whole cluster.

use super::listing;
use crate::api::{ChangeSettings, Settings};
use crate::cli::{Format, SettingsArgs};
use crate::client::Client;

const PATH: &str = "/api/v1/settings";

pub(super) async fn settings(client: &Client, args: &SettingsArgs, format: Format) -> anyhow::Result<()> {
    let change =
        ChangeSettings { voters: args.voters, replace_voter_after: args.replace_voter_after.clone() };
    let settings: Settings = if change == ChangeSettings::default() {
        client.get(PATH).await?
    } else {
        client.post(PATH, &change).await?
    };
    if format == Format::Json {
        return listing::json(&settings);
    }
    anstream::println!("voters               {} at most", settings.voters);
    anstream::println!("replace-voter-after  {}", settings.replace_voter_after);
    Ok(())
}
