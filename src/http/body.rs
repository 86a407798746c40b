//! Bodies, queries and keys, with errors in our own shape.

use std::convert::Infallible;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use pinode_scheduler::{RequestKey, command};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::ApiError;

/// Deepest JSON.
const DEPTH_MAX: usize = 32;
/// Longest idempotency key, in bytes.
const KEY_MAX: usize = 255;

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            let status = rejection.status();
            let code = if status == StatusCode::PAYLOAD_TOO_LARGE { "too_large" } else { "bad_request" };
            ApiError::new(status, code, rejection.body_text())
        })?;
        check_depth(&bytes)?;
        serde_json::from_slice(&bytes).map(Body).map_err(|error| json_error(&error))
    }
}

/// Counted before anything is built from it.
fn check_depth(bytes: &[u8]) -> Result<(), ApiError> {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(ApiError::bad("body", format!("the JSON is nested deeper than {DEPTH_MAX}")));
        }
    }
    Ok(())
}

/// serde names the field between backticks.
fn json_error(error: &serde_json::Error) -> ApiError {
    let text = error.to_string();
    let field = text.split('`').nth(1).filter(|_| text.contains("field")).unwrap_or("body");
    ApiError::bad(field, format!("the JSON is not as expected: {text}"))
}

/// A query string.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        query.map(|query| Query(query.0)).map_err(|error| ApiError::bad("query", error.body_text()))
    }
}

/// How fresh a read must be.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Consistency {
    consistency: Option<String>,
}

impl Consistency {
    pub(super) fn is_stale(&self) -> Result<bool, ApiError> {
        match self.consistency.as_deref() {
            None | Some("linearizable") => Ok(false),
            Some("stale") => Ok(true),
            Some(other) => {
                Err(ApiError::bad("consistency", format!("`{other}` is neither linearizable nor stale")))
            }
        }
    }
}

/// The `Idempotency-Key` header.
pub(super) struct Key(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Key(key_of(&parts.headers)))
    }
}

fn key_of(headers: &HeaderMap) -> Option<String> {
    headers.get("idempotency-key").map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned())
}

impl Key {
    /// What makes a repetition of `asked` the same request. Without a header every request is a new one.
    pub(super) fn request<T: Serialize>(&self, asked: &T) -> Result<command::Request, ApiError> {
        let key = match &self.0 {
            Some(key) if key.is_empty() || key.len() > KEY_MAX => {
                return Err(ApiError::bad(
                    "Idempotency-Key",
                    format!("an idempotency key has 1 to {KEY_MAX} bytes"),
                ));
            }
            Some(key) => key.clone(),
            None => random_key()?,
        };
        let json = serde_json::to_vec(asked).map_err(|error| ApiError::bad("body", error.to_string()))?;
        Ok(command::Request { key: RequestKey(key), body: Sha256::digest(json).into() })
    }
}

fn random_key() -> Result<String, ApiError> {
    let mut bytes = [0; 16];
    let failed = |error| {
        ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "no_randomness",
            format!("read random bytes: {error}"),
        )
    };
    getrandom::fill(&mut bytes).map_err(failed)?;
    Ok(super::hex(&bytes))
}
