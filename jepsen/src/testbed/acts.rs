//! What can be done to the machines of a testbed.

use super::{Testbed, run};

/// A process of a machine that can be signalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// The node.
    Pinode,
    /// The engine.
    Dockerd,
    /// What the engine stands on.
    Containerd,
}

impl Process {
    fn word(self) -> &'static str {
        match self {
            Process::Pinode => "pinode",
            Process::Dockerd => "dockerd",
            Process::Containerd => "containerd",
        }
    }
}

impl Testbed {
    /// Starts the pinode of machine `k`, until it answers.
    pub fn start_node(&self, k: usize) -> anyhow::Result<()> {
        self.on(k, "start-node")
    }

    /// SIGTERM, until it has ended.
    pub fn stop_node(&self, k: usize) -> anyhow::Result<()> {
        self.on(k, "stop-node")
    }

    /// SIGKILL.
    pub fn kill_node(&self, k: usize) -> anyhow::Result<()> {
        self.on(k, "kill-node")
    }

    /// Starts the engine of machine `k`, until it answers.
    pub fn start_engine(&self, k: usize) -> anyhow::Result<()> {
        self.on(k, "start-engine")
    }

    /// SIGTERM to the engine, until it has ended; its containers go on.
    pub fn stop_engine(&self, k: usize) -> anyhow::Result<()> {
        self.on(k, "stop-engine")
    }

    /// SIGKILL to the engine; its containers go on.
    pub fn kill_engine(&self, k: usize) -> anyhow::Result<()> {
        self.on(k, "kill-engine")
    }

    /// A signal to a process of machine `k`.
    pub fn signal(&self, k: usize, process: Process, signal: &str) -> anyhow::Result<()> {
        self.script(&["signal", &k.to_string(), process.word(), signal]).map(drop)
    }

    /// Power cut: everything on machine `k` ends at once.
    pub fn cut(&self, k: usize) -> anyhow::Result<()> {
        self.on(k, "cut")
    }

    /// Power back: machine and engine, not its pinode.
    pub fn power(&self, k: usize) -> anyhow::Result<()> {
        self.on(k, "power")
    }

    /// Runs a command on machine `k`: in its mounts, processes and network. What it prints.
    pub fn exec(&self, k: usize, command: &[&str]) -> anyhow::Result<String> {
        let mut script = self.command();
        script.args(["exec", &k.to_string()]).arg("--state").arg(self.folder()).arg("--").args(command);
        run(&mut script)
    }

    fn on(&self, k: usize, act: &str) -> anyhow::Result<()> {
        self.script(&[act, &k.to_string()]).map(drop)
    }
}
