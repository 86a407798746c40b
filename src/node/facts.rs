//! What a node says of itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use pinode_raft::write_durably;
use pinode_scheduler::NodeFacts;
use pinode_scheduler::later::LEVEL;
use pinode_scheduler::node::{Capacity, Start};

use crate::agent::runtime::EngineInfo;
use crate::config::Config;

/// Containers at once for each CPU.
const SLOTS_PER_CPU: u64 = 4;
const ENGINE_FILE: &str = "engine";

/// The kernel's id of this boot.
pub(super) fn boot_id() -> anyhow::Result<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").context("read the kernel's boot id")?;
    Ok(id.trim().to_owned())
}

/// From the configuration and the engine.
pub(super) fn facts(
    config: &Config,
    engine: &EngineInfo,
    boot: &str,
    start: Start,
    shared: Option<&str>,
) -> NodeFacts {
    let mut labels = BTreeMap::from([
        ("arch".to_owned(), engine.arch.clone()),
        ("os".to_owned(), engine.os.clone()),
        ("kernel".to_owned(), engine.kernel.clone()),
        ("storage".to_owned(), engine.storage.clone()),
    ]);
    if let Ok(model) = fs::read_to_string("/proc/device-tree/model") {
        labels.insert("model".to_owned(), model.trim_end_matches('\0').to_owned());
    }
    labels.extend(config.labels.clone());
    NodeFacts {
        name: config.name.clone(),
        api: config.advertise.clone(),
        peer: config.peer_advertise.clone(),
        boot_id: boot.to_owned(),
        start,
        capacity: Capacity {
            cpu_milli: engine.cpus.saturating_mul(1000),
            memory: engine.memory,
            slots: u32::try_from(engine.cpus.saturating_mul(SLOTS_PER_CPU)).unwrap_or(u32::MAX),
        },
        labels,
        shared_id: shared.map(str::to_owned),
        feature: LEVEL,
        engine: engine.version.clone(),
    }
}

/// Whether the engine lets containers outlive its restart, as far as is known: only a record of this boot speaks against
/// it. Without one, nothing was started in this boot that an engine of before could have ended.
pub(super) fn recorded_live_restore(dir: &Path, boot: &str) -> bool {
    fs::read_to_string(dir.join(ENGINE_FILE)).map_or(true, |text| text != record(boot, false))
}

/// Records what the engine of now does.
pub(super) fn record_live_restore(dir: &Path, boot: &str, live_restore: bool) -> std::io::Result<()> {
    let (path, text) = (dir.join(ENGINE_FILE), record(boot, live_restore));
    if fs::read_to_string(&path).is_ok_and(|before| before == text) {
        return Ok(());
    }
    write_durably(&path, text.as_bytes())
}

fn record(boot: &str, live_restore: bool) -> String {
    format!("{boot} live-restore={live_restore}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_record_of_this_boot_speaks_against_live_restore() {
        let dir = tempfile::tempdir().unwrap();
        assert!(recorded_live_restore(dir.path(), "boot-1"), "nothing was started yet");
        record_live_restore(dir.path(), "boot-1", false).unwrap();
        assert!(!recorded_live_restore(dir.path(), "boot-1"));
        assert!(
            recorded_live_restore(dir.path(), "boot-2"),
            "what ran before this boot is judged by its boot"
        );
        record_live_restore(dir.path(), "boot-2", true).unwrap();
        assert!(recorded_live_restore(dir.path(), "boot-2"));
    }
}
