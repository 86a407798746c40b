//! Flags of what asks for work.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

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
