//! The two commands, and their exit codes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};

use crate::check::{self, harm};
use crate::cli::{Cli, Command, FilmArgs, JudgeArgs};
use crate::history::History;
use crate::scenario::film::{self, Plan};
use crate::{moment, report, simulated};

const VIOLATIONS: u8 = 1;
const HARNESS: u8 = 3;
/// Seeds that nobody chose are short enough to be typed.
const SEEDS: u64 = 1_000_000;

/// Runs it.
pub fn main(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Film(args) => film(args),
        Command::Judge(args) => judge(&args),
        Command::Sim(args) => simulated::sim(&args),
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

/// Violations.
fn film(args: FilmArgs) -> anyhow::Result<usize> {
    let pinode = pinode()?;
    let seed = args.seed.unwrap_or_else(|| moment::now() % SEEDS);
    let again = args.again(seed);
    let FilmArgs { video, parts, keep, lease_seconds, report: folder, .. } = args;
    let history = film::run(&Plan { seed, again, video, parts, lease_seconds, keep }, &pinode)?;
    told(&history, folder.as_deref(), Keep::WhenBad)
}

fn judge(args: &JudgeArgs) -> anyhow::Result<usize> {
    told(&report::read(&args.history)?, None, Keep::Never)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    WhenBad,
    Never,
}

/// Judges, tells, and keeps what must be kept.
fn told(history: &History, folder: Option<&Path>, keep: Keep) -> anyhow::Result<usize> {
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
    if violations == 0
        && let Some(missing) = harm::missing(history)
    {
        bail!("the run proves nothing: {missing}");
    }
    println!("{}", report::last_line(history, &verdicts));
    Ok(violations)
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
