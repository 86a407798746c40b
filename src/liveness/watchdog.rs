//! The machine's own watchdog: a device that resets the machine unless somebody writes to it. It is written to while the
//! lease holds, and after that for as long as nothing may run here that must be dead; so a node that can no longer end its
//! containers ends with them, before they run elsewhere.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::sleep;

use super::{Lease, Timing};

/// After so long a silence the device resets the machine. By default many take longer than the cluster waits.
const TIMEOUT: Duration = Duration::from_secs(4);
/// Between two writes.
const PET_EVERY: Duration = Duration::from_secs(1);
/// Tells the driver that the silence which follows is meant.
const DISARM: &[u8] = b"V";
/// Sets the timeout of a device that nobody holds; part of util-linux.
const SETTER: &str = "wdctl";

/// The device. Closed without [`Watchdog::disarm`], as by a crash, it resets the machine.
#[derive(Debug)]
pub struct Watchdog {
    /// None once it is disarmed.
    device: Mutex<Option<File>>,
}

impl Watchdog {
    /// Sets the device's timeout and opens it, which arms it.
    pub fn open(path: &Path) -> io::Result<Watchdog> {
        set_timeout(path)?;
        Ok(Watchdog::over(File::options().write(true).open(path)?))
    }

    fn over(device: File) -> Watchdog {
        Watchdog { device: Mutex::new(Some(device)) }
    }

    /// Writes to the device for as long as that is right: `may_run` says whether something may run that must be dead
    /// without a lease. What is dead late, but before the machine is reset, was dead in time. Never returns.
    pub async fn keep<F, Look>(&self, lease: &Lease, timing: Timing, may_run: F)
    where
        F: Fn() -> Look,
        Look: Future<Output = bool>,
    {
        let patience = (timing.kill + timing.margin).saturating_sub(TIMEOUT + PET_EVERY);
        let mut told = false;
        loop {
            let safe = lease.is_held_or_over_for_less_than(patience) || !may_run().await;
            if safe {
                self.write(b"\0");
            } else if !told {
                tracing::error!(
                    "what must be dead may not be; without that the watchdog resets this machine now"
                );
            }
            told = !safe;
            sleep(PET_EVERY).await;
        }
    }

    /// The orderly way out: nothing runs that must end, or a guard watches over it.
    pub fn disarm(&self) {
        self.write(DISARM);
        *self.device() = None;
    }

    fn write(&self, bytes: &[u8]) {
        if let Some(device) = &mut *self.device()
            && let Err(error) = device.write_all(bytes)
        {
            tracing::error!(%error, "write to the watchdog");
        }
    }

    fn device(&self) -> std::sync::MutexGuard<'_, Option<File>> {
        self.device.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set_timeout(path: &Path) -> io::Result<()> {
    let set = Command::new(SETTER).arg("--settimeout").arg(TIMEOUT.as_secs().to_string()).arg(path).output();
    let set =
        set.map_err(|error| io::Error::new(error.kind(), format!("{SETTER}, of util-linux: {error}")))?;
    if set.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&set.stderr);
    let seconds = TIMEOUT.as_secs();
    Err(io::Error::other(format!("it cannot be set to reset the machine after {seconds} s: {}", said.trim())))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::ready;

    use super::*;
    use crate::clock;
    use crate::liveness::Record;

    /// What has been written to the device when a node without a lease has gone on for `seconds`.
    async fn written(seconds: u64, may_run: impl Fn() -> bool) -> Vec<u8> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let watchdog = Watchdog::over(file.reopen().unwrap());
        let timing = Timing::scaled(Duration::from_millis(200));
        let lease = Lease::new(timing, Record::nowhere(), Some(clock::now()));
        // Its patience is counted in the time of the machine, and the rest of the test in tokio's.
        let patience = timing.kill + timing.margin;
        assert!(patience < TIMEOUT, "none is left");
        tokio::select! {
            () = watchdog.keep(&lease, timing, || ready(may_run())) => {}
            () = sleep(Duration::from_secs(seconds) + PET_EVERY / 2) => {}
        }
        watchdog.disarm();
        std::fs::read(file.path()).unwrap()
    }

    #[test]
    fn a_device_that_is_not_there_is_an_error_at_the_start() {
        assert!(Watchdog::open(Path::new("/nowhere/watchdog")).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_lease_a_machine_where_all_is_dead_goes_on() {
        assert_eq!(written(4, || false).await, b"\0\0\0\0\0V");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_lease_a_machine_where_something_may_run_is_reset() {
        assert_eq!(written(4, || true).await, b"V");
    }

    #[tokio::test(start_paused = true)]
    async fn what_dies_late_saves_its_machine() {
        let looks = Cell::new(0);
        let may_run = || {
            looks.set(looks.get() + 1);
            looks.get() <= 3
        };
        assert_eq!(written(4, may_run).await, b"\0\0V");
    }

    #[tokio::test(start_paused = true)]
    async fn with_a_lease_nobody_asks_what_runs() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let watchdog = Watchdog::over(file.reopen().unwrap());
        let lease = Lease::new(Timing::DEFAULT, Record::nowhere(), None);
        tokio::select! {
            () = watchdog.keep(&lease, Timing::DEFAULT, || -> std::future::Ready<bool> { panic!("asked") }) => {}
            () = sleep(PET_EVERY / 2) => {}
        }
        assert_eq!(std::fs::read(file.path()).unwrap(), b"\0");
    }
}
