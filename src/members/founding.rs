//! The founding. Peers know addresses, not ids, so it is agreed first: a node initialises only when every named peer
//! has said "empty", with the same set of addresses and the same ids. No answer is not "empty". What was agreed is on
//! disk before anything is done in its name, so a kill between any two steps changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fs, io};

use pinode_raft::{Identity, Member};
use pinode_scheduler::NodeId;
use sha2::{Digest, Sha256};
use tokio::time::sleep;

use crate::transport::wire::{Answer, Ask, Founder};
use crate::transport::{Greeting, Peers};

/// Between two rounds of asking.
const ROUND: Duration = Duration::from_millis(200);
/// Longest wait for one peer's answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Rounds between two lines in the log about what is missing.
const ROUNDS_BETWEEN_WORDS: u32 = 25;
/// Most voters at the founding.
const VOTERS_MAX: usize = 5;

const FILE: &str = "founders";

/// What was agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// These founded the cluster; the first so many vote.
    Founded(BTreeMap<NodeId, Member>),
    /// There is a cluster already; this peer is in it.
    Exists {
        /// Its id.
        cluster: [u8; 32],
        /// A member's address.
        member: String,
    },
}

/// Why a node cannot be founded with.
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
    /// Two clusters were found.
    #[error("{one} and {other} belong to different clusters; name peers of one cluster in --peers")]
    TwoClusters {
        /// A peer.
        one: String,
        /// Another.
        other: String,
    },
}

/// What this node says of itself at first contact, and what it has heard.
#[derive(Debug)]
pub struct Founding {
    own: Mutex<Founder>,
}

impl Founding {
    /// A node that was told `peers` and is reached at `addr`.
    pub fn new(node: NodeId, name: &str, addr: &str, peers: &BTreeSet<String>) -> Founding {
        let mut set = peers.clone();
        set.insert(addr.to_owned());
        let seen = BTreeMap::from([(addr.to_owned(), (node, name.to_owned()))]);
        let own = Founder { node, addr: addr.to_owned(), name: name.to_owned(), set, seen, cluster: None };
        Founding { own: Mutex::new(own) }
    }

    /// Notes who asks and answers with what this node is.
    pub fn hear(&self, other: &Founder, cluster: Option<[u8; 32]>) -> Founder {
        let mut own = self.own();
        note(&mut own, other);
        Founder { cluster, ..own.clone() }
    }

    fn own(&self) -> MutexGuard<'_, Founder> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn note(own: &mut Founder, other: &Founder) {
    if other.set == own.set && own.set.contains(&other.addr) {
        own.seen.insert(other.addr.clone(), (other.node, other.name.clone()));
    }
}

/// First contact, as often as it takes. An agreement of an earlier start is kept.
pub async fn found(
    identity: &mut Identity,
    founding: &Founding,
    greeting: &Arc<Greeting>,
    peers: &Peers,
) -> Result<Found, FoundingError> {
    if let Some(founders) = read(identity.dir())? {
        belong(identity, greeting, cluster_id(&founders))?;
        return Ok(Found::Founded(founders));
    }
    for round in 0_u32.. {
        match ask_all(founding, peers).await? {
            Round::Cluster { cluster, member } => {
                belong(identity, greeting, cluster)?;
                return Ok(Found::Exists { cluster, member });
            }
            Round::Agreed(founders) => {
                write(identity.dir(), &founders)?;
                belong(identity, greeting, cluster_id(&founders))?;
                return Ok(Found::Founded(founders));
            }
            Round::Missing(what) if round % ROUNDS_BETWEEN_WORDS == 0 => {
                tracing::info!(missing = %what.join("; "), "waiting for the peers to found a cluster");
            }
            Round::Missing(_) => {}
        }
        sleep(ROUND).await;
    }
    Ok(Found::Founded(BTreeMap::new()))
}

fn belong(identity: &mut Identity, greeting: &Greeting, cluster: [u8; 32]) -> Result<(), FoundingError> {
    if identity.cluster() != Some(cluster) {
        identity.join_cluster(cluster)?;
    }
    greeting.belong(cluster);
    Ok(())
}

