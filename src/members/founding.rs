//! The founding. Peers know addresses, not ids, so it is agreed first. What was agreed is on the disk before anything is
//! done in its name, so a kill between any two steps changes nothing: the next start finds the list and goes on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fs, io};

use futures_util::future::join_all;
use openraft::errors::{InitializeError, RaftError};
use pinode_raft::{Identity, Member, Raft};
use pinode_scheduler::NodeId;
use tokio::time::sleep;

use super::agreement::{Agreement, Founders, Round, cluster_id, first_voters};
use crate::transport::wire::{Answer, Ask, Founder, Joiner, cluster_name};
use crate::transport::{Greeting, Peers};

/// Between two rounds of asking.
const ROUND: Duration = Duration::from_millis(200);
/// Longest wait for one peer's answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Rounds between two lines in the log about the same obstacle.
const ROUNDS_BETWEEN_WORDS: u32 = 50;

const FILE: &str = "founders";

/// How the node came to its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is one of these, who founded it.
    Founded(Founders),
    /// There was one, and it has to be taken in.
    Exists([u8; 32]),
}

/// Why there is no founding.
#[derive(Debug, thiserror::Error)]
pub enum FoundingError {
    /// Reading or writing the agreement failed.
    #[error("{act} the founders in {path}")]
    Io {
        /// What was attempted.
        act: &'static str,
        /// Where.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The identity could not be written.
    #[error(transparent)]
    Identity(#[from] pinode_raft::identity::IdentityError),
    /// The list on the disk is not the one whose cluster the disk belongs to.
    #[error("{path} lists the founders of {listed}, and this disk belongs to {belongs}")]
    OtherList {
        /// The list.
        path: PathBuf,
        /// Whose founders it lists.
        listed: String,
        /// What the identity says.
        belongs: String,
    },
    /// Raft could not be initialised.
    #[error("write the first entry of the log: {0}")]
    Initialise(String),
}

/// What this node says of itself at first contact, and what it has heard.
#[derive(Debug)]
pub struct Founding {
    agreement: Mutex<Agreement>,
    /// What the last round of asking found in the way.
    obstacle: Mutex<String>,
}

impl Founding {
    /// A node that was told `peers`; naming itself among them is fine.
    pub fn new(me: Joiner, peers: &BTreeSet<String>) -> Founding {
        Founding { agreement: Mutex::new(Agreement::new(me, peers)), obstacle: Mutex::default() }
    }

    /// The answer to somebody's first contact.
    pub fn hear(&self, other: &Founder) -> Founder {
        tracing::trace!(node = %format_args!("{:x}", other.me.node), addr = other.me.addr, "first contact");
        self.agreement().own().clone()
    }

    /// The addresses this node was told, without its own.
    pub fn peers(&self) -> Vec<String> {
        self.agreement().peers()
    }

    /// What is still in the way, in a sentence.
    pub fn obstacle(&self) -> String {
        self.obstacle.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes what is in the way; whether that is news.
    fn note_obstacle(&self, sentence: String) -> bool {
        let mut obstacle = self.obstacle.lock().unwrap_or_else(PoisonError::into_inner);
        let news = *obstacle != sentence;
        *obstacle = sentence;
        news
    }

    fn agreement(&self) -> MutexGuard<'_, Agreement> {
        self.agreement.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// First contact, as often as it takes. Returns at once where the disk knows its cluster. The listener must be served
/// meanwhile: the others ask too.
pub async fn found(
    identity: &mut Identity,
    founding: &Founding,
    greeting: &Greeting,
    peers: &Peers,
) -> Result<Found, FoundingError> {
    if let Some(found) = known(identity)? {
        let nobody = Founders::new();
        let founders = if let Found::Founded(founders) = &found { founders } else { &nobody };
        let cluster = if let Found::Exists(cluster) = found { cluster } else { cluster_id(founders) };
        belong(identity, founding, greeting, cluster, founders)?;
        return Ok(found);
    }
    for round in 0_u32.. {
        let answers = ask_all(founding, peers).await;
        let concluded = founding.agreement().conclude(&answers);
        match concluded {
            Round::Agreed(founders) => {
                write(identity.dir(), &founders)?;
                belong(identity, founding, greeting, cluster_id(&founders), &founders)?;
                return Ok(Found::Founded(founders));
            }
            Round::Cluster(cluster) => {
                belong(identity, founding, greeting, cluster, &Founders::new())?;
                return Ok(Found::Exists(cluster));
            }
            Round::Missing(_) | Round::TwoClusters(..) => {
                if founding.note_obstacle(concluded.sentence()) || round.is_multiple_of(ROUNDS_BETWEEN_WORDS)
                {
                    tracing::info!("waiting to found or join a cluster: {}", founding.obstacle());
                }
            }
        }
        sleep(ROUND).await;
    }
    Ok(Found::Founded(Founders::new()))
}

/// What the disk knows of an earlier first contact.
fn known(identity: &Identity) -> Result<Option<Found>, FoundingError> {
    match (read(identity.dir())?, identity.cluster()) {
        (Some(founders), cluster) => {
            let listed = cluster_id(&founders);
            if cluster.is_some_and(|cluster| cluster != listed) {
                return Err(FoundingError::OtherList {
                    path: identity.dir().join(FILE),
                    listed: cluster_name(Some(&listed)),
                    belongs: cluster_name(cluster.as_ref()),
                });
            }
            Ok(Some(Found::Founded(founders)))
        }
        (None, cluster) => Ok(cluster.map(Found::Exists)),
    }
}

fn belong(
    identity: &mut Identity,
    founding: &Founding,
    greeting: &Greeting,
    cluster: [u8; 32],
    founders: &Founders,
) -> Result<(), FoundingError> {
    if identity.cluster() != Some(cluster) {
        identity.join_cluster(cluster)?;
    }
    founding.agreement().belong(cluster, founders);
    greeting.belong(cluster);
    tracing::info!("this node belongs to {}", cluster_name(Some(&cluster)));
    Ok(())
}

async fn ask_all(founding: &Founding, peers: &Peers) -> Vec<(String, Result<Founder, String>)> {
    let own = Ask::Found(founding.agreement().own().clone());
    let ask = |addr: String| {
        let own = &own;
        async move {
            let answer = match peers.call(&addr, own, ANSWER_TIMEOUT).await {
                Ok(Answer::Found(other)) => Ok(other),
                Ok(other) => Err(format!("{addr} answered {}", other.word())),
                Err(error) => Err(error.to_string()),
            };
            (addr, answer)
        }
    };
    join_all(founding.peers().into_iter().map(ask)).await
}

/// Writes the first entry of the log where the founding left that to be done. All founders that vote write the same
/// one, each whenever it gets to it.
pub async fn initialise(raft: &Raft, me: NodeId, found: &Found) -> Result<(), FoundingError> {
    let Found::Founded(founders) = found else { return Ok(()) };
    let voters = first_voters(founders);
    if !voters.contains_key(&me) {
        return Ok(());
    }
    match raft.initialize(voters).await {
        Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
        Err(error) => Err(FoundingError::Initialise(error.to_string())),
    }
}

fn read(dir: &Path) -> Result<Option<Founders>, FoundingError> {
    let path = dir.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(FoundingError::Io { act: "read", path, source }),
    };
    let line = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let id = NodeId::from_str_radix(words.next()?, 16).ok()?;
        Some((id, Member { peer: words.next()?.to_owned(), name: words.next()?.to_owned() }))
    };
    let founders: Option<Founders> = text.lines().map(line).collect();
    let damaged = || FoundingError::Io { act: "understand", path, source: io::ErrorKind::InvalidData.into() };
    founders.filter(|founders| !founders.is_empty()).map(Some).ok_or_else(damaged)
}

fn write(dir: &Path, founders: &Founders) -> Result<(), FoundingError> {
    let path = dir.join(FILE);
    let line = |(id, member): (&NodeId, &Member)| format!("{id:016x} {} {}\n", member.peer, member.name);
    let text: String = founders.iter().map(line).collect();
    let failed = |source| FoundingError::Io { act: "write", path: path.clone(), source };
    pinode_raft::write_durably(&path, text.as_bytes()).map_err(failed)
}
