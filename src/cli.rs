//! The command line: types only, and help that is the manual.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

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

/// Flags of `join`. All are optional here: a config file may give them.
#[derive(Args, Clone, Debug, Default)]
pub struct JoinArgs {
    /// Name of this node, unique in the cluster [default: the host name]
    #[arg(long, env = "PINODE_NAME")]
    pub name: Option<String>,
    /// Where people reach it: pages, API, metrics [default: 127.0.0.1:7373]
    #[arg(long, env = "PINODE_LISTEN", value_name = "ADDR:PORT")]
    pub listen: Option<String>,
    /// Where nodes reach it: Raft and leases [default: 127.0.0.1:7374]
    #[arg(long, env = "PINODE_PEER_LISTEN", value_name = "ADDR:PORT")]
    pub peer_listen: Option<String>,
    /// What people are told [default: the listen address; for 0.0.0.0 that of the route to the first peer]
    #[arg(long, env = "PINODE_ADVERTISE", value_name = "ADDR:PORT")]
    pub advertise: Option<String>,
    /// What nodes are told [default: the peer-listen address; for 0.0.0.0 that of the route to the first peer]
    #[arg(long, env = "PINODE_PEER_ADVERTISE", value_name = "ADDR:PORT")]
    pub peer_advertise: Option<String>,
    /// The first nodes name each other; a later node names any of them
    #[arg(long, env = "PINODE_PEERS", value_name = "A:7374,B:7374,…", value_delimiter = ',')]
    pub peers: Option<Vec<String>>,
    /// Where this node keeps what it must not forget [default: /var/lib/pinode as root]
    #[arg(long, env = "PINODE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// This node's Docker Engine [default: unix:///var/run/docker.sock]
    #[arg(long, env = "DOCKER_HOST", value_name = "URL")]
    pub docker_host: Option<String>,
    /// The folder that all nodes share, for example a GlusterFS mount [default: DATA_DIR/shared]
    #[arg(long, env = "PINODE_SHARED_DIR", value_name = "DIR")]
    pub shared_dir: Option<PathBuf>,
    /// The image that encodes films [default: pinode/film:local]
    #[arg(long, env = "PINODE_FILM_IMAGE", value_name = "IMAGE")]
    pub film_image: Option<String>,
    /// The version of Docker's API that is announced to `docker` [default: 1.47]
    #[arg(long, value_name = "VERSION")]
    pub docker_api_version: Option<String>,
    /// How nodes are ranked for what is submitted here and does not say it [default: spread]
    #[arg(long, value_enum, value_name = "STRATEGY")]
    pub strategy: Option<StrategyName>,
    /// A label for constraints, besides the found ones
    #[arg(long, value_name = "KEY=VALUE")]
    pub label: Vec<String>,
    /// Socket for local people [default: /run/pinode/pinode.sock as root]
    #[arg(long, env = "PINODE_SOCKET", value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// No TLS and no token: whoever reaches the ports owns the machines
    #[arg(long)]
    pub insecure: bool,
    /// A TOML file with the same names; flags win over environment, environment over file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// When it is told to stop, it is away for so long: its containers go on under a guard, and nothing of it is claimed
    /// by others; then they are killed, unless it is back [default: 5m]
    #[arg(long, env = "PINODE_AWAY", value_name = "DURATION")]
    pub away: Option<String>,
    /// Stop this node's containers when it leaves, instead of going away for a while
    #[arg(long, env = "PINODE_STOP_CONTAINERS")]
    pub stop_containers: bool,
    /// File with the process id of the Docker Engine, which is killed, with our containers' programs, when it does not end
    /// in time what must not go on; `none` kills nothing [default: /var/run/docker.pid where root uses the default engine]
    #[arg(long, env = "PINODE_FENCE_ENGINE", value_name = "PIDFILE")]
    pub fence_engine: Option<PathBuf>,
    /// A watchdog that resets the machine when this node can no longer end what must not go on
    #[arg(long, env = "PINODE_WATCHDOG", value_name = "/dev/watchdog")]
    pub watchdog: Option<PathBuf>,
    /// How the log is written [default: text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What is logged, as in RUST_LOG [default: info]
    #[arg(long, env = "RUST_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// How long a node may act without hearing from a quorum, in seconds; the same on all nodes. For tests
    #[arg(long, env = "PINODE_LEASE_SECONDS", hide = true)]
    pub lease_seconds: Option<f64>,
}

/// Flags of `guard`.
#[derive(Args, Debug)]
pub struct GuardArgs {
    /// The node's folder
    #[arg(long)]
    pub data_dir: PathBuf,
    /// Which plan is meant
    #[arg(long)]
    pub mark: String,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// For machines
    Json,
}

/// How nodes are ranked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StrategyName {
    /// The emptiest first
    #[default]
    Spread,
    /// The fullest first
    Binpack,
    /// Any
    Random,
}

