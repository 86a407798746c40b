//! The command line.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, value_parser};

use crate::model::Mutant;
use crate::scenario::catalog;
use crate::simulated::{EndureArgs, ReplayArgs, SimArgs};

/// All of them, in their order.
pub const ALL: &str = "all";

/// Does harm to real nodes, and judges what they did.
///
/// Each command ends with one line of key=value pairs. Exit codes: 0 no violations, 1 violations, 2 wrong usage, 3 the
/// harness itself failed or proved nothing.
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
    /// Work and harm on real machines, each with a Docker Engine and a pinode (needs root)
    Real(RealArgs),
    /// Judge a history again
    Check(CheckArgs),
    /// Go through the protocol of claims, leases and fences, whatever may happen in whatever order
    Model(ModelArgs),
    /// Run simulated clusters of five nodes, from many seeds, and judge each
    Sim(SimArgs),
    /// Run one seed of `sim` again, with its trace
    Replay(ReplayArgs),
    /// Run one simulated cluster at a container a second, and see that what it holds stops growing
    Endure(EndureArgs),
    /// Plant each known bug, and see that a judge of `sim` catches it
    Mutants {
        /// Only this one
        name: Option<String>,
    },
}

/// Flags of `real`.
#[derive(Args, Clone, Debug)]
pub struct RealArgs {
    /// Which harm, or several with commas, or `all`
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = ALL, value_parser = scenarios())]
    pub scenario: Vec<String>,
    /// For how long harm is done in each
    #[arg(long, default_value_t = 60, value_name = "N", value_parser = value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// Machines
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = value_parser!(u8).range(3..=9))]
    pub nodes: u8,
    /// All choices follow from it [default: another one each time]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Write a folder with history.json and report.html for each scenario into this folder
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
    /// How long a node may act without hearing from a majority [default: pinode's own, 10]
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub lease_seconds: Option<f64>,
    /// The film of the scenario `film` [default: one is made]
    #[arg(long, value_name = "FILE", value_parser = file)]
    pub video: Option<PathBuf>,
    /// Parts to cut the film into
    #[arg(long, default_value_t = 6, value_name = "N", value_parser = value_parser!(u32).range(1..=256))]
    pub parts: u32,
    /// Leave the machines of the last scenario running
    #[arg(long)]
    pub keep: bool,
    /// Begins the names of the machines; two runs at once need two
    #[arg(long, default_value = "pnj", value_name = "NAME")]
    pub prefix: String,
    /// First three numbers of their addresses; two runs at once need two
    #[arg(long, default_value = "10.77.96", value_name = "A.B.C")]
    pub subnet: String,
}

/// Flags of `model`.
#[derive(Args, Clone, Debug)]
pub struct ModelArgs {
    /// Larger worlds: minutes instead of seconds
    #[arg(long)]
    pub deep: bool,
    /// Leave a guard out, and see the steps to what it protects from
    #[arg(long, value_name = "GUARD", conflicts_with = "deep")]
    pub without: Option<Mutant>,
}

/// Flags of `check`.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// A history.json
    #[arg(value_name = "HISTORY", value_parser = file)]
    pub history: PathBuf,
    /// Write the report of this judgement into this folder
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
}

fn scenarios() -> PossibleValuesParser {
    catalog::names().into_iter().chain([ALL]).collect::<Vec<_>>().into()
}

fn file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_file() { Ok(path) } else { Err("there is no such file".to_owned()) }
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.5..=3600.0).contains(seconds));
    seconds.ok_or_else(|| "a number of seconds from 0.5 to 3600".to_owned())
}

impl RealArgs {
    /// The scenarios to run, in their order.
    pub fn scenarios(&self) -> Vec<&'static str> {
        let wanted = |name: &&str| self.scenario.iter().any(|wanted| wanted == name || wanted == ALL);
        catalog::names().into_iter().filter(wanted).collect()
    }

    /// The line that runs one of them again.
    pub fn again(&self, scenario: &str, seed: u64) -> String {
        let mut line = format!("pinode-jepsen real --scenario {scenario} --seed {seed}");
        if scenario == catalog::FILM {
            line += &format!(" --parts {}", self.parts);
            if let Some(video) = &self.video {
                line += &format!(" --video '{}'", video.display());
            }
        } else {
            line += &format!(" --seconds {}", self.seconds);
        }
        line += &format!(" --nodes {}", self.nodes);
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

    fn real(line: &str) -> RealArgs {
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let Command::Real(args) = cli.command else { panic!("not real") };
        args
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_line_that_runs_it_again_has_every_choice_in_it() {
        for line in [
            "pinode-jepsen real --scenario film --seed 7 --parts 3 --nodes 3 --lease-seconds 3",
            "pinode-jepsen real --scenario one-way --seed 7 --seconds 20 --nodes 5",
        ] {
            let args = real(line);
            assert_eq!(args.again(&args.scenario[0], 7), line);
        }
    }

    #[test]
    fn several_scenarios_come_in_the_catalogue_s_order_and_all_is_all_of_them() {
        assert_eq!(
            real("pinode-jepsen real --scenario pause,kill,film").scenarios(),
            ["film", "kill", "pause"]
        );
        assert_eq!(real("pinode-jepsen real").scenarios(), catalog::names());
    }

    #[test]
    fn what_cannot_be_meant_is_wrong_usage() {
        for line in [
            "real --parts 0",
            "real --lease-seconds nan",
            "real --video /nobody.mp4",
            "real --scenario nothing",
            "real --nodes 2",
            "check",
            "check /nobody",
        ] {
            let words = std::iter::once("pinode-jepsen").chain(line.split(' '));
            assert_eq!(Cli::try_parse_from(words).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
