//! The machine's own watchdog: a device that resets the machine unless somebody writes to it. It is written to while the
//! lease holds, or nothing runs here that must be dead when it does not; so a node that can no longer end its containers
//! ends with them.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::{Lease, Timing};
use crate::agent::Agent;

/// Devices reset after 15 s and more; the kernel's own is written to as often.
const PET_EVERY: Duration = Duration::from_secs(1);
/// Tells the driver that the silence which follows is meant.
const DISARM: &[u8] = b"V";

/// The device. Closed without [`Watchdog::disarm`], as by a crash, it resets the machine.
#[derive(Debug)]
pub struct Watchdog {
    device: File,
}

impl Watchdog {
    /// Opens the device, which arms it.
    pub fn open(path: &Path) -> io::Result<Watchdog> {
        Ok(Watchdog { device: File::options().write(true).open(path)? })
    }

    fn pet(&mut self) -> io::Result<()> {
        self.device.write_all(b"\0")
    }

    /// Writes to the device for as long as that is right. Never returns while it is.
    pub async fn keep(mut self, lease: Arc<Lease>, agent: Arc<Agent>, timing: Timing) {
        while lease.is_held_or_over_for_less_than(timing.kill) || !agent.owes_fenced() {
            if lease.is_given_up() {
                return self.disarm();
            }
            if let Err(error) = self.pet() {
                tracing::error!(%error, "write to the watchdog");
            }
            sleep(PET_EVERY).await;
        }
        tracing::error!("what must be dead is not; the watchdog resets this machine now");
        // The file stays open, and silent.
        std::future::pending().await
    }

    /// The orderly way out: a guard watches over what goes on.
    fn disarm(mut self) {
        if let Err(error) = self.device.write_all(DISARM) {
            tracing::error!(%error, "disarm the watchdog");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_not_there_is_an_error_at_the_start() {
        assert!(Watchdog::open(Path::new("/nowhere/watchdog")).is_err());
    }

    #[test]
    fn it_is_petted_with_anything_but_the_letter_that_disarms_it() {
        let device = tempfile::NamedTempFile::new().unwrap();
        let mut watchdog = Watchdog::open(device.path()).unwrap();
        watchdog.pet().unwrap();
        watchdog.pet().unwrap();
        watchdog.disarm();
        assert_eq!(std::fs::read(device.path()).unwrap(), b"\0\0V");
    }
}
