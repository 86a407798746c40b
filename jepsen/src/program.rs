//! The `pinode` command, as a person types it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;
use serde_json::Value;

/// The command with its hosts.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    hosts: String,
}

/// What a command left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// Exit code; -1 for a signal.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Program {
    /// `pinode` at `path`, talking to `hosts`.
    pub fn new(path: &Path, hosts: &str) -> Program {
        Program { path: path.to_owned(), hosts: hosts.to_owned() }
    }

    /// The command, for who wants to run it himself.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(args).env("PINODE_HOST", &self.hosts).env("NO_COLOR", "1").stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, args: &[&str]) -> anyhow::Result<Printed> {
        let output = self.command(args).output().with_context(|| format!("run pinode {}", args.join(" ")))?;
        Ok(Printed {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// What it prints with `--format json`.
    pub fn json(&self, args: &[&str]) -> anyhow::Result<Value> {
        let all: Vec<&str> = args.iter().copied().chain(["--format", "json"]).collect();
        let printed = self.run(&all)?;
        anyhow::ensure!(
            printed.code == 0,
            "pinode {} ended with {}: {}",
            args.join(" "),
            printed.code,
            printed.err
        );
        serde_json::from_str(&printed.out)
            .with_context(|| format!("read what pinode {} printed", args.join(" ")))
    }
}
