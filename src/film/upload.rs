//! A film on its way in: streamed to disk, whole or not at all.

use std::collections::BTreeSet;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;

use super::library::SOURCE;
use crate::api::NewUpload;
use crate::http::{ApiError, hex};

/// Longest text field, in bytes.
const TEXT_MAX: usize = 256;
/// Bits a second that an encoder can be asked for.
const BITRATE: RangeInclusive<f64> = 1e3..=1e9;
const BITRATE_DEFAULT: &str = "2M";
/// Constant rate factors of x264 and x265: 0 loses nothing.
const QUALITY: RangeInclusive<u32> = 0..=51;

/// What came with a film, and the film's hash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Form {
    pub(super) file_name: String,
    pub(super) file_hash: String,
    pub(super) name: Option<String>,
    pub(super) parts: Option<u32>,
    pub(super) bitrate: Option<String>,
    pub(super) codec: Option<String>,
    /// Instead of a bitrate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) quality: Option<u32>,
}

impl Form {
    /// Of a film that comes in pieces.
    pub(super) fn of(new: &NewUpload) -> Result<Form, ApiError> {
        Form {
            file_name: title("file", new.file_name.clone())?,
            file_hash: String::new(),
            name: new.name.clone().map(|name| title("name", name)).transpose()?,
            parts: new.parts.map(|number| parts(&number.to_string())).transpose()?,
            bitrate: new.bitrate.clone().map(bitrate).transpose()?,
            codec: new.codec.clone().map(codec).transpose()?,
            quality: new.quality.map(|number| quality(&number.to_string())).transpose()?,
        }
        .sound()
    }

    fn sound(self) -> Result<Form, ApiError> {
        if self.bitrate.is_some() && self.quality.is_some() {
            return Err(ApiError::bad("quality", "a film has a bitrate or a quality, not both"));
        }
        Ok(self)
    }

    /// How much the encoders may write, as the film image takes it.
    pub(super) fn rate(&self) -> String {
        let quality = self.quality.map(|quality| format!("crf{quality}"));
        quality.or_else(|| self.bitrate.clone()).unwrap_or_else(|| BITRATE_DEFAULT.to_owned())
    }

    /// What people call it.
    pub(super) fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.file_name.clone())
    }
}

/// A folder that goes again unless it is kept.
pub(super) struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Folder {
    pub(super) async fn make(path: PathBuf) -> Result<Folder, ApiError> {
        fs::create_dir_all(&path).await.map_err(|error| disk(&error))?;
        Ok(Folder { path, kept: false })
    }

    /// One that is there already, and stays until it is moved.
    pub(super) fn adopt(path: PathBuf) -> Folder {
        Folder { path, kept: true }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its place for good; false if something is there already.
    pub(super) async fn move_to(mut self, place: &Path) -> Result<bool, ApiError> {
        match fs::rename(&self.path, place).await {
            Ok(()) => self.kept = true,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists
                ) =>
            {
                return Ok(false);
            }
            Err(error) => return Err(disk(&error)),
        }
        if let Some(above) = place.parent() {
            let synced = async { File::open(above).await?.sync_all().await };
            synced.await.map_err(|error| disk(&error))?;
        }
        Ok(true)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            remove(&self.path);
        }
    }
}

/// Removes what was not accepted.
pub(super) fn remove(folder: &Path) {
    if let Err(error) = std::fs::remove_dir_all(folder) {
        tracing::warn!(path = %folder.display(), %error, "remove a refused film");
    }
}

/// Takes the form in. The film goes into `folder`, where it is synced before it has its name; without one it is read and
/// forgotten.
pub(super) async fn receive(mut multipart: Multipart, folder: Option<&Path>) -> Result<Form, ApiError> {
    let mut form = Form::default();
    let mut seen = BTreeSet::new();
    let broken = |error: MultipartError| multipart_error("body", &error);
    while let Some(field) = multipart.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if !seen.insert(name.clone()) {
            return Err(ApiError::bad(&name, format!("the form has the field `{name}` twice")));
        }
        match name.as_str() {
            "file" => {
                form.file_name = title("file", field.file_name().unwrap_or("film").to_owned())?;
                form.file_hash = take(field, folder).await?;
            }
            "name" => form.name = Some(title("name", text("name", field).await?)?),
            "bitrate" => form.bitrate = Some(bitrate(text("bitrate", field).await?)?),
            "codec" => form.codec = Some(codec(text("codec", field).await?)?),
            "parts" => form.parts = Some(parts(&text("parts", field).await?)?),
            "quality" => form.quality = Some(quality(&text("quality", field).await?)?),
            other => {
                return Err(ApiError::bad(
                    other,
                    format!(
                        "the form has no field `{other}`; there are file, parts, name, bitrate, quality, codec"
                    ),
                ));
            }
        }
    }
    if form.file_hash.is_empty() {
        return Err(ApiError::bad("file", "the form has no file"));
    }
    form.sound()
}

