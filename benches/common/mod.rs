//! What the benchmarks have in common: their machines, their options, and figures in a table for the README.

use std::path::Path;

use anyhow::{Context, ensure};
use clap::Parser;
use pinode_jepsen::Testbed;
use pinode_jepsen::testbed::Options;

/// Machines of their own, and the lease that a real node has.
const MACHINES: Options = Options::three("pnb", "10.77.128", None);

/// What can be asked of a benchmark.
#[derive(Debug, Parser)]
pub(crate) struct Asked {
    /// Rounds to measure, instead of the usual number.
    #[arg(long)]
    pub(crate) rounds: Option<usize>,
    /// Given by `cargo bench`; without it, as in `cargo test --all-targets`, nothing is measured.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Asked {
    /// None where nothing shall be measured.
    pub(crate) fn read() -> Option<Asked> {
        let asked = Asked::parse();
        if !asked.bench {
            println!("measures only as `cargo bench`");
        }
        asked.bench.then_some(asked)
    }
}

/// Three machines with an engine and a node each, all up.
pub(crate) fn machines() -> anyhow::Result<Testbed> {
    Testbed::whole(&MACHINES, Path::new(env!("CARGO_BIN_EXE_pinode"))).context("make three machines")
}

/// One line of a table: durations in milliseconds.
#[derive(Debug)]
pub(crate) struct Figures {
    what: String,
    sorted_ms: Vec<f64>,
}

impl Figures {
    /// Of at least one duration.
    pub(crate) fn new(what: &str, mut durations_ms: Vec<f64>) -> anyhow::Result<Figures> {
        ensure!(!durations_ms.is_empty(), "{what}: nothing was measured");
        durations_ms.sort_by(f64::total_cmp);
        Ok(Figures { what: what.to_owned(), sorted_ms: durations_ms })
    }

    /// The middle one; of an even number, the mean of both.
    pub(crate) fn median(&self) -> f64 {
        let middle = self.sorted_ms.len() / 2;
        let upper = self.sorted_ms.get(middle).copied().unwrap_or_default();
        let lower = self.sorted_ms.get(middle.saturating_sub(1)).copied().unwrap_or(upper);
        if self.sorted_ms.len().is_multiple_of(2) { f64::midpoint(lower, upper) } else { upper }
    }

    fn line(&self) -> String {
        let least = self.sorted_ms.first().copied().unwrap_or_default();
        let most = self.sorted_ms.last().copied().unwrap_or_default();
        let (what, n, median) = (&self.what, self.sorted_ms.len(), self.median());
        format!("| {what} | {n} | {median:.0} ms | {least:.0} ms | {most:.0} ms |")
    }
}

/// Prints a table that can be pasted.
pub(crate) fn print(all: &[&Figures]) {
    println!("\n| what | times | median | least | most |");
    println!("| --- | --- | --- | --- | --- |");
    for figures in all {
        println!("{}", figures.line());
    }
}
