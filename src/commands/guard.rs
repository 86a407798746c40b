//! `guard`: what a node that leaves starts, and nobody else.

use tracing_subscriber::EnvFilter;

use crate::cli::GuardArgs;
use crate::guard;

pub(super) async fn guard(args: &GuardArgs) -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_env_filter(EnvFilter::new("info")).with_writer(std::io::stderr).init();
    guard::watch(&args.data_dir, &args.mark).await
}
