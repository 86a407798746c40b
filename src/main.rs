//! `pinode`: one binary, the same on every node, and the client of them all.

use std::process::ExitCode;

use clap::Parser;
use pinode::cli::Cli;
use pinode::commands;

fn main() -> ExitCode {
    commands::main(Cli::parse())
}
