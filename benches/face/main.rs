//! `cargo bench --bench face`: what Docker's API of a node adds to `docker run --rm`, the way people and scripts use it.
//!
//! The same command in turns: straight on an engine, and through the node beside it, which commits the create, the start
//! and the removal to a majority's disks and may run it on any of three machines. Always ends with 1 above the target.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock of the host")]

#[path = "../common/mod.rs"]
mod common;

use std::process::ExitCode;
use std::time::Instant;

use common::{Asked, Figures};
use pinode_jepsen::program::Program;

/// Runs of each kind, where nobody asks for another number.
const ROUNDS: usize = 40;
/// Before anything is measured: enough to have been on every node.
const WARM_UP: usize = 4;
/// It may take so many times what it takes on the engine.
const TARGET: f64 = 1.10;

fn main() -> anyhow::Result<ExitCode> {
    let Some(asked) = Asked::read() else { return Ok(ExitCode::SUCCESS) };
    let bed = common::machines()?;
    let engines: Vec<Program> = bed.all().map(|k| Program::of_docker("docker", &bed.engine(k))).collect();
    let faces: Vec<Program> = bed.all().map(|k| bed.face(k)).collect();
    let (mut straight, mut through) = (Vec::new(), Vec::new());
    for round in 0..asked.rounds.unwrap_or(ROUNDS) + WARM_UP {
        let k = round % engines.len();
        let pair = (run(&engines[k])?, run(&faces[k])?);
        if round >= WARM_UP {
            straight.push(pair.0);
            through.push(pair.1);
        }
    }
    let through = Figures::new("docker run --rm, through a node", through)?;
    let straight = Figures::new("docker run --rm, straight on an engine", straight)?;
    common::print(&[&through, &straight]);
    let ratio = through.median() / straight.median();
    println!("\nnode / engine = {ratio:.2} (target: at most {TARGET})");
    Ok(if ratio <= TARGET { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How long the command takes, in milliseconds.
fn run(docker: &Program) -> anyhow::Result<f64> {
    let begun = Instant::now();
    docker.prints(&["run", "--rm", "--net", "none", "busybox:local", "true"])?;
    Ok(begun.elapsed().as_secs_f64() * 1000.0)
}
