//! `join`: be a node.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::cli::{JoinArgs, LogFormat};
use crate::config::Config;

pub(super) async fn join(args: JoinArgs) -> anyhow::Result<()> {
    let config = Config::load(args)?;
    let filter = EnvFilter::try_new(&config.log)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match config.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    crate::node::run(config).await
}
