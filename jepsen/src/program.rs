//! A command that talks to nodes, as a person types it: `pinode`, and `docker` and its kin.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;
use serde_json::Value;

/// The command with its hosts.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    env: Vec<(String, String)>,
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
        let env = [("PINODE_HOST", hosts), ("NO_COLOR", "1")];
        let env = env.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        Program { path: path.to_owned(), env }
    }

    /// Another command of the Docker kind, at the engine (or node) `host`.
    pub fn of_docker(name: &str, host: &str) -> Program {
        let env = [("DOCKER_HOST", host), ("DOCKER_BUILDKIT", "0"), ("NO_COLOR", "1")];
        let env = env.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        Program { path: PathBuf::from(name), env }
    }

    /// The command, for who wants to run it himself.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(args).envs(self.env.iter().cloned()).stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, args: &[&str]) -> anyhow::Result<Printed> {
        let output = self
            .command(args)
            .output()
            .with_context(|| format!("run {} {}", self.path.display(), args.join(" ")))?;
        Ok(Printed {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// What it prints when all goes well.
    pub fn prints(&self, args: &[&str]) -> anyhow::Result<String> {
        let printed = self.run(args)?;
        let Printed { code, out, err } = &printed;
        anyhow::ensure!(
            *code == 0,
            "{} {} ended with {code}: {out}{err}",
            self.path.display(),
            args.join(" ")
        );
        Ok(printed.out)
    }

    /// The same, given something to read.
    pub fn prints_for(&self, args: &[&str], input: &str) -> anyhow::Result<String> {
        let mut child = self.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut stdin = child.stdin.take().context("a pipe to its standard input")?;
        stdin.write_all(input.as_bytes())?;
        drop(stdin);
        let output = child.wait_with_output()?;
        anyhow::ensure!(output.status.success(), "{} ended with {}", args.join(" "), output.status);
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
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
