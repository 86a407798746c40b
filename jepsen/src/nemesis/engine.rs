//! An engine that dies or stops while its containers go on, and one whose containers lose what stands between them.

use anyhow::Context;

use super::{Ground, Harm};
use crate::engine;
use crate::history::FaultKind;
use crate::random::Random;

/// Kills the parent of the process, which must be a shim; tells that it did.
const KILL_SHIM: &str = r#"exec 2>/dev/null; set -- $(sed 's/.*) //' "/proc/$0/stat")
grep -q ^containerd-shim "/proc/${2:-0}/comm" && kill -9 "$2" && echo killed; true"#;

/// kill -9.
pub fn kill(ground: &Ground, random: &mut Random) -> Harm {
    let made = ground.victim(random).map(|k| {
        Harm::strike(
            (FaultKind::EngineKill, &[k], "engine and containerd".to_owned()),
            || ground.bed.kill_engine(k),
            move |ground| ground.bed.start_engine(k),
        )
    });
    Harm::or_skipped(FaultKind::EngineKill, made)
}

/// SIGTERM.
pub fn stop(ground: &Ground, random: &mut Random) -> Harm {
    let made = ground.victim(random).map(|k| {
        Harm::strike(
            (FaultKind::EngineStop, &[k], "SIGTERM".to_owned()),
            || ground.bed.stop_engine(k),
            move |ground| ground.bed.start_engine(k),
        )
    });
    Harm::or_skipped(FaultKind::EngineStop, made)
}

/// The shim of a container that runs.
pub fn shim(ground: &Ground, random: &mut Random) -> Harm {
    Harm::or_skipped(FaultKind::ShimKill, shim_of_one(ground, random))
}

fn shim_of_one(ground: &Ground, random: &mut Random) -> anyhow::Result<Harm> {
    let mut running = Vec::new();
    for node in &ground.nodes {
        let listed = engine::list(&node.socket).unwrap_or_default();
        running.extend(
            listed
                .into_iter()
                .filter(|each| each.state == "running")
                .map(|each| (node.number, each.docker_id)),
        );
    }
    let (k, id) = random.pick(&running).cloned().context("no container runs")?;
    let short = id.get(..12).unwrap_or(&id).to_owned();
    let socket = ground.bed.engine_socket(k);
    let harm = Harm::strike(
        (FaultKind::ShimKill, &[k], format!("of {short}")),
        || {
            let seen = engine::get(&socket, &format!("/containers/{id}/json"))?;
            let pid = seen["State"]["Pid"].as_u64().filter(|pid| *pid > 0).context("it has ended before")?;
            let said = ground.bed.exec(k, &["sh", "-c", KILL_SHIM, &pid.to_string()])?;
            anyhow::ensure!(said.trim() == "killed", "it had ended before");
            Ok(())
        },
        |_| Ok(()),
    );
    Ok(harm.of_container(&id).momentary())
}
