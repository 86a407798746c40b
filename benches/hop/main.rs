//! `cargo bench --bench hop`: what pinode adds between the end of a container and the end of the one that waited for it.
//!
//! Twenty containers in a chain over three nodes, side by side with twenty on one engine by hand, in turns, so that
//! whatever else the machine does meets both. Time is what the engines wrote down (`FinishedAt`), from one end to the
//! next; an engine's own API is the measure, because the `docker` command's start-up would flatter pinode. Always ends
//! with 1 above the target.

mod chain;
#[path = "../common/mod.rs"]
mod common;
mod engine;

use std::process::ExitCode;

use common::{Asked, Figures};
use engine::{Engine, Told};
use jiff::Timestamp;

/// Rounds of each kind, where nobody asks for another number.
const ROUNDS: usize = 3;
/// Containers a round.
const LINKS: usize = 20;
/// Before anything is measured: enough for a chain to have been on every node.
const WARM_UP: usize = 6;
/// A hop may take so many times what it takes by hand.
const TARGET: f64 = 1.15;

fn main() -> anyhow::Result<ExitCode> {
    let Some(asked) = Asked::read() else { return Ok(ExitCode::SUCCESS) };
    let rounds = asked.rounds.unwrap_or(ROUNDS);
    let bed = common::machines()?;
    let engines = bed.all().map(|k| Engine::connect(&bed.engine(k))).collect::<anyhow::Result<Vec<_>>>()?;
    chain::run(&bed, &engines, "warm", WARM_UP)?;
    for engine in &engines {
        engine.in_a_row("warm", WARM_UP / 2, Told::ByWait)?;
    }
    let (mut chained, mut waited, mut told) = (Vec::new(), Vec::new(), Vec::new());
    // Each round by hand is on another engine, as a chain is on all of them.
    for (round, engine) in engines.iter().cycle().take(rounds).enumerate() {
        let chain = chain::run(&bed, &engines, &format!("round{round}"), LINKS)?;
        println!("round {round}: the links were on {}", chain.nodes.join(" "));
        chained.extend(hops(&chain.ends));
        waited.extend(hops(&engine.in_a_row(&format!("wait{round}"), LINKS, Told::ByWait)?));
        told.extend(hops(&engine.in_a_row(&format!("event{round}"), LINKS, Told::ByEvent)?));
    }
    let chained = Figures::new("pinode, a chain over three nodes", chained)?;
    let waited = Figures::new("one engine's API, create + start + wait", waited)?;
    let told = Figures::new("one engine's API, create + start + its event of the end", told)?;
    common::print(&[&chained, &waited, &told]);
    let ratio = chained.median() / waited.median();
    println!("\npinode / wait = {ratio:.2} (target: at most {TARGET})");
    println!("pinode / event = {:.2}", chained.median() / told.median());
    Ok(if ratio <= TARGET { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// From each end to the next, in milliseconds.
fn hops(ends: &[Timestamp]) -> impl Iterator<Item = f64> {
    ends.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs_f64() * 1000.0)
}