impl From<StrategyName> for pinode_scheduler::spec::Strategy {
    fn from(name: StrategyName) -> Self {
        match name {
            StrategyName::Spread => Self::Spread,
            StrategyName::Binpack => Self::Binpack,
            StrategyName::Random => Self::Random,
        }
    }
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

/// Flags of `submit`.
#[derive(Args, Debug)]
pub struct SubmitArgs {
    /// A compose file, or JSON; - reads standard input
    pub file: PathBuf,
    /// Name of the pipeline [default: from the file, or the file's folder]
    #[arg(short, long)]
    pub name: Option<String>,
    /// Refuse names in waitfor that match nothing yet
    #[arg(long, value_enum, default_value_t = WaitforMissing::Wait)]
    pub waitfor_missing: WaitforMissing,
    /// Print ids only
    #[arg(short, long)]
    pub quiet: bool,
}

/// What to do with names that match nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WaitforMissing {
    /// Wait for them to appear
    Wait,
    /// Refuse
    Reject,
}

/// Flags of `run`: those of `docker run` that people use, and what it waits for.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// Do not wait for it: print its id
    #[arg(short, long)]
    pub detach: bool,
    /// Remove it when it has ended
    #[arg(long)]
    pub rm: bool,
    /// Its name
    #[arg(long)]
    pub name: Option<String>,
    /// What must have happened first, for example container==split or exited==encode*,count=5
    #[arg(long, value_name = "KIND==EXPR")]
    pub waitfor: Vec<String>,
    /// Refuse names in waitfor that match nothing yet
    #[arg(long, value_enum, default_value_t = WaitforMissing::Wait)]
    pub waitfor_missing: WaitforMissing,
    /// Environment, K=V
    #[arg(short, long, value_name = "K=V")]
    pub env: Vec<String>,
    /// Volumes, NAME:/PATH or /HOST:/PATH[:ro]
    #[arg(short, long, value_name = "VOLUME")]
    pub volume: Vec<String>,
    /// Driver of named volumes; glusterfs is the shared folder
    #[arg(long)]
    pub volume_driver: Option<String>,
    /// Ports, [HOST:]CONTAINER[/udp]
    #[arg(short, long, value_name = "PORT")]
    pub publish: Vec<String>,
    /// Publish all exposed ports
    #[arg(short = 'P', long)]
    pub publish_all: bool,
    /// Working folder
    #[arg(short, long, value_name = "DIR")]
    pub workdir: Option<String>,
    /// User
    #[arg(short, long)]
    pub user: Option<String>,
    /// Most memory, for example 64m; reserved on its node
    #[arg(short, long)]
    pub memory: Option<String>,
    /// CPUs; reserved on its node
    #[arg(long)]
    pub cpus: Option<f64>,
    /// Labels, K=V
    #[arg(short, long, value_name = "K=V")]
    pub label: Vec<String>,
    /// Network: bridge, none, host or a name
    #[arg(long, visible_alias = "net")]
    pub network: Option<String>,
    /// Program instead of the image's
    #[arg(long)]
    pub entrypoint: Option<String>,
    /// Devices, /dev/x[:/dev/y]
    #[arg(long)]
    pub device: Vec<String>,
    /// no, always, unless-stopped or on-failure[:N]
    #[arg(long)]
    pub restart: Option<String>,
    /// More attempts after a failure
    #[arg(long)]
    pub retries: Option<u32>,
    /// What if its node is unreachable: never, fenced or eager
    #[arg(long)]
    pub rerun: Option<String>,
    /// On which nodes it may run, for example node!=pi1, arch==arm64 or, as a preference, storage==~ssd
    #[arg(long, value_name = "KEY==VALUE")]
    pub constraint: Vec<String>,
    /// What its node must have, for example container==db, image==busybox or container!=~web*
    #[arg(long, value_name = "KEY==VALUE")]
    pub affinity: Vec<String>,
    /// Which of the nodes that fit: spread (default), binpack or random
    #[arg(long)]
    pub strategy: Option<String>,
    /// Health check, run in a shell
    #[arg(long)]
    pub health_cmd: Option<String>,
    /// Image
    pub image: String,
    /// Command and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub cmd: Vec<String>,
}

/// Flags of `encode`.
#[derive(Args, Debug)]
pub struct EncodeArgs {
    /// The film
    pub video: PathBuf,
    /// Parts [default: as many as the cluster has CPUs]
    #[arg(short = 'n', long)]
    pub parts: Option<u32>,
    /// Bits a second of the picture
    #[arg(long, default_value = "2M")]
    pub bitrate: String,
    /// Encoder, as ffmpeg names it
    #[arg(long, default_value = "libx264")]
    pub codec: String,
    /// Where to put the result [default: beside the film, as NAME.encoded.mp4]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
