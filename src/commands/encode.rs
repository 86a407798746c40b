//! `encode`: send a film, watch its parts, fetch the result.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep};
use tokio_util::io::ReaderStream;

use super::{listing, logs};
use crate::api::{Container, Video};
use crate::cli::{EncodeArgs, Format};
use crate::client::{Client, ClientError};

/// Between two looks at the film.
const LOOK: Duration = Duration::from_millis(300);
/// A cluster that is choosing a leader, or a node that dies, is given so long.
const PATIENCE: Duration = Duration::from_secs(60);
const BOUNDARY: &str = "pinode-film-7c1b0f5e9a";

pub(super) async fn encode(client: &Client, args: &EncodeArgs, format: Format) -> anyhow::Result<u8> {
    let began = Instant::now();
    let video = upload(client, args).await?;
    let video = watch(client, video).await?;
    if video.state != "succeeded" {
        explain(client, &video).await;
        bail!("the film was not encoded: {}", video.error.as_deref().unwrap_or(&video.state));
    }
    let out = args.out.clone().unwrap_or_else(|| beside(&args.video));
    download(client, &video, &out).await?;
    match format {
        Format::Json => listing::json(&serde_json::json!({
            "id": video.id, "pipeline": video.pipeline, "parts": video.parts, "frames_in": video.frames_in,
            "frames_out": video.frames_out, "duration": video.duration, "seconds": began.elapsed().as_secs_f64(),
            "result": out.canonicalize().unwrap_or(out),
        }))?,
        Format::Table | Format::Dot => anstream::println!(
            "{}: {} frames, {:.3} s of film in {} parts, {:.1} s",
            out.display(),
            video.frames_out.unwrap_or_default(),
            video.duration.unwrap_or_default(),
            video.parts,
            began.elapsed().as_secs_f64()
        ),
    }
    Ok(0)
}

fn beside(video: &Path) -> PathBuf {
    let stem = video.file_stem().unwrap_or_default().to_string_lossy();
    video.with_file_name(format!("{stem}.encoded.mp4"))
}

async fn upload(client: &Client, args: &EncodeArgs) -> anyhow::Result<Video> {
    let file = File::open(&args.video).await.with_context(|| format!("read {}", args.video.display()))?;
    let meta = file.metadata().await?;
    if !meta.is_file() {
        bail!("{} is no file", args.video.display());
    }
    let name = args.video.file_name().unwrap_or_default().to_string_lossy().replace(['"', '\r', '\n'], "_");
    let mut head = String::new();
    let parts = args.parts.map(|parts| parts.to_string());
    for (field, value) in
        [("parts", parts), ("bitrate", Some(args.bitrate.clone())), ("codec", Some(args.codec.clone()))]
    {
        if let Some(value) = value {
            head += &format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"
            );
        }
    }
    head += &format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
    );
    let tail = format!("\r\n--{BOUNDARY}--\r\n");
    let length = (head.len() + tail.len()) as u64 + meta.len();
    let bar = bar(meta.len(), "sends {bar:30} {bytes}/{total_bytes}");
    let progress = bar.clone();
    let piece = |text: String| stream::once(std::future::ready(Ok(Bytes::from(text))));
    let body = piece(head).chain(ReaderStream::new(file)).chain(piece(tail));
    let body = body.map_ok(move |bytes| {
        progress.inc(bytes.len() as u64);
        Frame::data(bytes)
    });
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let body = BodyExt::boxed(StreamBody::new(body));
    let video = client.upload("/api/v1/videos", &content_type, length, body).await;
    bar.finish_and_clear();
    Ok(video?)
}

fn bar(length: u64, template: &str) -> ProgressBar {
    ProgressBar::new(length)
        .with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Until it has ended. Whoever of the nodes dies meanwhile, the others answer.
async fn watch(client: &Client, mut video: Video) -> anyhow::Result<Video> {
    let bar = bar(u64::from(video.parts), "encodes {bar:30} {pos}/{len} parts {msg}");
    let mut silent_since = None;
    while matches!(video.state.as_str(), "queued" | "running") {
        sleep(LOOK).await;
        match client.get::<Video>(&format!("/api/v1/videos/{}", video.id)).await {
            Ok(seen) => {
                silent_since = None;
                video = seen;
            }
            Err(error @ (ClientError::Unreachable(_) | ClientError::Broken { .. })) => {
                patience(&mut silent_since, error)?
            }
            Err(error @ ClientError::Refused { status, .. }) if status.is_server_error() => {
                patience(&mut silent_since, error)?;
            }
            Err(error) => return Err(error.into()),
        }
        bar.set_position(u64::from(video.parts_done));
        bar.set_message(video.state.clone());
    }
    bar.finish_and_clear();
    Ok(video)
}

fn patience(silent_since: &mut Option<Instant>, error: ClientError) -> Result<(), ClientError> {
    let since = *silent_since.get_or_insert_with(Instant::now);
    if since.elapsed() < PATIENCE { Ok(()) } else { Err(error) }
}

/// What the failed step printed.
async fn explain(client: &Client, video: &Video) {
    let path = format!("/api/v1/containers?pipeline={}&state=failed", video.pipeline);
    let Ok(failed) = client.get::<Vec<Container>>(&path).await else { return };
    for container in failed {
        anstream::eprintln!("{} printed:", container.name);
        if let Err(error) = logs::print(client, &container.id, false).await {
            anstream::eprintln!("  nothing that can be fetched: {error}");
        }
    }
}

async fn download(client: &Client, video: &Video, out: &Path) -> anyhow::Result<()> {
    let beside = out.with_extension("part");
    let writing = || format!("write {}", out.display());
    let mut file = File::create(&beside).await.with_context(writing)?;
    let mut stream = client.stream(&format!("/api/v1/videos/{}/result", video.id)).await?;
    while let Some(bytes) = stream.try_next().await? {
        file.write_all(&bytes).await.with_context(writing)?;
    }
    file.sync_all().await.with_context(writing)?;
    fs::rename(&beside, out).await.with_context(writing)
}
