//! Changes of who belongs to the cluster, and of who may be given work. A pinode that cannot do it says 404 or 405, and
//! the harm is skipped.

use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::{Ground, Harm, wipe};
use crate::history::FaultKind;
use crate::random::Random;
use crate::testbed::name;
use crate::wait::in_time;
use crate::{Answer, Client};

/// Longest wait for a change: a leader may have to be found first.
const CHANGE: Duration = Duration::from_secs(20);
/// Longest wait until nothing runs on a node that is drained.
const EMPTY: Duration = Duration::from_secs(60);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(300);

/// One node is told to take no more work, and later to take some again.
pub fn drain(ground: &Ground, random: &mut Random) -> Harm {
    let made = ground.victim(random).and_then(|k| {
        probe(ground, |client| client.post_text(&path("nobody-at-all", "/drain"), ""))?;
        Ok(Harm::strike(
            (FaultKind::Drain, &[k], "takes no more work".to_owned()),
            || ask(ground, |client| client.post_text(&path(&name(k), "/drain"), "")),
            move |ground| ask(ground, |client| client.post_text(&path(&name(k), "/undrain"), "")),
        ))
    });
    Harm::or_skipped(FaultKind::Drain, made)
}

/// The spare machine's pinode joins, and is removed again.
pub fn add(ground: &Ground, _: &mut Random) -> Harm {
    let made = ground.bed.spare().next().context("there is no spare machine").and_then(|k| {
        probe(ground, |client| client.delete(&path("nobody-at-all", "")))?;
        Ok(Harm::strike(
            (FaultKind::Add, &[k], "joins, and goes".to_owned()),
            || ground.bed.start_node(k),
            move |ground| gone(ground, k),
        ))
    });
    Harm::or_skipped(FaultKind::Add, made)
}

/// One node is removed; later its machine joins again, with an empty disk.
pub fn remove(ground: &Ground, random: &mut Random) -> Harm {
    let made = random.pick(&ground.numbers()).copied().context("there is no node").and_then(|k| {
        probe(ground, |client| client.delete(&path("nobody-at-all", "")))?;
        ensure!(ground.is_whole_soon()?, "not all nodes are up");
        ground.hold_down(k);
        Ok(Harm::strike(
            (FaultKind::Remove, &[k], "removed, and back with an empty disk".to_owned()),
            || gone(ground, k),
            move |ground| {
                ground.let_up(k);
                Ok(())
            },
        ))
    });
    Harm::or_skipped(FaultKind::Remove, made)
}

/// Its containers end first, elsewhere or by themselves; nothing is left of it. Stopped before, it would leave them under its
/// guard, and nobody could know that they are dead.
fn gone(ground: &Ground, k: usize) -> anyhow::Result<()> {
    ask(ground, |client| client.post_text(&path(&name(k), "/drain?now=true"), ""))?;
    ask_for(EMPTY, ground, |client| client.delete(&path(&name(k), "?force=true")))?;
    // Who is removed ends by itself, and may have done so.
    drop(ground.bed.stop_node(k));
    wipe::empty(ground, k)
}

fn path(node: &str, act: &str) -> String {
    format!("/api/v1/nodes/{node}{act}")
}

/// Whether this pinode knows such a request at all: then it misses the node, and says so.
fn probe(ground: &Ground, send: impl Fn(&Client) -> anyhow::Result<Answer>) -> anyhow::Result<()> {
    let answer = ground.nodes.iter().find_map(|node| send(&node.client).ok()).context("no node answers")?;
    ensure!(answer.code() == "no_such_node", "this pinode cannot do it: {} {}", answer.status, answer.body);
    Ok(())
}

/// Asks one node after the other until one has done it.
fn ask(ground: &Ground, send: impl Fn(&Client) -> anyhow::Result<Answer>) -> anyhow::Result<()> {
    ask_for(CHANGE, ground, send)
}

fn ask_for(
    patience: Duration,
    ground: &Ground,
    send: impl Fn(&Client) -> anyhow::Result<Answer>,
) -> anyhow::Result<()> {
    let mut last = String::new();
    let done = in_time(patience, PAUSE, || {
        ground.nodes.iter().any(|node| match send(&node.client) {
            // Who is not there has been removed by a try whose answer was lost.
            Ok(answer) if (200..300).contains(&answer.status) || answer.code() == "no_such_node" => true,
            Ok(answer) => {
                last = format!("{} {}", answer.status, answer.body);
                false
            }
            Err(error) => {
                last = format!("{error:#}");
                false
            }
        })
    })?;
    if !done {
        bail!("no node did it: {last}");
    }
    Ok(())
}
