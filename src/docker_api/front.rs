//! The one door of `--listen` and `--socket`: pinode's own paths go to its own API, all others are Docker's.

use std::borrow::Cow;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;

use super::error::DockerError;
use super::face::Face;
use super::request::{query, redirect};
use super::routes;
use super::version::{self, OLDEST, Version};
use crate::http::ApiError;

/// First segments of pinode's own paths.
const OWN: [&str; 7] = ["", "api", "docs", "healthz", "metrics", "readyz", "web"];

#[derive(Clone)]
struct Front {
    own: Router,
    docker: Router,
    version: Version,
}

/// Puts Docker's API beside the node's own.
pub fn front(own: Router, face: Face) -> Router {
    let version = face.version;
    Router::new().fallback(pass).with_state(Front { own, docker: routes::router(face), version })
}

async fn pass(State(front): State<Front>, mut request: Request) -> Response {
    if let Err(error) = no_other_page(&request) {
        return error.into_response();
    }
    let first = request.uri().path().trim_start_matches('/').split('/').next().unwrap_or_default();
    if OWN.contains(&first) {
        return serve(front.own, request).await;
    }
    let mut response = match address(&front, &mut request) {
        Ok(()) => serve(front.docker, request).await,
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    if let Ok(version) = HeaderValue::from_str(&front.version.to_string()) {
        headers.insert("Api-Version", version);
    }
    headers.insert("Docker-Experimental", HeaderValue::from_static("false"));
    headers.insert("Ostype", HeaderValue::from_static("linux"));
    let server = HeaderValue::from_static(concat!("pinode/", env!("CARGO_PKG_VERSION"), " (linux)"));
    headers.insert(header::SERVER, server);
    response
}

/// A page of somebody else's, open in the browser of somebody who can reach this node, must not act here in their name.
/// Browsers say whose page asks; programs say nothing.
fn no_other_page(request: &Request) -> Result<(), ApiError> {
    let site = request.headers().get("Sec-Fetch-Site");
    let other = site.is_some_and(|site| site == "cross-site" || site == "same-site");
    if request.method().is_safe() || !other {
        return Ok(());
    }
    let message = "another page asked for this in your browser; only pinode's own pages may";
    Err(ApiError::new(StatusCode::FORBIDDEN, "cross_site", message))
}

async fn serve(router: Router, request: Request<Body>) -> Response {
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// What may follow a container's name in a path.
const AFTER_NAMES: [&str; 21] = [
    "archive",
    "attach",
    "changes",
    "checkpoints",
    "exec",
    "export",
    "json",
    "kill",
    "logs",
    "pause",
    "rename",
    "resize",
    "restart",
    "start",
    "stats",
    "stop",
    "top",
    "unpause",
    "update",
    "wait",
    "ws",
];

/// A container may be called `node/name`, and clients do not mask the slash: here it becomes one segment.
fn one_segment(path: &str) -> Cow<'_, str> {
    let Some(rest) = path.strip_prefix("/containers/") else { return path.into() };
    match rest.split_once('/') {
        Some((node, name)) if !AFTER_NAMES.contains(&name.split('/').next().unwrap_or_default()) => {
            format!("/containers/{node}%2F{name}").into()
        }
        Some(_) | None => path.into(),
    }
}

/// Takes the version out of the path. It goes on with the request, because an engine is asked in the same.
fn address(front: &Front, request: &mut Request) -> Result<(), DockerError> {
    let (asked, rest) = version::split(request.uri().path());
    let asked = asked.unwrap_or(front.version);
    if asked < OLDEST {
        return Err(DockerError::bad(format!(
            "client version {asked} is too old. Minimum supported API version is {OLDEST}, please upgrade your client to a newer version"
        )));
    }
    if asked > front.version {
        return Err(DockerError::bad(format!(
            "client version {asked} is too new. Maximum supported API version is {}",
            front.version
        )));
    }
    let query = query(request);
    let path = format!("{}{query}", one_segment(rest));
    redirect(request, &path)?;
    request.extensions_mut().insert(asked);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::one_segment;

    #[test]
    fn a_name_with_its_node_is_one_segment() {
        assert_eq!(one_segment("/containers/n1/web/json"), "/containers/n1%2Fweb/json");
        assert_eq!(one_segment("/containers/n1/web"), "/containers/n1%2Fweb");
        for whole in [
            "/containers/web/json",
            "/containers/web/attach/ws",
            "/containers/web",
            "/containers/json",
            "/images/a/b/json",
        ] {
            assert_eq!(one_segment(whole), whole);
        }
    }
}
