//! The files of the pages, in the binary.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::http::{ApiError, hex};

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// A file and its type.
struct Asset {
    kind: &'static str,
    bytes: &'static [u8],
    tag: String,
}

macro_rules! files {
    ($($name:literal: $kind:expr),* $(,)?) => {
        [$(($name, $kind, include_bytes!(concat!("assets/", $name)) as &[u8])),*]
    };
}

static ASSETS: LazyLock<BTreeMap<&'static str, Asset>> = LazyLock::new(|| {
    let files = files! {
        "api.js": SCRIPT,
        "app.js": SCRIPT,
        "cluster.js": SCRIPT,
        "containers.js": SCRIPT,
        "detail.js": SCRIPT,
        "dom.js": SCRIPT,
        "encode.js": SCRIPT,
        "film.js": SCRIPT,
        "graph.js": SCRIPT,
        "home.js": SCRIPT,
        "live.js": SCRIPT,
        "parts.js": SCRIPT,
        "submit.js": SCRIPT,
        "timeline.js": SCRIPT,
        "upload.js": SCRIPT,
        "words.js": SCRIPT,
        "base.css": STYLE,
        "parts.css": STYLE,
        "views.css": STYLE,
        "icon.svg": PICTURE,
    };
    let with_tag = |(name, kind, bytes)| {
        (name, Asset { kind, bytes, tag: format!("\"{}\"", hex(&Sha256::digest(bytes)[..8])) })
    };
    files.into_iter().map(with_tag).collect()
});

/// One file. A browser asks each time whether it is still the same: the next version of pinode may bring another one
/// under the same name.
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, ApiError> {
    let missing =
        || ApiError::new(StatusCode::NOT_FOUND, "not_found", format!("the pages have no file {name}"));
    let asset = ASSETS.get(name.as_str()).ok_or_else(missing)?;
    let fresh = [(header::ETAG, asset.tag.as_str()), (header::CACHE_CONTROL, "no-cache")];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    if known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == asset.tag)) {
        return Ok((StatusCode::NOT_MODIFIED, fresh).into_response());
    }
    Ok((fresh, [(header::CONTENT_TYPE, asset.kind)], asset.bytes).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a first visit loads, in bytes; the shell adds about a kilobyte and the state.
    const FIRST_LOAD_MAX: usize = 95_000;

    #[test]
    fn a_first_visit_loads_less_than_100_kilobytes() {
        let all: usize = ASSETS.values().map(|asset| asset.bytes.len()).sum();
        assert!(all < FIRST_LOAD_MAX, "{all} bytes");
    }

    #[test]
    fn no_script_ever_turns_text_into_markup() {
        for (name, asset) in ASSETS.iter().filter(|(_, asset)| asset.kind == SCRIPT) {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
                assert!(!text.contains(word), "{name} uses {word}");
            }
        }
    }

    #[tokio::test]
    async fn a_file_that_is_known_is_not_sent_again() {
        let first = asset(Path("app.js".to_owned()), HeaderMap::new()).await.unwrap();
        assert_eq!(
            (first.status(), &first.headers()["content-type"]),
            (StatusCode::OK, &SCRIPT.parse().unwrap())
        );
        let known = HeaderMap::from_iter([(header::IF_NONE_MATCH, first.headers()["etag"].clone())]);
        let again = asset(Path("app.js".to_owned()), known).await.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(asset(Path("../mod.rs".to_owned()), HeaderMap::new()).await.unwrap_err().status, 404);
    }
}
