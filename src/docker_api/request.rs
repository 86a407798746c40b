//! Requests as they are passed on: another path, the same query; or made here, without a body.

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;

use super::error::DockerError;

/// The query with its question mark, as it came.
pub(super) fn query(request: &Request) -> String {
    request.uri().query().map(|query| format!("?{query}")).unwrap_or_default()
}

/// From now on the request is for this path, and whatever query is written with it.
pub(super) fn redirect(request: &mut Request, path: &str) -> Result<(), DockerError> {
    *request.uri_mut() = path.parse().map_err(|_| DockerError::bad(format!("no path: {path}")))?;
    Ok(())
}

/// A request without a body.
pub(super) fn bare(method: Method, path: &str) -> Result<Request, DockerError> {
    let request = Request::builder().method(method).uri(path).body(Body::empty());
    request.map_err(|_| DockerError::bad(format!("no path: {path}")))
}
