//! How listings look.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// A table without lines, as wide as it must be.
pub(super) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for line in table.lines() {
        anstream::println!("{}", line.trim_end().trim_start_matches(' '));
    }
}

/// One JSON value.
pub(super) fn json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    anstream::println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// As docker: the first twelve digits.
pub(super) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// How long ago an RFC 3339 time was, in one unit.
pub(super) fn ago(at: &str) -> String {
    let Ok(then) = at.parse::<jiff::Timestamp>() else { return at.to_owned() };
    let now = i64::try_from(crate::clock::wall_ms()).unwrap_or(i64::MAX);
    match (now - then.as_millisecond()).max(0) / 1000 {
        s @ 0..=119 => format!("{s} seconds ago"),
        s @ 120..=7_199 => format!("{} minutes ago", s / 60),
        s @ 7_200..=172_799 => format!("{} hours ago", s / 3600),
        s => format!("{} days ago", s / 86_400),
    }
}
