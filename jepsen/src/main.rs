//! `pinode-jepsen`: does harm to real nodes, and judges what they did.

use std::process::ExitCode;

use clap::Parser;
use pinode_jepsen::cli::Cli;
use pinode_jepsen::command;

fn main() -> ExitCode {
    command::main(Cli::parse())
}
