//! A part of a file, as browsers ask for it while they play: `Range`, and `If-Range` for a file that may have changed.

use std::io::SeekFrom;
use std::path::Path;
use std::time::UNIX_EPOCH;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::upload;
use crate::http::ApiError;

/// What of a file is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    All,
    /// First and last byte.
    Part(u64, u64),
    /// Nothing that the file has.
    Beyond,
}

/// Sends the file at `path`, or what `headers` ask for of it.
pub(super) async fn send(
    path: &Path,
    headers: &HeaderMap,
    more: Vec<(HeaderName, String)>,
) -> Result<Response, ApiError> {
    let disk = |error: std::io::Error| upload::disk(&error);
    let mut file = tokio::fs::File::open(path).await.map_err(disk)?;
    let seen = file.metadata().await.map_err(disk)?;
    let changed = seen.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    let (length, tag) = (seen.len(), format!("\"{:x}-{:x}\"", seen.len(), changed.as_nanos()));
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let same = text(header::IF_RANGE).is_none_or(|known| known == tag);
    let wanted = text(header::RANGE).filter(|_| same).map_or(Wanted::All, |range| wanted(range, length));
    let mut response = match wanted {
        Wanted::All => {
            let length = [(header::CONTENT_LENGTH, length.to_string())];
            (length, Body::from_stream(ReaderStream::new(file))).into_response()
        }
        Wanted::Part(first, last) => {
            file.seek(SeekFrom::Start(first)).await.map_err(disk)?;
            let part = last - first + 1;
            let headers = [
                (header::CONTENT_RANGE, format!("bytes {first}-{last}/{length}")),
                (header::CONTENT_LENGTH, part.to_string()),
            ];
            let body = Body::from_stream(ReaderStream::new(file.take(part)));
            (StatusCode::PARTIAL_CONTENT, headers, body).into_response()
        }
        Wanted::Beyond => {
            let message = format!("the film has {length} bytes");
            let error = ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, "no_such_range", message);
            ([(header::CONTENT_RANGE, format!("bytes */{length}"))], error).into_response()
        }
    };
    let always = [(header::ETAG, tag), (header::ACCEPT_RANGES, "bytes".to_owned())];
    let kind = (wanted != Wanted::Beyond).then_some(more).into_iter().flatten();
    for (name, value) in always.into_iter().chain(kind) {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

/// Of several parts nobody plays; who asks for them, or for what is no range, gets the whole.
fn wanted(range: &str, length: u64) -> Wanted {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Wanted::All;
    };
    let end = length.saturating_sub(1);
    match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first > last => Wanted::All,
        (Ok(first), _) if first >= length => Wanted::Beyond,
        (Ok(first), Ok(last)) => Wanted::Part(first, last.min(end)),
        (Ok(first), Err(_)) if last.trim().is_empty() => Wanted::Part(first, end),
        (Err(_), Ok(0)) if first.trim().is_empty() => Wanted::Beyond,
        (Err(_), Ok(last)) if first.trim().is_empty() && length > 0 => {
            Wanted::Part(length.saturating_sub(last), end)
        }
        (Ok(_) | Err(_), _) => Wanted::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(path: &Path, headers: &[(HeaderName, &str)]) -> Response {
        let pairs = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
        send(path, &pairs.collect(), Vec::new()).await.unwrap()
    }

    #[tokio::test]
    async fn a_part_of_a_file_is_sent_unless_the_file_has_changed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("film");
        std::fs::write(&path, "0123456789").unwrap();
        let whole = ask(&path, &[]).await;
        assert_eq!(
            (whole.status().as_u16(), &whole.headers()["accept-ranges"]),
            (200, &"bytes".parse().unwrap())
        );
        let tag = whole.headers()["etag"].to_str().unwrap().to_owned();
        let part = ask(&path, &[(header::RANGE, "bytes=2-4"), (header::IF_RANGE, &tag)]).await;
        assert_eq!(
            (part.status().as_u16(), &part.headers()["content-range"]),
            (206, &"bytes 2-4/10".parse().unwrap())
        );
        let bytes = axum::body::to_bytes(part.into_body(), 99).await.unwrap();
        assert_eq!(bytes, "234");
        let changed = ask(&path, &[(header::RANGE, "bytes=2-4"), (header::IF_RANGE, "\"old\"")]).await;
        assert_eq!(changed.status(), 200);
        let beyond = ask(&path, &[(header::RANGE, "bytes=10-")]).await;
        assert_eq!(
            (beyond.status().as_u16(), &beyond.headers()["content-range"]),
            (416, &"bytes */10".parse().unwrap())
        );
    }

    #[test]
    fn a_range_is_a_part_the_end_or_nothing() {
        for (range, expected) in [
            ("bytes=0-", Wanted::Part(0, 99)),
            ("bytes=10-19", Wanted::Part(10, 19)),
            ("bytes=10-1000", Wanted::Part(10, 99)),
            ("bytes=-10", Wanted::Part(90, 99)),
            ("bytes=-1000", Wanted::Part(0, 99)),
            ("bytes=100-", Wanted::Beyond),
            ("bytes=-0", Wanted::Beyond),
            ("bytes=5-4", Wanted::All),
            ("bytes=0-1,5-6", Wanted::All),
            ("bytes=-", Wanted::All),
            ("pages=1-2", Wanted::All),
        ] {
            assert_eq!(wanted(range, 100), expected, "{range}");
        }
        assert_eq!(wanted("bytes=0-", 0), Wanted::Beyond);
    }
}
