//! `stats`: the engine's figures as they come, under pinode's own name and id.

use std::io;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::error::DockerError;
use super::face::Face;
use super::reach::read;

/// Longest line of figures, in bytes.
const LINE_MAX_BYTES: usize = 1 << 20;

pub(super) async fn stats(
    State(face): State<Face>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, DockerError> {
    let place = face.running(&name).await?;
    let name = face.backend.machine.state().find_container(place.id).map(|c| c.name.clone());
    let (id, name) = (place.id.to_string(), format!("/{}", name.unwrap_or_default()));
    let answer = face.pass_on(&place, "stats", request).await?;
    if !answer.status().is_success() {
        return Err(read(answer).await?.error());
    }
    let ours = move |line: &[u8]| -> Bytes {
        let Ok(mut figures) = serde_json::from_slice::<Value>(line) else { return line.to_vec().into() };
        figures["id"] = json!(id);
        figures["name"] = json!(name);
        format!("{figures}\n").into()
    };
    let body = Body::from_stream(lines(answer.into_body()).map(move |line| line.map(|line| ours(&line))));
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// A body line by line, as JSON streams are written.
pub(super) fn lines(body: Body) -> impl futures_util::Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold((body.into_data_stream(), BytesMut::new()), |(mut body, mut rest)| async move {
        loop {
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line = rest.split_to(end + 1).freeze();
                return Some((Ok(line), (body, rest)));
            }
            match body.next().await {
                Some(Ok(chunk)) if rest.len() + chunk.len() <= LINE_MAX_BYTES => {
                    rest.extend_from_slice(&chunk)
                }
                Some(Ok(_)) => {
                    return Some((
                        Err(io::Error::other("a line without an end")),
                        (Body::empty().into_data_stream(), BytesMut::new()),
                    ));
                }
                Some(Err(error)) => {
                    return Some((
                        Err(io::Error::other(error)),
                        (Body::empty().into_data_stream(), BytesMut::new()),
                    ));
                }
                None if rest.is_empty() => return None,
                None => return Some((Ok(rest.split().freeze()), (body, rest))),
            }
        }
    })
}
