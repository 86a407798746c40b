//! Films, whole and in pieces.

use serde::{Deserialize, Serialize};

/// A film.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Video {
    /// Its id.
    pub id: String,
    /// As given.
    pub name: String,
    /// The pipeline that encodes it.
    pub pipeline: String,
    /// `queued`, `running`, `succeeded`, `failed`, `cancelled`.
    pub state: String,
    /// Parts it is cut into.
    pub parts: u32,
    /// Parts that are encoded.
    pub parts_done: u32,
    /// Frames of the source.
    pub frames_in: Option<u64>,
    /// Frames of the result.
    pub frames_out: Option<u64>,
    /// Seconds of the result.
    pub duration: Option<f64>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was taken in; an answer to who sends it does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
}

/// A film that is to come in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewUpload {
    /// As the file is called.
    pub file_name: String,
    /// Bytes.
    pub size: u64,
    /// When the file was last changed, milliseconds since 1970; who goes on with it knows it by that.
    pub modified: u64,
    /// Name of the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Parts; as many as the cluster has CPUs without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<u32>,
    /// `2M`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bitrate: Option<String>,
    /// 0 to 51, instead of a bitrate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<u32>,
    /// `libx264`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
}

/// A film that comes in pieces, as far as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its id; the film's, too.
    pub id: String,
    /// As the file is called.
    pub file_name: String,
    /// Bytes in all.
    pub size: u64,
    /// When the file was last changed, milliseconds since 1970.
    pub modified: u64,
    /// Bytes that are there.
    pub offset: u64,
}
