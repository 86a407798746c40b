//! `wait`: until all have ended; the worst code.

use super::container;
use crate::api::Waited;
use crate::client::Client;

pub(super) async fn wait(client: &Client, names: &[String]) -> anyhow::Result<u8> {
    let mut worst = 0;
    for name in names {
        let waited = one(client, name).await?;
        anstream::println!("{}", waited.exit_code);
        worst = worst.max(code(&waited));
    }
    Ok(worst)
}

/// Waits for one.
pub(super) async fn one(client: &Client, name: &str) -> anyhow::Result<Waited> {
    Ok(client.post(&format!("{}/wait", container(name)), &()).await?)
}

/// A code as a process can have it; what did not succeed is never 0.
pub(super) fn code(waited: &Waited) -> u8 {
    match (waited.state.as_str(), waited.exit_code) {
        ("succeeded", _) => 0,
        ("failed" | "skipped", 0) => super::OWN_ERROR,
        (_, code) => u8::try_from(code & 0xff).unwrap_or(super::OWN_ERROR),
    }
}
