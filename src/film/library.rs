//! The films in the shared folder: what was taken in, and how its pipeline stands.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, io};

use axum::http::StatusCode;
use pinode_scheduler::container::Phase;
use pinode_scheduler::{Container, State};
use serde::{Deserialize, Serialize};

use super::{pipeline, upload};
use crate::agent::docker::DockerEngine;
use crate::api::Video;
use crate::config::Config;
use crate::http::{ApiError, Backend, hex};
use crate::random;

const CARD: &str = "film.json";
const REPORT: &str = "report.json";
pub(super) const SOURCE: &str = "source";
pub(super) const RESULT: &str = "result.mp4";

/// The films of this cluster. Clones share them.
#[derive(Clone, Debug)]
pub struct Films {
    pub(super) backend: Backend,
    pub(super) engine: Arc<DockerEngine>,
    pub(super) image: String,
    pub(super) dir: PathBuf,
}

/// What is written beside a film when it is taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Card {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) parts: u32,
    /// Hash of what was asked for, the film included: the same key with another one is refused.
    pub(super) body: String,
}

impl Card {
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        pinode_raft::write_durably(&folder.join(CARD), &serde_json::to_vec(self)?)
    }

    fn read(folder: &Path) -> Option<Card> {
        serde_json::from_slice(&fs::read(folder.join(CARD)).ok()?).ok()
    }

    /// The answer to who sent it: the same each time, however far the film is by then.
    pub(super) fn accepted(&self) -> Video {
        Video {
            id: self.id.clone(),
            name: self.name.clone(),
            pipeline: pipeline::name(&self.id),
            state: "queued".to_owned(),
            parts: self.parts,
            parts_done: 0,
            frames_in: None,
            frames_out: None,
            duration: None,
            error: None,
            created_at: None,
        }
    }
}

/// What the merge writes when it has checked its result.
#[derive(Debug, Deserialize)]
struct Report {
    frames_in: u64,
    frames_out: u64,
    duration_out: f64,
}

impl Report {
    fn read(folder: &Path) -> Option<Report> {
        serde_json::from_slice(&fs::read(folder.join(REPORT)).ok()?).ok()
    }
}

impl Films {
    /// In the shared folder of `config`.
    pub fn new(backend: Backend, engine: Arc<DockerEngine>, config: &Config) -> Films {
        let dir = config.shared_dir.join(pipeline::VOLUME);
        let films = Films { backend, engine, image: config.film_image.clone(), dir };
        films.sweep();
        films
    }

    /// Looks into the shared folder, on a thread of its own: it may hang for as long as its network does.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Films) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let films = self.clone();
        let looked = tokio::task::spawn_blocking(move || look(&films)).await;
        looked.map_err(|error| {
            ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "shared_folder", error.to_string())
        })
    }

    /// Where this node takes in a film until it is accepted. No id has a dot, so nobody finds it there.
    pub(super) fn incoming(&self) -> Result<PathBuf, ApiError> {
        let random = random::bytes::<6>().map_err(ApiError::no_randomness)?;
        Ok(self.dir.join(format!("{}{}", self.incoming_prefix(), hex(&random))))
    }

    fn incoming_prefix(&self) -> String {
        format!(".incoming-{:016x}-", self.backend.me)
    }

    /// Removes what this node was taking in when its last process ended.
    fn sweep(&self) {
        let prefix = self.incoming_prefix();
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix)) {
                upload::remove(&entry.path());
            }
        }
    }

    /// A film's folder. Ids are hex, so it is below ours whatever is asked.
    pub(super) fn folder(&self, id: &str) -> Option<PathBuf> {
        let fine = !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_hexdigit());
        fine.then(|| self.dir.join(id))
    }

    /// The card of the film of this id.
    pub(super) fn card(&self, id: &str) -> Option<Card> {
        Card::read(&self.folder(id)?)
    }

    /// The film of this id, as it stands.
    pub(super) fn find(&self, id: &str) -> Option<Video> {
        let folder = self.folder(id)?;
        // Read before the state is looked at: a shared folder may hang for as long as it likes, `apply` may not.
        let (card, report) = (Card::read(&folder)?, Report::read(&folder));
        let created_at = fs::metadata(folder.join(CARD)).and_then(|seen| seen.modified()).ok();
        let video = view(&self.backend.machine.state(), card, report);
        Some(Video { created_at: created_at.and_then(moment), ..video })
    }

    /// Whether its pipeline is there, or has been.
    pub(super) fn is_submitted(&self, id: &str) -> bool {
        let reported = self.folder(id).is_some_and(|folder| folder.join(REPORT).exists());
        reported || !self.backend.machine.state().pipeline(&pipeline::name(id)).is_empty()
    }

    /// All films, by id.
    pub(super) fn all(&self) -> Vec<Video> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let mut ids: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        ids.sort_unstable();
        ids.iter().filter_map(|id| self.find(id)).collect()
    }
}

fn moment(at: SystemTime) -> Option<String> {
    let since = at.duration_since(UNIX_EPOCH).ok()?;
    Some(crate::http::view::time(u64::try_from(since.as_millis()).ok()?))
}

fn view(state: &State, card: Card, report: Option<Report>) -> Video {
    let pipeline = pipeline::name(&card.id);
    let members = state.pipeline(&pipeline);
    let word = word(&members, report.is_some());
    let done = |c: &&&Container| c.spec.name.starts_with("encode") && c.phase == Phase::Succeeded;
    let parts_done = u32::try_from(members.iter().filter(done).count()).unwrap_or(u32::MAX);
    let failed = members.iter().find_map(|c| {
        let Phase::Failed(failure) = &c.phase else { return None };
        Some(match (&failure.reason, failure.code) {
            (Some(reason), _) => format!("{} failed: {reason}", c.name),
            (None, code) => format!("{} failed with code {}", c.name, code.unwrap_or(125)),
        })
    });
    Video {
        id: card.id,
        name: card.name,
        pipeline,
        state: word.to_owned(),
        parts: card.parts,
        parts_done,
        frames_in: report.as_ref().map(|report| report.frames_in),
        frames_out: report.as_ref().map(|report| report.frames_out),
        duration: report.as_ref().map(|report| report.duration_out),
        error: failed,
        created_at: None,
    }
}

/// A pipeline that was removed left its report behind, or was given up before.
fn word(members: &[&Container], reported: bool) -> &'static str {
    let any = |test: fn(&Phase) -> bool| members.iter().any(|c| test(&c.phase));
    let merged = members.iter().find(|c| c.spec.name == "merge");
    let merged = merged.map_or(reported, |c| c.phase == Phase::Succeeded);
    if merged {
        "succeeded"
    } else if any(|phase| matches!(phase, Phase::Failed(_))) {
        "failed"
    } else if any(|phase| matches!(phase, Phase::Cancelled { .. })) || members.is_empty() {
        "cancelled"
    } else if members.iter().any(|c| c.attempt > 0) {
        "running"
    } else {
        "queued"
    }
}
