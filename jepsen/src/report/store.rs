//! The files of a run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::index::Index;
use super::page;
use crate::check::Verdict;
use crate::history::History;

/// Writes `history.json` and `report.html` into a folder; where they are.
pub fn write(folder: &Path, history: &History, verdicts: &[Verdict]) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("make the folder {}", folder.display()))?;
    let put = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        anyhow::Ok(path)
    };
    put("report.html", page::page(history, verdicts))?;
    put("history.json", serde_json::to_string(history).context("write the history as JSON")?)
}

/// Writes `index.html`, which leads to the reports of several scenarios, into a folder.
pub fn write_index(folder: &Path, index: &Index, last_line: &str) -> anyhow::Result<()> {
    let path = folder.join("index.html");
    fs::create_dir_all(folder).with_context(|| format!("make the folder {}", folder.display()))?;
    fs::write(&path, index.page(last_line)).with_context(|| format!("write {}", path.display()))
}

/// The same for a run that nobody wanted to keep, and that must be: into a temporary folder.
pub fn leave(history: &History, verdicts: &[Verdict]) -> anyhow::Result<PathBuf> {
    let name = format!("pinode-jepsen-{}-{}", history.scenario, history.began_ns);
    write(&std::env::temp_dir().join(name), history, verdicts)
}

/// Reads a `history.json`.
pub fn read(path: &Path) -> anyhow::Result<History> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no history of this version", path.display()))
}
