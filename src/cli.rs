//! The command line: types only, and help that is the manual.

mod cluster;
mod join;
mod work;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub use cluster::{
    BackupArgs, DrainArgs, NodeCommand, NodeLabelArgs, NodeName, NodeRmArgs, RecoverArgs, RestoreArgs,
    SettingsArgs,
};
pub use join::{GuardArgs, JoinArgs, LogFormat, StrategyName};
pub use work::{EncodeArgs, RunArgs, SubmitArgs, WaitforMissing};

/// One Docker host made of many small ones, that also knows when.
#[derive(Debug, Parser)]
#[command(name = "pinode", version, max_term_width = 110, disable_help_subcommand = true)]
pub struct Cli {
    /// Node to talk to: http://HOST:PORT or unix:///PATH; a comma list is tried in order
    #[arg(long, global = true, env = "PINODE_HOST", value_name = "HOST")]
    pub host: Option<String>,
    /// How listings are printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    pub format: Format,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// How a listing is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// One JSON array, stable names
    Json,
    /// Graphviz (graph only)
    Dot,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a node and stay in the foreground
    Join(Box<JoinArgs>),
    /// Run one container, when what it waits for has happened
    Run(Box<RunArgs>),
    /// Submit a pipeline: a compose file (YAML or JSON) or a JSON pipeline; - reads standard input
    #[command(visible_alias = "up")]
    Submit(SubmitArgs),
    /// List containers that have not ended
    Ps(PsArgs),
    /// Show everything about containers, as JSON
    Inspect(Names),
    /// Explain where a container stands, and what would move it
    Why(Name),
    /// Wait for containers to end; exits with the worst of their codes
    Wait(Names),
    /// Print what a container prints
    Logs(LogsArgs),
    /// Stop containers: SIGTERM, and SIGKILL after their grace
    Stop(Names),
    /// Kill containers: SIGKILL
    Kill(Names),
    /// Remove containers; what waits never runs
    Rm(RmArgs),
    /// Run what failed again, and revive what was skipped because of it
    Retry(Names),
    /// List nodes
    Nodes(ListArgs),
    /// Drain, undrain, label or remove a node
    #[command(subcommand)]
    Node(NodeCommand),
    /// Show what holds for the whole cluster, or change it
    Settings(SettingsArgs),
    /// Show the cluster as one node sees it
    Status,
    /// Draw who waits for whom
    Graph(GraphArgs),
    /// Print what happens, as it happens
    Events,
    /// Encode a film on all nodes: cut, encode the parts side by side, merge, check
    Encode(EncodeArgs),
    /// Write the whole state of the cluster into a file, while it runs
    ///
    /// Everything that was committed before: containers with what they wait for, nodes, settings, remembered requests. Not
    /// what is on the engines and in volumes: images, logs and data.
    Backup(BackupArgs),
    /// Make a new cluster of one from a backup, in an empty data folder
    ///
    /// What was blocked waits on, and finished work stays finished. What ran when the backup was taken has lost its node: it
    /// runs again, or is unknown where it must not run twice, until `pinode node rm` declares its old node gone. Nodes of
    /// before are strangers to the new cluster; they join it with empty data folders, under their old names if you like.
    Restore(RestoreArgs),
    /// When a majority of the voters is gone for good: make what this stopped node has a cluster of one
    ///
    /// Shows what would be done and what may be lost; does it only with --yes. Choose the survivor whose log ends at the
    /// highest entry of the highest term. What was there is kept beside it. The other survivors join the new cluster with empty data folders.
    /// Their old disks, should they come back, are refused: an old cluster and its recovery never merge, nor do two
    /// recoveries.
    Recover(RecoverArgs),
    /// Watch over what a node left behind: started by a node that leaves
    #[command(hide = true)]
    Guard(GuardArgs),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the version
    Version,
}

/// One container.
#[derive(Args, Debug)]
pub struct Name {
    /// Name, id, or the beginning of one
    pub name: String,
}

/// Several containers.
#[derive(Args, Debug)]
pub struct Names {
    /// Names, ids, or the beginnings of such
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
}

/// Flags of listings.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Print names only
    #[arg(short, long)]
    pub quiet: bool,
}

/// Flags of `ps`.
#[derive(Args, Debug)]
pub struct PsArgs {
    /// Also what has ended
    #[arg(short, long)]
    pub all: bool,
    /// Print ids only
    #[arg(short, long)]
    pub quiet: bool,
}

/// Flags of `logs`.
#[derive(Args, Debug)]
pub struct LogsArgs {
    /// Go on until it ends; begins when it begins
    #[arg(short, long)]
    pub follow: bool,
    /// Name, id, or the beginning of one
    pub name: String,
}

/// Flags of `rm`.
#[derive(Args, Debug)]
pub struct RmArgs {
    /// Kill what runs first
    #[arg(short, long)]
    pub force: bool,
    /// Names, ids, or the beginnings of such
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
}

/// Flags of `graph`.
#[derive(Args, Debug)]
pub struct GraphArgs {
    /// One pipeline; without it everything that waits or is waited for
    pub pipeline: Option<String>,
}
