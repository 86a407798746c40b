//! A film on its way in: streamed to disk, whole or not at all.

use std::io;
use std::path::{Path, PathBuf};

use axum::extract::Multipart;
use axum::extract::multipart::Field;
use axum::http::StatusCode;
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;

use super::library::SOURCE;
use crate::http::ApiError;

/// Longest text field, in bytes.
const TEXT_MAX: usize = 256;

/// What came with a film.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) file_name: Option<String>,
    pub(super) name: Option<String>,
    pub(super) parts: Option<u32>,
    pub(super) bitrate: Option<String>,
    pub(super) codec: Option<String>,
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

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "remove a refused film");
        }
    }
}

/// Takes the form in; the file is synced before it has its name.
pub(super) async fn receive(mut multipart: Multipart, folder: &Folder) -> Result<Form, ApiError> {
    let mut form = Form::default();
    let broken = |error: axum::extract::multipart::MultipartError| ApiError::bad("body", error.body_text());
    while let Some(field) = multipart.next_field().await.map_err(broken)? {
        match field.name().unwrap_or_default().to_owned().as_str() {
            "file" => {
                form.file_name = Some(field.file_name().unwrap_or("film").to_owned());
                save(field, folder.path()).await?;
            }
            "name" => form.name = Some(text("name", field).await?),
            "bitrate" => form.bitrate = Some(bitrate(text("bitrate", field).await?)?),
            "codec" => form.codec = Some(codec(text("codec", field).await?)?),
            "parts" => {
                let parts = text("parts", field).await?;
                let number = parts.parse::<u32>().ok().filter(|n| (1..=PARTS_MAX).contains(n));
                let bad = || {
                    ApiError::bad(
                        "parts",
                        format!("`{parts}` is not a number of parts from 1 to {PARTS_MAX}"),
                    )
                };
                form.parts = Some(number.ok_or_else(bad)?);
            }
            other => {
                return Err(ApiError::bad(
                    other,
                    format!("the form has no field `{other}`; there are file, parts, name, bitrate, codec"),
                ));
            }
        }
    }
    if form.file_name.is_none() {
        return Err(ApiError::bad("file", "the form has no file"));
    }
    Ok(form)
}

/// Most parts of a film.
pub(super) const PARTS_MAX: u32 = 256;

async fn text(name: &'static str, field: Field<'_>) -> Result<String, ApiError> {
    let text = field.text().await.map_err(|error| ApiError::bad(name, error.body_text()))?;
    if text.len() <= TEXT_MAX {
        Ok(text)
    } else {
        Err(ApiError::bad(name, format!("{name} is longer than {TEXT_MAX} bytes")))
    }
}

fn bitrate(text: String) -> Result<String, ApiError> {
    let digits = text.trim_end_matches(['k', 'K', 'm', 'M']);
    let fine =
        text.len() - digits.len() <= 1 && digits.parse::<f64>().is_ok_and(|n| n.is_finite() && n > 0.0);
    if fine {
        Ok(text)
    } else {
        Err(ApiError::bad("bitrate", format!("`{text}` is no bitrate; write for example 2M or 800k")))
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

async fn save(mut field: Field<'_>, folder: &Path) -> Result<(), ApiError> {
    let beside = folder.join("source.tmp");
    let mut file = File::create(&beside).await.map_err(|error| disk(&error))?;
    let mut bytes = 0_u64;
    while let Some(chunk) = field.chunk().await.map_err(|error| ApiError::bad("file", error.body_text()))? {
        bytes += chunk.len() as u64;
        file.write_all(&chunk).await.map_err(|error| disk(&error))?;
    }
    if bytes == 0 {
        return Err(ApiError::bad("file", "the file is empty"));
    }
    file.sync_all().await.map_err(|error| disk(&error))?;
    fs::rename(&beside, folder.join(SOURCE)).await.map_err(|error| disk(&error))
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
