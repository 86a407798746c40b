//! Query parameters as Docker reads them: flags in several spellings, numbers, and JSON; what is unknown is passed over, as
//! every engine does with what newer clients send.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::DockerError;
use crate::http::{BODY_MAX_BYTES, Unread, read_body};

/// The parameters of one request; the last of two with one name counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Params(BTreeMap<String, Vec<String>>);

impl Params {
    pub(super) fn parse(query: &str) -> Params {
        let mut params = BTreeMap::<String, Vec<String>>::new();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            params.entry(key.into_owned()).or_default().push(value.into_owned());
        }
        Params(params)
    }

    /// Its text, if it is there and not empty.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.last().map(String::as_str).filter(|text| !text.is_empty())
    }

    /// All texts of one name.
    pub(super) fn all(&self, key: &str) -> &[String] {
        self.0.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// `1`, `true`, `True` and anything else that Docker takes for yes.
    pub(super) fn flag(&self, key: &str) -> bool {
        let no = |text: &str| matches!(text.to_ascii_lowercase().as_str(), "0" | "no" | "false" | "none");
        self.text(key).is_some_and(|text| !no(text.trim()))
    }

    /// A number; `-1`, as Docker's clients say "not given", is none.
    pub(super) fn number(&self, key: &str) -> Result<Option<u32>, DockerError> {
        match self.text(key) {
            None | Some("-1") => Ok(None),
            Some(text) => {
                let bad = |_| DockerError::bad(format!("the parameter {key} is a number, not `{text}`"));
                text.parse().map(Some).map_err(bad)
            }
        }
    }

    /// JSON.
    pub(super) fn json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, DockerError> {
        let Some(text) = self.text(key) else { return Ok(None) };
        let bad = |error| DockerError::bad(format!("the parameter {key} is no such JSON: {error}"));
        serde_json::from_str(text).map(Some).map_err(bad)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = DockerError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Params, DockerError> {
        Ok(Params::parse(parts.uri.query().unwrap_or_default()))
    }
}

/// A JSON body; an empty one is `{}`.
#[derive(Clone, Debug)]
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = DockerError;

    async fn from_request(request: Request, _state: &S) -> Result<JsonBody<T>, DockerError> {
        read_json(request.into_body()).await.map(JsonBody)
    }
}

/// A JSON body, and what was said in it that has no place in `T`: a field of another version of Docker.
#[derive(Clone, Debug)]
pub(super) struct Sifted<T> {
    pub(super) body: T,
    /// As paths. What is null, empty, zero or false says nothing, and is not among them.
    pub(super) left_out: Vec<String>,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sifted<T> {
    type Rejection = DockerError;

    async fn from_request(request: Request, _state: &S) -> Result<Sifted<T>, DockerError> {
        sift(read_json(request.into_body()).await?)
    }
}

fn sift<T: DeserializeOwned>(json: Value) -> Result<Sifted<T>, DockerError> {
    let mut left_out = Vec::new();
    let mut leave = |path: serde_ignored::Path<'_>| {
        let path = path.to_string();
        // serde_ignored writes a `?` for each Option on the way.
        let steps: Vec<&str> = path.split('.').filter(|step| *step != "?").collect();
        let said = json.pointer(&format!("/{}", steps.join("/")));
        if said.is_some_and(says_something) {
            left_out.push(steps.join("."));
        }
    };
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&json, &mut track);
    let body = serde_ignored::deserialize(tracked, &mut leave);
    let body = body.map_err(|error| {
        DockerError::bad(format!("the JSON is not as expected: {}: {error}", track.path()))
    })?;
    Ok(Sifted { body, left_out })
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(said) => *said,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// Reads a body to its end, and not further than a body may be long.
pub(super) async fn read_json<T: DeserializeOwned>(body: Body) -> Result<T, DockerError> {
    let bytes = read_body(body).await.map_err(|unread| match unread {
        Unread::TooLarge => {
            let message = format!("the body is larger than {BODY_MAX_BYTES} bytes");
            DockerError::new(StatusCode::PAYLOAD_TOO_LARGE, message)
        }
        Unread::Broken(error) => DockerError::bad(format!("the body was not sent to its end: {error}")),
    })?;
    let json: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
    let mut json = serde_json::Deserializer::from_slice(json);
    serde_path_to_error::deserialize(&mut json)
        .map_err(|error| DockerError::bad(format!("the JSON is not as expected: {error}")))
}

#[cfg(test)]
mod tests {
    use bollard::models::ContainerCreateBody;
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_of_another_version_of_docker_are_named_where_they_say_something() {
        let old = json!({
            "Image": "busybox", "MacAddress": "02:42:ac:11:00:02", "Volumes": null,
            "HostConfig": {"KernelMemory": 0, "CpuRealtimeBudget": 7, "Memory": 1024}
        });
        let sifted: Sifted<ContainerCreateBody> = sift(old).unwrap();
        assert_eq!(sifted.left_out, ["MacAddress", "HostConfig.CpuRealtimeBudget"]);
        assert_eq!(sifted.body.host_config.unwrap().memory, Some(1024));
        let refused = sift::<ContainerCreateBody>(json!({"HostConfig": {"Memory": "much"}})).unwrap_err();
        assert!(refused.message.contains("HostConfig.Memory"), "{}", refused.message);
    }

    #[test]
    fn parameters_are_read_as_docker_reads_them() {
        let params = Params::parse("all=1&v=True&force=0&t=-1&n=5&x=a%2Fb&x=c&e=&q=none");
        assert!(params.flag("all") && params.flag("v"));
        assert!(!params.flag("force") && !params.flag("absent") && !params.flag("e") && !params.flag("q"));
        assert_eq!((params.number("t"), params.number("n")), (Ok(None), Ok(Some(5))));
        assert_eq!((params.text("x"), params.all("x")), (Some("c"), &["a/b".to_owned(), "c".to_owned()][..]));
        let refused = params.number("x").unwrap_err();
        assert_eq!(refused.message, "the parameter x is a number, not `c`");
    }
}
