//! What a request can reach.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use pinode_raft::{Machine, Raft};
use pinode_scheduler::command::Request;
use pinode_scheduler::spec::Strategy;
use pinode_scheduler::{Command, NodeId, Reply};

use super::error::ApiError;
use crate::agent::Agent;
use crate::propose::Proposer;
use crate::submit::Door;
use crate::transport::Peers;

/// Longest wait for a commit or a read.
const WITHIN: Duration = Duration::from_secs(10);

/// The node behind the router. Clones share it.
#[derive(Clone, Debug)]
pub struct Backend {
    /// This node's name.
    pub node: String,
    /// This node.
    pub me: NodeId,
    /// The cluster's id.
    pub cluster: [u8; 32],
    /// Raft.
    pub raft: Raft,
    /// The state.
    pub machine: Machine,
    /// Commits commands.
    pub proposer: Proposer,
    /// The other nodes.
    pub peers: Arc<Peers>,
    /// This node's containers.
    pub agent: Arc<Agent>,
    /// The folder that all nodes share.
    pub shared_dir: PathBuf,
    /// How nodes are ranked for what does not say it.
    pub strategy: Strategy,
}

impl Backend {
    /// Commits, and turns a refusal into its error.
    pub async fn commit(&self, command: Command) -> Result<Reply, ApiError> {
        taken(self.proposer.propose(command, WITHIN).await?)
    }

    /// Does something to what `find` finds. A repetition may come when that is gone already, or when its name means another
    /// one: what was answered is looked at before.
    pub(super) async fn act<Id>(
        &self,
        request: Request,
        find: impl FnOnce(&Backend) -> Result<Id, ApiError>,
        command: impl FnOnce(Request, Id) -> Command,
    ) -> Result<StatusCode, ApiError> {
        self.barrier(false).await?;
        let answered = self.machine.state().answered(&request);
        match answered {
            Some(reply) => taken(reply)?,
            None => {
                let id = find(self)?;
                self.commit(command(request, id)).await?
            }
        };
        Ok(StatusCode::NO_CONTENT)
    }

    /// Makes the reads that follow linearizable, unless the request said that stale ones will do.
    pub async fn barrier(&self, stale: bool) -> Result<(), ApiError> {
        if !stale {
            self.proposer.read_barrier(WITHIN).await?;
        }
        Ok(())
    }

    /// What judges submits.
    pub fn door(&self) -> Door {
        Door { shared_dir: self.shared_dir.clone(), strategy: self.strategy }
    }
}

/// What was done; a refusal is its error.
fn taken(reply: Reply) -> Result<Reply, ApiError> {
    match reply {
        Reply::Rejected(rejection) => Err(rejection.into()),
        reply @ (Reply::Done | Reply::Stale | Reply::Submitted(_)) => Ok(reply),
    }
}

/// Bytes as hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
