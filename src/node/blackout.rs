//! A blackout is said in the log of every node, when it has become certain.

use std::sync::Arc;

use pinode_raft::Machine;
use pinode_raft::machine::Changes;
use pinode_scheduler::What;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Watches what entries do from now on. Ends with the machine.
pub(super) async fn tell(machine: Machine) {
    let mut changes: Receiver<Arc<Changes>> = machine.changes();
    drop(machine);
    loop {
        match changes.recv().await {
            Ok(entry) => entry.changes.iter().for_each(|change| {
                if let What::Blackout(what) = &change.what {
                    tracing::warn!("{what}; pinode status tells what becomes of them");
                }
            }),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}
