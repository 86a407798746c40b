//! A film that is on its way in, in pieces. Its pieces lie in the shared folder, so that any node can take the next one;
//! how far it is, is the length of the file and nothing else.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::library::{Films, SOURCE};
use super::upload::{self, Form};
use crate::clock;
use crate::http::{ApiError, hex};

/// What is written beside the pieces.
const ORDER: &str = "upload.json";
/// The pieces so far.
const PIECES: &str = "source.tmp";
/// No id has a dot, so nobody finds an upload among the films.
const PREFIX: &str = ".upload-";
/// After so long without a piece nobody goes on with it.
const FORGOTTEN: Duration = Duration::from_secs(7 * 24 * 3600);
/// Room that an upload must leave on the disk, in bytes: the parts and the result want some, too.
const ROOM_LEFT: u64 = 16 << 20;
/// One read of the hash, in bytes.
const READ: usize = 1 << 20;

/// What was asked for, and under which key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) key: String,
    pub(super) size: u64,
    /// When the file was last changed, as the browser says it: with name and size it tells one film from another.
    pub(super) modified: u64,
    pub(super) form: Form,
}

/// An upload that is not finished.
#[derive(Clone, Debug)]
pub(super) struct Partial {
    pub(super) order: Order,
    pub(super) folder: PathBuf,
}

impl Films {
    /// Makes room for an upload. One of this id that is there already stays as it is.
    pub(super) fn open_upload(&self, id: &str, order: &Order) -> Result<Partial, ApiError> {
        if let Some(partial) = self.partial(id) {
            return Ok(partial);
        }
        let folder = self.upload_folder(id).ok_or_else(|| no_such(id))?;
        let made = || -> io::Result<()> {
            fs::create_dir_all(&folder)?;
            let room = rustix::fs::statvfs(&folder)?;
            if order.size.saturating_add(ROOM_LEFT) > room.f_bavail.saturating_mul(room.f_frsize) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            fs::OpenOptions::new().create(true).append(true).open(folder.join(PIECES))?;
            pinode_raft::write_durably(&folder.join(ORDER), &serde_json::to_vec(order)?)
        };
        if let Err(error) = made() {
            upload::remove(&folder);
            return Err(upload::disk(&error));
        }
        Ok(Partial { order: order.clone(), folder })
    }

    /// The upload of this id, if it is not finished.
    pub(super) fn partial(&self, id: &str) -> Option<Partial> {
        let folder = self.upload_folder(id)?;
        let order = serde_json::from_slice(&fs::read(folder.join(ORDER)).ok()?).ok()?;
        Some(Partial { order, folder })
    }

    /// What was asked for with a film that came in pieces and is taken in.
    pub(super) fn finished_order(&self, id: &str) -> Option<Order> {
        serde_json::from_slice(&fs::read(self.folder(id)?.join(ORDER)).ok()?).ok()
    }

    /// All that are not finished, by id. Those that nobody goes on with are removed on the way.
    pub(super) fn partials(&self) -> Vec<(String, Partial)> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut ids: Vec<String> =
            names.filter_map(|name| name.strip_prefix(PREFIX).map(str::to_owned)).collect();
        ids.sort_unstable();
        let found = ids.into_iter().filter_map(|id| Some((self.partial(&id)?, id)));
        let (old, kept): (Vec<_>, Vec<_>) = found.partition(|(partial, _)| partial.is_forgotten());
        for (partial, _) in old {
            upload::remove(&partial.folder);
        }
        kept.into_iter().map(|(partial, id)| (id, partial)).collect()
    }

    fn upload_folder(&self, id: &str) -> Option<PathBuf> {
        self.folder(id).map(|_| self.dir.join(format!("{PREFIX}{id}")))
    }
}

impl Partial {
    /// Where the pieces are.
    pub(super) fn pieces(&self) -> PathBuf {
        self.folder.join(PIECES)
    }

    /// How many bytes are there. All of them, once the pieces have become the source.
    pub(super) fn offset(&self) -> u64 {
        let length = |name| fs::metadata(self.folder.join(name)).map(|seen| seen.len()).ok();
        length(PIECES).or_else(|| length(SOURCE)).unwrap_or(0)
    }

    fn is_forgotten(&self) -> bool {
        let seen = fs::metadata(self.pieces()).or_else(|_| fs::metadata(self.folder.join(SOURCE)));
        let changed = seen.and_then(|seen| seen.modified());
        let age = changed.ok().and_then(clock::since_wall);
        age.is_some_and(|age| age > FORGOTTEN)
    }

    /// Makes the pieces the source, once all are there, and notes its hash. It may have been done before.
    pub(super) fn seal(mut self) -> Result<Partial, ApiError> {
        let offset = self.offset();
        if offset != self.order.size {
            let message = format!("{offset} of {} bytes are there; send the rest first", self.order.size);
            return Err(ApiError::new(StatusCode::CONFLICT, "incomplete", message));
        }
        match self.hashed() {
            Ok(hash) => self.order.form.file_hash = hash,
            Err(error) => return Err(upload::disk(&error)),
        }
        Ok(self)
    }

    fn hashed(&self) -> io::Result<String> {
        if self.pieces().exists() {
            fs::File::open(self.pieces())?.sync_all()?;
            fs::rename(self.pieces(), self.folder.join(SOURCE))?;
        }
        if !self.order.form.file_hash.is_empty() {
            return Ok(self.order.form.file_hash.clone());
        }
        let mut order = self.order.clone();
        order.form.file_hash = hash(fs::File::open(self.folder.join(SOURCE))?)?;
        pinode_raft::write_durably(&self.folder.join(ORDER), &serde_json::to_vec(&order)?)?;
        Ok(order.form.file_hash)
    }
}

fn hash(mut file: fs::File) -> io::Result<String> {
    let (mut hash, mut piece) = (Sha256::new(), vec![0; READ]);
    loop {
        match io::Read::read(&mut file, &mut piece)? {
            0 => return Ok(hex(&hash.finalize())),
            length => hash.update(piece.get(..length).unwrap_or_default()),
        }
    }
}

pub(super) fn no_such(id: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "no_such_upload", format!("no such upload: {id}"))
}
