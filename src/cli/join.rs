//! Flags of what runs a node.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

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
