//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, value_parser};

use crate::simulated::{ReplayArgs, SimArgs};

/// Does harm to real nodes, and judges what they did.
///
/// Exit codes: 0 no violations, 1 violations, 2 wrong usage, 3 the harness itself failed or proved nothing.
#[derive(Debug, Parser)]
#[command(name = "pinode-jepsen", version, max_term_width = 110, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Encode a film on three machines, cut the power of one that encodes, and judge (needs root)
    Film(FilmArgs),
    /// Judge a history again
    Judge(JudgeArgs),
    /// Run simulated clusters of five nodes, from many seeds, and judge each
    Sim(SimArgs),
    /// Run one seed of `sim` again, with its trace
    Replay(ReplayArgs),
    /// Plant each known bug, and see that a judge of `sim` catches it
    Mutants {
        /// Only this one
        name: Option<String>,
    },
}

/// Flags of `film`.
#[derive(Args, Clone, Debug)]
pub struct FilmArgs {
    /// The film [default: one is made]
    #[arg(long, value_name = "FILE", value_parser = file)]
    pub video: Option<PathBuf>,
    /// Parts to cut it into
    #[arg(long, default_value_t = 6, value_name = "N", value_parser = value_parser!(u32).range(1..=256))]
    pub parts: u32,
    /// All choices follow from it [default: another one each time]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Leave the machines running
    #[arg(long)]
    pub keep: bool,
    /// Write history.json and report.html into this folder
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
    /// How long a node may act without hearing from a majority [default: pinode's own, 10]
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub lease_seconds: Option<f64>,
}

/// Flags of `judge`.
#[derive(Args, Clone, Debug)]
pub struct JudgeArgs {
    /// A history.json
    #[arg(value_name = "FILE", value_parser = file)]
    pub history: PathBuf,
}

fn file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_file() { Ok(path) } else { Err("there is no such file".to_owned()) }
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.5..=3600.0).contains(seconds));
    seconds.ok_or_else(|| "a number of seconds from 0.5 to 3600".to_owned())
}

impl FilmArgs {
    /// The line that runs the same again.
    pub fn again(&self, seed: u64) -> String {
        let mut line = format!("pinode-jepsen film --seed {seed} --parts {}", self.parts);
        if let Some(video) = &self.video {
            line += &format!(" --video '{}'", video.display());
        }
        if let Some(seconds) = self.lease_seconds {
            line += &format!(" --lease-seconds {seconds}");
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_line_that_runs_it_again_has_every_choice_in_it() {
        let line = "pinode-jepsen film --seed 7 --parts 3 --lease-seconds 3";
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let Command::Film(args) = cli.command else { panic!("no film") };
        assert_eq!(args.again(7), line);
    }

    #[test]
    fn what_cannot_be_meant_is_wrong_usage() {
        for line in [
            "film --parts 0",
            "film --lease-seconds nan",
            "film --video /nobody.mp4",
            "judge",
            "judge /nobody",
        ] {
            let words = std::iter::once("pinode-jepsen").chain(line.split(' '));
            assert_eq!(Cli::try_parse_from(words).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
