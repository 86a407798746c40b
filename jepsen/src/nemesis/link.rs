//! A bad link between one machine and all others: packets are late, some come twice, some overtake others. Where the
//! kernel has netem, that does it; else a small bridge of our own, between the machine's plug and the network.

mod quality;
mod wire;

use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Ground, Harm};
use crate::history::FaultKind;
use crate::random::Random;
use crate::testbed::run;
use quality::Quality;
use wire::Bridge;

/// Of one machine.
pub fn bad(ground: &Ground, random: &mut Random) -> Harm {
    let made = ground.victim(random).map(|k| {
        let quality = Quality::drawn(random);
        let bridge: Arc<Mutex<Option<Bridge>>> = Arc::default();
        let (inserted, random) = (Arc::clone(&bridge), random.fork(1));
        Harm::strike(
            (FaultKind::Link, &[k], quality.to_string()),
            || {
                if netem(ground, k, &quality).is_ok() {
                    return Ok(());
                }
                plain_frames(ground)?;
                let made = Bridge::insert(plugs(ground, k), quality, &random)?;
                *inserted.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
                Ok(())
            },
            move |ground| match bridge.lock().unwrap_or_else(PoisonError::into_inner).take() {
                Some(bridge) => bridge.remove(),
                None => run(&mut tc(ground, k, "del")).map(drop),
            },
        )
    });
    Harm::or_skipped(FaultKind::Link, made)
}

/// The names of what is plugged into what.
#[derive(Clone, Debug)]
struct Plugs {
    /// The network.
    network: String,
    /// The machine's plug in it.
    machine: String,
    /// Our own pair: one end for us, one in the network.
    ours: String,
    far: String,
}

fn plugs(ground: &Ground, k: usize) -> Plugs {
    let prefix = &ground.bed.options().prefix;
    Plugs {
        network: format!("br-{prefix}"),
        machine: format!("v-{prefix}-{k}"),
        ours: format!("l-{prefix}-{k}"),
        far: format!("m-{prefix}-{k}"),
    }
}

fn tc(ground: &Ground, k: usize, act: &str) -> Command {
    let mut command = Command::new("tc");
    command.args(["qdisc", act, "dev", &plugs(ground, k).machine, "root"]);
    command
}

fn netem(ground: &Ground, k: usize, quality: &Quality) -> anyhow::Result<()> {
    run(tc(ground, k, "add").arg("netem").args(quality.netem())).map(drop)
}

/// Frames that leave a machine must be whole, with their checksums: no network card is there to finish them.
fn plain_frames(ground: &Ground) -> anyhow::Result<()> {
    ground.bed.need("ethtool")?;
    let off = ["tx", "off", "tso", "off", "gso", "off"];
    let bridge = format!("br-{}", ground.bed.options().prefix);
    run(Command::new("ethtool").args(["-K", &bridge]).args(off))?;
    for k in ground.bed.all().chain(ground.bed.spare()) {
        let namespace = format!("--net=/run/netns/{}", ground.bed.namespace(k));
        run(Command::new("nsenter").args([&namespace, "--", "ethtool", "-K", "eth0"]).args(off))?;
    }
    Ok(())
}