enum Round {
    Agreed(BTreeMap<NodeId, Member>),
    Cluster { cluster: [u8; 32], member: String },
    Missing(Vec<String>),
}

async fn ask_all(founding: &Founding, peers: &Peers) -> Result<Round, FoundingError> {
    let own = founding.own().clone();
    let mut missing = Vec::new();
    let mut clusters: Vec<([u8; 32], String)> = Vec::new();
    let mut heard = vec![own.clone()];
    for addr in own.set.iter().filter(|addr| **addr != own.addr) {
        match peers.call(addr, &Ask::Found(own.clone()), ANSWER_TIMEOUT).await {
            Ok(Answer::Found(other)) => match other.cluster {
                Some(cluster) => clusters.push((cluster, addr.clone())),
                None => heard.push(other),
            },
            Ok(other) => missing.push(format!("{addr} answered {other:?}")),
            Err(error) => missing.push(sentence(&error)),
        }
    }
    if let Some((cluster, member)) = clusters.first().cloned() {
        let other = clusters.iter().find(|(other, _)| *other != cluster);
        return match other {
            Some((_, other)) => Err(FoundingError::TwoClusters { one: member, other: other.clone() }),
            None => Ok(Round::Cluster { cluster, member }),
        };
    }
    let mut mine = founding.own();
    for other in &heard {
        if other.set != mine.set {
            let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(",");
            missing.push(format!("{} was given --peers {}, not {}", other.addr, list(&other.set), list(&mine.set)));
        }
        note(&mut mine, other);
    }
    let all = mine.seen.len() == mine.set.len();
    for other in heard.iter().filter(|other| other.seen != mine.seen) {
        missing.push(format!("{} has not heard of all yet", other.addr));
    }
    if !missing.is_empty() || !all {
        return Ok(Round::Missing(missing));
    }
    let member = |(addr, (id, name)): (&String, &(NodeId, String))| {
        (*id, Member { name: name.clone(), peer: addr.clone() })
    };
    Ok(Round::Agreed(mine.seen.iter().map(member).collect()))
}

fn sentence(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

/// SHA-256 of the sorted founders.
fn cluster_id(founders: &BTreeMap<NodeId, Member>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for (id, member) in founders {
        hash.update(format!("{id:016x} {}\n", member.peer));
    }
    hash.finalize().into()
}

/// The founders that vote: the largest odd number, at most five, lowest ids first.
pub fn first_voters(founders: &BTreeMap<NodeId, Member>) -> BTreeMap<NodeId, Member> {
    let count = odd_voters(founders.len());
    founders.iter().take(count).map(|(id, member)| (*id, member.clone())).collect()
}

/// The largest odd number of voters among `nodes`, at most [`VOTERS_MAX`].
pub(super) fn odd_voters(nodes: usize) -> usize {
    let most = nodes.min(VOTERS_MAX);
    if most % 2 == 0 { most.saturating_sub(1) } else { most }
}

/// Whether this disk has agreed to a founding.
pub fn was_founder(dir: &Path) -> bool {
    dir.join(FILE).exists()
}

fn read(dir: &Path) -> Result<Option<BTreeMap<NodeId, Member>>, FoundingError> {
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
    let founders: Option<BTreeMap<_, _>> = text.lines().map(line).collect();
    let damaged = || FoundingError::Io { act: "understand", path, source: io::ErrorKind::InvalidData.into() };
    founders.filter(|founders| !founders.is_empty()).map(Some).ok_or_else(damaged)
}

fn write(dir: &Path, founders: &BTreeMap<NodeId, Member>) -> Result<(), FoundingError> {
    let path = dir.join(FILE);
    let line = |(id, member): (&NodeId, &Member)| format!("{id:016x} {} {}\n", member.peer, member.name);
    let text: String = founders.iter().map(line).collect();
    let failed = |source| FoundingError::Io { act: "write", path: path.clone(), source };
    pinode_raft::write_durably(&path, text.as_bytes()).map_err(failed)
}
