//! What a node says of itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use anyhow::Context;
use pinode_raft::{seal, unseal, write_durably};
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
/// it. Without one, nothing was started in this boot that an engine of before could have ended. One that cannot be read
/// may be of this boot.
pub(super) fn recorded_live_restore(dir: &Path, boot: &str) -> bool {
    match fs::read(dir.join(ENGINE_FILE)) {
        Ok(record) => {
            unseal(&record).and_then(parse).is_some_and(|(of, live_restore)| live_restore || of != boot)
        }
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Records what the engine of now does.
pub(super) fn record_live_restore(dir: &Path, boot: &str, live_restore: bool) -> io::Result<()> {
    let (path, sealed) = (dir.join(ENGINE_FILE), seal(&record(boot, live_restore)));
    if fs::read(&path).is_ok_and(|before| before == sealed) {
        return Ok(());
    }
    write_durably(&path, &sealed)
}

fn record(boot: &str, live_restore: bool) -> String {
    format!("{boot} live-restore={live_restore}\n")
}

fn parse(record: &str) -> Option<(&str, bool)> {
    let (boot, live_restore) = record.strip_suffix('\n')?.split_once(" live-restore=")?;
    Some((boot, live_restore.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::every_flip;

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

    #[test]
    fn no_damage_to_the_record_speaks_for_live_restore() {
        let dir = tempfile::tempdir().unwrap();
        record_live_restore(dir.path(), "boot-1", false).unwrap();
        let path = dir.path().join(ENGINE_FILE);
        let whole = fs::read(&path).unwrap();
        for (bit, flipped) in every_flip(&whole) {
            fs::write(&path, flipped).unwrap();
            assert!(!recorded_live_restore(dir.path(), "boot-1"), "bit {bit}");
        }
        fs::write(&path, record("boot-1", false)).unwrap();
        assert!(!recorded_live_restore(dir.path(), "boot-1"), "written by an earlier version");
    }
}
