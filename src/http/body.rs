//! JSON bodies, with errors in our own shape that name the field.

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use super::error::ApiError;
use super::limits::{BODY_MAX_BYTES, Unread, read_body};
use crate::api::AsMap;

/// Deepest JSON.
const DEPTH_MAX: usize = 32;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let bytes = read_body(request.into_body()).await.map_err(|unread| match unread {
            Unread::TooLarge => {
                let message = format!("the body is larger than {BODY_MAX_BYTES} bytes");
                ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
            }
            Unread::Broken(error) => ApiError::bad("body", format!("it was not sent to its end: {error}")),
        })?;
        parse(&bytes).map(Body)
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    check_depth(bytes)?;
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let AsMap(value) = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let text = error.into_inner().to_string();
        let field = field(&path, &text);
        let at = if field == "body" { String::new() } else { format!("{field}: ") };
        ApiError::bad(&field, format!("the JSON is not as expected: {at}{text}"))
    })?;
    let rest =
        |error: serde_json::Error| ApiError::bad("body", format!("the JSON is not as expected: {error}"));
    json.end().map_err(rest)?;
    Ok(value)
}

/// The path of what is wrong. What is missing, or there twice, has no place, and serde names it between backticks.
fn field(path: &str, text: &str) -> String {
    let named = ["missing field `", "duplicate field `"].iter().find_map(|begin| text.strip_prefix(begin));
    let named = named.and_then(|rest| rest.split('`').next());
    match (path.trim_start_matches('.'), named) {
        ("", None) => "body".to_owned(),
        ("", Some(name)) => name.to_owned(),
        (path, Some(name)) => format!("{path}.{name}"),
        (path, None) => path.to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Pipeline, Submit};

    fn refused<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> (String, String) {
        let error = parse::<T>(text.as_bytes()).unwrap_err();
        assert_eq!((error.status, error.code), (StatusCode::BAD_REQUEST, "bad_request"));
        (error.field.unwrap(), error.message)
    }

    #[test]
    fn what_is_wrong_is_named_by_its_path() {
        for (text, field) in [
            (r#"{"nmae": "a"}"#, "nmae"),
            (r#"{"cmd": "true"}"#, "cmd"),
            (r#"{"cmd": ["true", 1]}"#, "cmd[1]"),
            (r#"{"memory": -5}"#, "memory"),
            (r#"{"memory": 99999999999999999999999999}"#, "memory"),
            (r#"{"memory": {}}"#, "memory"),
            (r#"{"retries": -1}"#, "retries"),
            (r#"{"retries": 4294967296}"#, "retries"),
            (r#"{"cpus": "two"}"#, "cpus"),
            (r#"{"cpus": 1e999}"#, "cpus"),
            (r#"{"labels": {"a": 1}}"#, "labels.a"),
            (r#"{"labels": {"a": "1", "a": "2"}}"#, "labels"),
            (r#"{"name": "a", "name": "b"}"#, "name"),
            (r#"{"health": {"tset": []}}"#, "health.tset"),
            ("[]", "body"),
            (r#"["a", "busybox"]"#, "body"),
            (r#"{"health": [["CMD", "true"]]}"#, "health"),
            ("", "body"),
            ("{\"name\": ", "name"),
            ("{} {}", "body"),
        ] {
            let (named, message) = refused::<Submit>(text);
            assert_eq!(named, field, "{text}: {message}");
            assert!(field == "body" || message.contains(field), "{text}: {message}");
        }
    }

    #[test]
    fn what_is_wrong_in_a_pipeline_is_named_with_its_position() {
        for (text, field) in [
            ("{}", "name"),
            (r#"{"name": "p"}"#, "containers"),
            (r#"{"name": "p", "containers": [{}, {"cmd": "x"}]}"#, "containers[1].cmd"),
            (r#"{"name": "p", "containers": [{}], "services": 1}"#, "services"),
            (r#"{"name": "p", "containers": [["a", "busybox"]]}"#, "containers[0]"),
        ] {
            assert_eq!(refused::<Pipeline>(text).0, field, "{text}");
        }
    }

    #[test]
    fn brackets_in_text_are_no_depth() {
        let deep = |depth| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(check_depth(deep(DEPTH_MAX).as_bytes()), Ok(()));
        let error = check_depth(deep(DEPTH_MAX + 1).as_bytes()).unwrap_err();
        assert!(error.message.contains("nested deeper than 32"), "{error:?}");
        let text = format!("\"\\\"{}\"", "[".repeat(100));
        assert_eq!(check_depth(text.as_bytes()), Ok(()));
    }
}
