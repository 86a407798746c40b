//! A client: it asks one node, and when it gets no answer, the next, with the same key.

use std::sync::Arc;
use std::time::Duration;

use pinode::api::Pipeline;
use pinode::http::Backend;
use pinode_raft::host;
use pinode_scheduler::command::Request;
use pinode_scheduler::{Command, ContainerId, Reply, RequestKey};
use sha2::{Digest, Sha256};
use tokio::time::{sleep, timeout};

use crate::cluster::Cluster;
use crate::history::Answer;
use crate::random::Random;

/// How long a client waits for one node.
const PATIENCE: Duration = Duration::from_secs(6);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);
/// Tries of one request.
const TRIES: usize = 40;
/// Longest wait for a read.
const READ: Duration = Duration::from_secs(5);

/// Asks.
pub struct Client {
    cluster: Arc<Cluster>,
    random: Random,
}

/// What a client wants of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To stop it.
    Stop,
    /// To run it again.
    Retry,
}

impl Client {
    /// Of that cluster.
    pub fn new(cluster: Arc<Cluster>, random: Random) -> Client {
        Client { cluster, random }
    }

    /// Asks nodes until one answers.
    async fn ask<T, F>(&mut self, what: &str, one: impl Fn(Backend) -> F) -> (Answer, Option<T>)
    where
        T: Send + 'static,
        F: Future<Output = (Answer, Option<T>)> + Send + 'static,
    {
        for _ in 0..TRIES {
            let number = self.random.below(self.cluster.count());
            let Some((host, backend)) = self.cluster.node(number).await else {
                sleep(PAUSE).await;
                continue;
            };
            let mut asked = tokio::spawn(host::on(Some(host), one(backend)));
            let answer = timeout(PATIENCE, &mut asked).await;
            asked.abort();
            if let Ok(Ok((answer @ (Answer::Accepted | Answer::Refused(_)), value))) = answer {
                self.cluster.trace.event(format_args!("{what}: n{number} answers {answer:?}"));
                self.cluster.history().answered += 1;
                return (answer, value);
            }
            sleep(PAUSE).await;
        }
        self.cluster.trace.event(format_args!("{what}: nobody answers"));
        (Answer::Unknown, None)
    }

    /// Submits a pipeline; the ids of its containers by full name.
    pub async fn submit(&mut self, key: &str, pipeline: &Pipeline) -> (Answer, Vec<(String, String)>) {
        let request = request(key, &serde_json::to_vec(pipeline).unwrap_or_default());
        let (answer, accepted) = self
            .ask(key, |backend| {
                let (request, pipeline) = (request.clone(), pipeline.clone());
                async move {
                    match backend.submit_pipeline(request, &pipeline).await {
                        Ok(accepted) => (Answer::Accepted, Some(accepted)),
                        Err(error) if error.status.is_server_error() => (Answer::Unknown, None),
                        Err(error) => (Answer::Refused(error.message), None),
                    }
                }
            })
            .await;
        let ids = accepted.into_iter().flat_map(|accepted| accepted.containers);
        (answer, ids.map(|one| (one.name, one.id)).collect())
    }

    /// Has a wish about a container.
    pub async fn wish(&mut self, key: &str, wish: Wish, container: ContainerId) -> Answer {
        let request = request(key, &[]);
        let command = match wish {
            Wish::Stop => Command::Stop { request, container, kill: false, grace_s: Some(2) },
            Wish::Retry => Command::Retry { request, container },
        };
        let (answer, _) = self
            .ask(key, |backend| {
                let command = command.clone();
                async move {
                    let answer = match backend.proposer.propose(command, PATIENCE).await {
                        Ok(Reply::Rejected(why)) => Answer::Refused(why.to_string()),
                        Ok(Reply::Done | Reply::Stale | Reply::Submitted(_)) => Answer::Accepted,
                        Err(_) => Answer::Unknown,
                    };
                    (answer, None::<()>)
                }
            })
            .await;
        answer
    }

    /// A read that asks for no stale answer sees what was accepted before it was asked.
    pub async fn must_see(&mut self, name: &str, id: &str) {
        let number = self.random.below(self.cluster.count());
        let Some((host, backend)) = self.cluster.node(number).await else { return };
        let Ok(wanted) = id.parse::<ContainerId>() else { return };
        let read = async move {
            backend.proposer.read_barrier(READ).await.ok()?;
            Some(backend.machine.state().find_container(wanted).is_some())
        };
        let asked = tokio::spawn(host::on(Some(host), read));
        let abort = asked.abort_handle();
        if let Ok(Ok(Some(false))) = timeout(PATIENCE, asked).await {
            self.cluster.wrong(format!("reads: n{number} does not show {name}, which was accepted before"));
        }
        abort.abort();
    }

    /// The container as any node shows it now.
    pub async fn find(&mut self, name: &str) -> Option<(ContainerId, &'static str)> {
        for number in 0..self.cluster.count() {
            if let Some((_, backend)) = self.cluster.node(number).await
                && let Some(found) = backend.machine.state().find_named(name)
            {
                return Some((found.id, found.phase.word()));
            }
        }
        None
    }
}

fn request(key: &str, body: &[u8]) -> Request {
    Request { key: RequestKey(key.to_owned()), body: Sha256::digest(body).into() }
}
