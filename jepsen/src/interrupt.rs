//! SIGINT and SIGTERM end a run, not the process: every wait of the harness notices, and what it returns takes the
//! testbed down on its way out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use anyhow::{Context, ensure};
use signal_hook::consts::{SIGINT, SIGTERM};

static WANTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on the signals only set the flag.
pub fn listen() -> anyhow::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&WANTED))
            .with_context(|| format!("catch signal {signal}"))?;
    }
    Ok(())
}

/// An error once somebody wants the end.
pub fn check() -> anyhow::Result<()> {
    ensure!(!WANTED.load(Ordering::Relaxed), "interrupted");
    Ok(())
}
