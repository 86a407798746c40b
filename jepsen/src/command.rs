//! The commands, and their exit codes.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};

use crate::check::{self, harm};
use crate::cli::{CheckArgs, Cli, Command, RealArgs};
use crate::history::History;
use crate::report::{Index, Tally};
use crate::scenario::film::Reel;
use crate::scenario::{Setting, catalog};
use crate::testbed::Options;
use crate::{interrupt, model, moment, report, simulated};

const VIOLATIONS: u8 = 1;
const HARNESS: u8 = 3;
/// Seeds that nobody chose are short enough to be typed.
const SEEDS: u64 = 1_000_000;

/// Runs it.
pub fn main(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Real(args) => real(&args),
        Command::Check(args) => check(&args),
        Command::Model(args) => model::run(args.deep, args.without),
        Command::Sim(args) => simulated::sim(&args),
        Command::Endure(args) => simulated::endure(&args),
        Command::Replay(args) => simulated::replay(&args),
        Command::Mutants { name } => simulated::mutants(name.as_deref()),
    };
    match done {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(VIOLATIONS),
        Err(error) => {
            eprintln!("pinode-jepsen: the harness failed: {error:#}");
            ExitCode::from(HARNESS)
        }
    }
}

/// Violations. A scenario that fails as such hides none of the others; the last line counts those that were judged.
fn real(args: &RealArgs) -> anyhow::Result<usize> {
    let pinode = pinode()?;
    interrupt::listen()?;
    let seed = args.seed.unwrap_or_else(|| moment::now() % SEEDS);
    let reel = Reel { video: args.video.clone(), parts: args.parts };
    let names = args.scenarios();
    let (mut tally, mut index) = (Tally::default(), Index::default());
    let mut failed = Vec::new();
    for name in &names {
        let setting = Setting {
            seed,
            again: args.again(name, seed),
            seconds: args.seconds,
            options: options(args, names.last() == Some(name)),
        };
        let judged = catalog::run(name, &setting, &reel, &pinode).and_then(|history| {
            let folder = args.report.as_ref().map(|folder| folder.join(name));
            index.add(&history, &check::judge(&history));
            told(&history, folder.as_deref(), Keep::WhenBad, &mut tally)
        });
        if let Err(error) = judged {
            interrupt::check()?;
            eprintln!("pinode-jepsen: the harness failed in {name}: {error:#}");
            failed.push(*name);
        }
    }
    if let Some(folder) = &args.report {
        report::write_index(folder, &index, &tally.last_line())?;
    }
    println!("{}", tally.last_line());
    ensure!(failed.is_empty() || tally.violations > 0, "{} proved nothing: see above", failed.join(", "));
    Ok(tally.violations)
}

fn options(args: &RealArgs, is_last: bool) -> Options {
    Options {
        prefix: Cow::Owned(args.prefix.clone()),
        subnet: Cow::Owned(args.subnet.clone()),
        nodes: usize::from(args.nodes),
        spare: 0,
        lease_seconds: args.lease_seconds,
        fake_time: false,
        keep: args.keep && is_last,
    }
}

fn check(args: &CheckArgs) -> anyhow::Result<usize> {
    let mut tally = Tally::default();
    told(&report::read(&args.history)?, args.report.as_deref(), Keep::Never, &mut tally)?;
    println!("{}", tally.last_line());
    Ok(tally.violations)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    WhenBad,
    Never,
}

/// Judges, tells, counts, and keeps what must be kept. An error is a run that proves nothing.
fn told(history: &History, folder: Option<&Path>, keep: Keep, tally: &mut Tally) -> anyhow::Result<()> {
    let verdicts = check::judge(history);
    let violations = report::count(&verdicts);
    let kept = match folder {
        Some(folder) => Some(report::write(folder, history, &verdicts)?),
        None if keep == Keep::WhenBad && violations > 0 => Some(report::leave(history, &verdicts)?),
        None => None,
    };
    for line in report::lines(&verdicts) {
        println!("{line}");
    }
    if violations > 0
        && let Some(kept) = kept
    {
        println!("the history, to be judged again: {}", kept.display());
    }
    println!("{}", report::scenario_line(history, &verdicts));
    if violations == 0
        && let Some(missing) = harm::missing(history)
    {
        // Harm that a machine or a pinode cannot have is told, and is no failure of either.
        if harm::is_skipped(history) {
            tally.skipped += 1;
            return Ok(());
        }
        bail!("the run proves nothing: {missing}");
    }
    tally.add(history, violations);
    Ok(())
}

/// The binary that is judged: named by PINODE, as for the scripts in `deploy`, else the one beside this.
fn pinode() -> anyhow::Result<PathBuf> {
    let path = match std::env::var_os("PINODE") {
        Some(path) => PathBuf::from(path),
        None => std::env::current_exe().context("find this program")?.with_file_name("pinode"),
    };
    ensure!(
        path.is_file(),
        "no pinode at {}: build it (cargo build --workspace) or set PINODE to it",
        path.display()
    );
    Ok(path)
}
