//! The `Idempotency-Key` header: the same key is the same request, however often it comes.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use pinode_scheduler::{RequestKey, command};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::ApiError;
use crate::random;

/// Longest key, in bytes.
const KEY_MAX: usize = 255;
const HEADER: &str = "Idempotency-Key";

/// The key of a request. Without a header every request is a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let bad = |why: &str| ApiError::bad(HEADER, format!("an idempotency key {why}"));
        let Some(header) = parts.headers.get(HEADER) else { return Key::fresh() };
        let key = header.to_str().map_err(|_| bad("is plain text"))?;
        if key.is_empty() || key.len() > KEY_MAX {
            return Err(bad(&format!("has 1 to {KEY_MAX} bytes")));
        }
        Ok(Key(key.to_owned()))
    }
}

impl Key {
    /// A key that nobody has used.
    pub fn fresh() -> Result<Key, ApiError> {
        random().map(Key)
    }

    /// A key that was noted.
    pub fn of(text: &str) -> Key {
        Key(text.to_owned())
    }

    /// The key itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What makes a repetition of `asked` the same request.
    pub fn request<T: Serialize>(&self, asked: &T) -> Result<command::Request, ApiError> {
        let json = serde_json::to_vec(asked).map_err(|error| ApiError::bad("body", error.to_string()))?;
        Ok(command::Request { key: RequestKey(self.0.clone()), body: Sha256::digest(json).into() })
    }
}

fn random() -> Result<String, ApiError> {
    random::bytes::<16>().map(|bytes| super::hex(&bytes)).map_err(ApiError::no_randomness)
}
