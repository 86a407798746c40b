//! `events`: what happens, as it happens.

use futures_util::TryStreamExt;

use crate::api::Event;
use crate::cli::Format;
use crate::client::Client;

pub(super) async fn events(client: &Client, format: Format) -> anyhow::Result<()> {
    let mut stream = client.stream("/api/v1/events").await?;
    let mut text = String::new();
    while let Some(bytes) = stream.try_next().await? {
        text.push_str(&String::from_utf8_lossy(&bytes));
        while let Some(end) = text.find('\n') {
            let line: String = text.drain(..=end).collect();
            if let Some(data) = line.trim_end().strip_prefix("data:") {
                print(data.trim_start(), format);
            }
        }
    }
    Ok(())
}

fn print(data: &str, format: Format) {
    let event = serde_json::from_str::<Event>(data).ok().filter(|_| format != Format::Json);
    let Some(event) = event else { return anstream::println!("{data}") };
    let words =
        [event.container, Some(event.event), event.node.map(|node| format!("on {node}")), event.detail];
    let words: Vec<String> = words.into_iter().flatten().collect();
    anstream::println!("{} {}", event.at, words.join(" "));
}
