//! Flags of an operator's commands.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do to a node.
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// Give a node no new work
    ///
    /// What runs there may finish. With --now, or when --deadline has passed, what may run elsewhere is stopped (SIGTERM,
    /// and SIGKILL after its grace), has been interrupted, and is run again on another node; what has `rerun` never is
    /// always left to finish. A draining node still votes. To retire a machine for good: drain it, stop pinode on it, and
    /// when its session is lost, `pinode node rm` it.
    Drain(DrainArgs),
    /// Give a node work again
    Undrain(NodeName),
    /// Declare a node gone for good
    ///
    /// It is forgotten and votes no more, and what it had runs elsewhere. Refused while its session lives: stop pinode there
    /// first. Should its disk come back it is refused; the machine itself may come back with an empty --data-dir, as a new
    /// node, under the same name if you like.
    Rm(NodeRmArgs),
    /// Give a node labels for constraints, or take them back
    Label(NodeLabelArgs),
}

/// One node.
#[derive(Args, Debug)]
pub struct NodeName {
    /// Its name, or its id
    pub name: String,
}

/// Flags of `node drain`.
#[derive(Args, Debug)]
pub struct DrainArgs {
    /// Its name, or its id
    pub name: String,
    /// Stop at once what may run elsewhere
    #[arg(long, conflicts_with = "deadline")]
    pub now: bool,
    /// Stop what may run elsewhere and still runs after so long, for example 10m
    #[arg(long, value_name = "DURATION")]
    pub deadline: Option<String>,
    /// Return only when none of the cluster's containers is left on it
    #[arg(long)]
    pub wait: bool,
}

/// Flags of `node rm`.
#[derive(Args, Debug)]
pub struct NodeRmArgs {
    /// Even if it is up, when it is drained and empty; even if how some of its containers ended is not known: they have
    /// failed then
    #[arg(short, long)]
    pub force: bool,
    /// Their names, or their ids
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
}

/// Flags of `node label`.
#[derive(Args, Debug)]
pub struct NodeLabelArgs {
    /// Its name, or its id
    pub name: String,
    /// KEY=VALUE gives it, KEY- takes it back; what the node says of itself shows again then
    #[arg(required = true, value_name = "KEY=VALUE|KEY-")]
    pub labels: Vec<String>,
}

/// Flags of `settings`. Without any it shows them.
#[derive(Args, Debug)]
pub struct SettingsArgs {
    /// Most nodes that vote: 1, 3, 5 or 7 [default: 5]. As many vote as are healthy, always an odd number
    #[arg(long, value_name = "N")]
    pub voters: Option<u8>,
    /// How long a voter may be lost before another node takes its place, for example 10m [default: 5m]
    #[arg(long, value_name = "DURATION")]
    pub replace_voter_after: Option<String>,
}

/// Flags of `backup`.
#[derive(Args, Debug)]
pub struct BackupArgs {
    /// The file; one that is there is replaced when the new one is whole
    pub file: PathBuf,
}

/// Flags of `restore`.
#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// The file
    pub file: PathBuf,
    /// Folder of the new node; empty, or not there yet [default: as join]
    #[arg(long, env = "PINODE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// Flags of `recover`.
#[derive(Args, Debug)]
pub struct RecoverArgs {
    /// Folder of the stopped node [default: as join]
    #[arg(long, env = "PINODE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Do it
    #[arg(long)]
    pub yes: bool,
}