fn multipart_error(field: &str, error: &MultipartError) -> ApiError {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the film is too large")
        }
        _ => ApiError::bad(field, error.body_text()),
    }
}

/// Most parts of a film.
pub(super) const PARTS_MAX: u32 = 256;

/// Piece by piece: a whole field may be as large as a film.
async fn text(name: &'static str, mut field: Field<'_>) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|error| multipart_error(name, &error))? {
        if bytes.len() + piece.len() > TEXT_MAX {
            return Err(ApiError::bad(name, format!("{name} is longer than {TEXT_MAX} bytes")));
        }
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes).map_err(|_| ApiError::bad(name, format!("{name} is not UTF-8 text")))
}

/// What people call a film. It is no path, and must not be taken for one by who saves the result under it.
fn title(field: &'static str, text: String) -> Result<String, ApiError> {
    let fine = !text.trim().is_empty()
        && text.len() <= TEXT_MAX
        && !matches!(text.as_str(), "." | "..")
        && !text.chars().any(|c| c.is_control() || matches!(c, '/' | '\\'));
    if fine {
        return Ok(text);
    }
    let shown = text.escape_debug();
    let message =
        format!("`{shown}` is no name of a film: up to {TEXT_MAX} bytes, no slashes or control characters");
    Err(ApiError::bad(field, message))
}

fn parts(text: &str) -> Result<u32, ApiError> {
    let number = text.parse::<u32>().ok().filter(|n| (1..=PARTS_MAX).contains(n));
    let bad = || ApiError::bad("parts", format!("`{text}` is not a number of parts from 1 to {PARTS_MAX}"));
    number.ok_or_else(bad)
}

fn quality(text: &str) -> Result<u32, ApiError> {
    let number = text.parse::<u32>().ok().filter(|n| QUALITY.contains(n));
    let bad = || ApiError::bad("quality", format!("`{text}` is no quality; write 0 (loses nothing) to 51"));
    number.ok_or_else(bad)
}

/// As ffmpeg takes it: `2M`, `800k`, `1.5M`, `128000`.
fn bitrate(text: String) -> Result<String, ApiError> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1e3),
        Some((at, 'm' | 'M')) => (&text[..at], 1e6),
        Some(_) | None => (text.as_str(), 1.0),
    };
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let bits = digits.parse::<f64>().ok().filter(|_| plain).map(|number| number * unit);
    if bits.is_some_and(|bits| BITRATE.contains(&bits)) {
        Ok(text)
    } else {
        let message = format!("`{text}` is no bitrate; write for example 2M or 800k (1k to 1000M)");
        Err(ApiError::bad("bitrate", message))
    }
}

fn codec(text: String) -> Result<String, ApiError> {
    let fine = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if fine {
        Ok(text)
    } else {
        Err(ApiError::bad("codec", format!("`{text}` is no encoder; write for example libx264")))
    }
}

/// Reads the film; its hash.
async fn take(mut field: Field<'_>, folder: Option<&Path>) -> Result<String, ApiError> {
    let beside = folder.map(|folder| folder.join("source.tmp"));
    let mut file = match &beside {
        Some(path) => Some(File::create(path).await.map_err(|error| disk(&error))?),
        None => None,
    };
    let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
    while let Some(chunk) = field.chunk().await.map_err(|error| multipart_error("file", &error))? {
        bytes += chunk.len() as u64;
        hash.update(&chunk);
        if let Some(file) = &mut file {
            file.write_all(&chunk).await.map_err(|error| disk(&error))?;
        }
    }
    if bytes == 0 {
        return Err(ApiError::bad("file", "the file is empty"));
    }
    if let (Some(file), Some(beside), Some(folder)) = (file, &beside, folder) {
        file.sync_all().await.map_err(|error| disk(&error))?;
        fs::rename(beside, folder.join(SOURCE)).await.map_err(|error| disk(&error))?;
    }
    Ok(hex(&hash.finalize()))
}

/// A full disk is its own status: there is nothing wrong with the film.
pub(super) fn disk(error: &io::Error) -> ApiError {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    if full {
        let message = "the shared folder's disk is full; free some space there and send the film again";
        return ApiError::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", message);
    }
    let message = format!("the shared folder cannot be written: {error}");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "shared_folder", message)
}
