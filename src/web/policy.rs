//! What a browser may do with the pages: only what comes from this node, and no script or style inside markup.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::http::Backend;

/// Puts the policy on an answer.
pub(super) async fn headers(State(backend): State<Backend>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let state = backend.machine.state();
    let policy = policy(state.nodes().map(|node| node.facts.api.as_str()));
    let headers = response.headers_mut();
    // Addresses were checked, so this always is a header.
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// The page looks whether another node is there before it moves to it, so that is where it may connect to as well.
fn policy<'a>(nodes: impl Iterator<Item = &'a str>) -> String {
    let mut policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; connect-src 'self'"
            .to_owned();
    for address in nodes.filter(|address| is_plain(address)) {
        policy.push_str(" http://");
        policy.push_str(address);
    }
    policy
}

/// `host:port`, and nothing that could end the directive it stands in.
fn is_plain(address: &str) -> bool {
    address.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'-' | b'[' | b']'))
}

#[cfg(test)]
mod tests {
    use super::policy;

    #[test]
    fn a_page_connects_to_the_members_and_to_nobody_else() {
        let policy =
            policy(["pi1:7373", "[fd00::2]:7373", "x; script-src *", "pi2 https://evil"].into_iter());
        assert!(policy.ends_with("connect-src 'self' http://pi1:7373 http://[fd00::2]:7373"), "{policy}");
    }
}
