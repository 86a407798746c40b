//! `sim`, `replay`, `endure` and `mutants`: pinode's own nodes in one seeded process. What runs and judges there is `pinode-sim`;
//! here are only its flags and its last line.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::{Args, value_parser};
use pinode_sim::{Held, Plan, Rates, Scene, Sum, TRUE_RATES, Told};

/// Machines of a simulated cluster.
const MACHINES: usize = 5;

/// Flags of `sim`.
#[derive(Args, Clone, Debug)]
pub struct SimArgs {
    /// Seeds to run
    #[arg(long, default_value_t = 500, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    pub seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub from: u64,
    /// Simulated time of each
    #[arg(long, default_value_t = 10.0, value_name = "N", value_parser = minutes)]
    pub minutes: f64,
    /// Run each twice and hold the traces against each other
    #[arg(long)]
    pub twice: bool,
    /// How far the machines' boot clocks may be off, in thousandths
    #[arg(long, default_value_t = TRUE_RATES.0, value_name = "N", value_parser = value_parser!(u64).range(0..=500))]
    pub rate_off: u64,
}

/// Flags of `replay`.
#[derive(Args, Clone, Debug)]
pub struct ReplayArgs {
    /// The seed
    #[arg(long, value_name = "N")]
    pub seed: u64,
    /// Simulated time
    #[arg(long, default_value_t = 10.0, value_name = "N", value_parser = minutes)]
    pub minutes: f64,
    /// Print every frame between nodes as well
    #[arg(long)]
    pub frames: bool,
    /// How far the machines' boot clocks may be off, in thousandths
    #[arg(long, default_value_t = TRUE_RATES.0, value_name = "N", value_parser = value_parser!(u64).range(0..=500))]
    pub rate_off: u64,
}

/// Flags of `endure`.
#[derive(Args, Clone, Debug)]
pub struct EndureArgs {
    /// Simulated hours; in the first 31 it may grow, until as many requests are remembered as ever will be
    #[arg(long, default_value_t = 55, value_name = "N", value_parser = value_parser!(u64).range(32..=1_000))]
    pub hours: u64,
    /// The seed
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
}

/// The hour that the later ones are held against: the state is full by then. At a container a second, 10,000 ended ones take
/// three hours, and 110,000 requests under their keys, after which the oldest 10,000 are forgotten, take 31.
const FULL_AFTER: usize = 31;
/// How much more than in that hour may be held, in thousandths.
const FLAT: u64 = 100;

fn minutes(text: &str) -> Result<f64, String> {
    let minutes = text.parse::<f64>().ok().filter(|minutes| (2.0..=1_440.0).contains(minutes));
    minutes.ok_or_else(|| "a number of minutes from 2 to 1440".to_owned())
}

fn plan(seed: u64, minutes: f64, rate_off: u64, told: Told) -> Plan {
    let length = Duration::from_secs_f64(minutes * 60.0);
    Plan { seed, machines: MACHINES, length, rates: Rates(rate_off), scene: Scene::EVERYTHING, told }
}

/// Runs seeds; how many violations there were.
pub fn sim(args: &SimArgs) -> anyhow::Result<usize> {
    let plan = plan(args.from, args.minutes, args.rate_off, Told::Nothing);
    let last = args.from.checked_add(args.seeds).context("there are no such seeds")?;
    let sum = pinode_sim::seeds(&plan, args.from..last, args.twice, |outcome| {
        for violation in &outcome.violations {
            eprintln!("seed {}: {violation}", outcome.seed);
        }
        if !outcome.violations.is_empty() {
            eprintln!("again: pinode-jepsen replay --seed {} --minutes {}", outcome.seed, args.minutes);
        }
    })?;
    println!("{}", line(&sum));
    Ok(sum.violations.len())
}

fn line(sum: &Sum) -> String {
    let hours = sum.length.as_secs() / 3_600;
    format!(
        "seeds={} simulated_hours={hours} faults={} containers={} violations={}",
        sum.seeds,
        sum.faults,
        sum.ended,
        sum.violations.len()
    )
}

/// Runs one seed with its trace; how many violations there were.
pub fn replay(args: &ReplayArgs) -> anyhow::Result<usize> {
    let told = if args.frames { Told::Frames } else { Told::Events };
    let outcome = pinode_sim::run(&plan(args.seed, args.minutes, args.rate_off, told))?;
    let (faults, count) = (outcome.faults, outcome.violations.len());
    println!("seed={} trace={} faults={faults} violations={count}", outcome.seed, outcome.digest);
    Ok(count)
}

/// Runs a cluster for long; 1 if it holds more and more.
pub fn endure(args: &EndureArgs) -> anyhow::Result<usize> {
    let hours = pinode_sim::endure(args.seed, args.hours, |hour, held| {
        let Held { containers, memory, log_entries, files } = held;
        eprintln!(
            "hour={hour} containers={containers} memory={memory} log_entries={log_entries} files={files}"
        );
    })?;
    let (before, later) = hours.split_at(FULL_AFTER.min(hours.len()));
    let full = before.last().copied().unwrap_or_default();
    let grown = later.iter().map(|held| held.above(&full)).max().unwrap_or(0);
    let containers = later.last().map_or(full.containers, |held| held.containers);
    let violations = usize::from(grown > FLAT);
    println!(
        "simulated_hours={} containers={containers} grown_thousandths={grown} violations={violations}",
        args.hours
    );
    Ok(violations)
}

/// Builds pinode with planted bugs, as a program of its own beside this one, and lets it find each of them.
pub fn mutants(only: Option<&str>) -> anyhow::Result<usize> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--locked", "--manifest-path", manifest, "-p", "pinode-sim"]);
    command.args(["--features", "mutants", "--bin", "pinode-mutants", "--"]).args(only);
    let ended =
        command.status().context("build pinode with its mutants (this needs cargo and the source)")?;
    let code = ended.code().context("the program with the mutants was killed")?;
    ensure!(code == 0 || code == 1, "the program with the mutants failed ({ended})");
    Ok(usize::from(code == 1))
}
