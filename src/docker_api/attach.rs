//! `attach`: the connection is taken over at once, also for what exists on no engine yet. When it is about to start, its
//! node holds it at a gate until this connection is joined to it, so that not a word is lost. Another attempt on another
//! node is joined in turn.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use pinode_scheduler::ContainerId;
use pinode_scheduler::container::Phase;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf, copy, split};
use tokio::time::sleep;

use super::error::DockerError;
use super::face::{Attached, Face};
use super::target::Place;

/// Between two looks whether who waits is still there.
const PROBE_EVERY: Duration = Duration::from_secs(5);
/// A frame of standard output without a byte.
const EMPTY_FRAME: [u8; 8] = [1, 0, 0, 0, 0, 0, 0, 0];
/// Where a node is asked to attach to an attempt that it is about to start.
pub(super) const GATE: &str = "/gate";

pub(super) async fn attach(
    State(face): State<Face>,
    Path(name): Path<String>,
    mut request: Request,
) -> Result<Response, DockerError> {
    let id = face.id_of(&name).await?;
    let (runs, last, over) = {
        let state = face.backend.machine.state();
        let container = state.find_container(id).ok_or_else(|| DockerError::no_container(&name))?;
        let runs = matches!(container.phase, Phase::Running(_)).then(|| face.place(&state, id)).flatten();
        let last = if container.phase.claim().is_some() { 0 } else { container.attempt };
        (runs, last, container.phase.is_terminal().then_some(container.run))
    };
    if let Some(place) = runs {
        return face.pass_on(&place, "attach", request).await;
    }
    let kind = face.stream_kind(id, face.version_of(&request))?;
    let framed = !face.has_terminal(id);
    let Some(client) = request.extensions_mut().remove::<OnUpgrade>().filter(|_| wants_upgrade(&request))
    else {
        return Err(DockerError::bad("attach needs a connection that can be taken over (Upgrade: tcp)"));
    };
    let query = request.uri().query().unwrap_or_default().to_owned();
    let attached = face.attach_to(id);
    let bridge = Bridge { face, id, query, last, over, framed, _attached: attached };
    tokio::spawn(async move {
        match client.await {
            Ok(client) => bridge.run(client).await,
            Err(error) => tracing::debug!(%error, "who attached is gone"),
        }
    });
    let mut response = (StatusCode::SWITCHING_PROTOCOLS, Body::empty()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("tcp"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}

fn wants_upgrade(request: &Request) -> bool {
    request.headers().get(header::UPGRADE).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"tcp"))
}

/// From a client to one attempt after the other.
struct Bridge {
    face: Face,
    id: ContainerId,
    query: String,
    /// The attempt that it was joined to last, or that was over before anybody attached.
    last: u32,
    /// The run that had ended already: clients attach to what has ended before they start it again.
    over: Option<u32>,
    /// Two streams in one, in frames.
    framed: bool,
    _attached: Attached,
}

type Client = TokioIo<Upgraded>;

impl Bridge {
    async fn run(mut self, client: Upgraded) {
        let (mut from_client, mut to_client) = split(TokioIo::new(client));
        while let Some(place) = self.next_place_for(&mut to_client).await {
            self.last = place.attempt;
            match self.face.attach_at(&place, &self.query).await {
                Ok(engine) => {
                    if !join(&mut from_client, &mut to_client, engine).await {
                        return;
                    }
                }
                Err(error) => tracing::debug!(%error, "attach to an attempt"),
            }
        }
        if let Err(error) = to_client.shutdown().await {
            tracing::debug!(%error, "who was attached is gone");
        }
    }

    /// The same, for as long as the client is there: one that waits for hours may have gone. Where its stream has frames,
    /// an empty one now and then shows it; of a terminal only the kernel's own probes can tell.
    async fn next_place_for(&self, to_client: &mut WriteHalf<Client>) -> Option<Place> {
        let next = self.next_place();
        tokio::pin!(next);
        loop {
            tokio::select! {
                place = &mut next => return place,
                () = sleep(PROBE_EVERY), if self.framed => {
                    to_client.write_all(&EMPTY_FRAME).await.ok()?;
                }
            }
        }
    }

    /// The next attempt that is about to start; none when there will be none.
    async fn next_place(&self) -> Option<Place> {
        let next = self.face.until(|state| {
            let Some(container) = state.find_container(self.id) else { return Some(None) };
            match container.phase.claim() {
                Some(claim) if claim.attempt > self.last => {
                    Some(Some(self.face.place_of(container, claim.session.node, claim.attempt)))
                }
                Some(_) | None => {
                    (container.phase.is_terminal() && Some(container.run) != self.over).then_some(None)
                }
            }
        });
        next.await.ok().flatten()
    }
}

/// Joins both ends until the container's is closed. False if the client's is gone.
async fn join(
    from_client: &mut ReadHalf<Client>,
    to_client: &mut WriteHalf<Client>,
    engine: Upgraded,
) -> bool {
    let (mut from_engine, mut to_engine) = split(TokioIo::new(engine));
    let stdin = async {
        // Who has no stdin closes his direction at once, and so does this.
        if copy(from_client, &mut to_engine).await.is_ok() {
            // An engine whose end is closed already has nothing to hear.
            let _ = to_engine.shutdown().await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        said = copy(&mut from_engine, to_client) => said.is_ok(),
        () = stdin => false,
    }
}

/// How an attempt is past its gate.
enum Past {
    Runs,
    Ended,
}

impl Face {
    /// Attaches to an attempt that is about to start.
    async fn attach_at(&self, place: &Place, query: &str) -> Result<Upgraded, DockerError> {
        if place.node == self.backend.me {
            let response = self.attach_here(place, query).await?;
            return upgraded(response).await;
        }
        let path = format!("{GATE}/{}/{}?{query}", place.id, place.attempt);
        let request = upgrade_request(&path)?;
        upgraded(self.backend.send_to_node(place.node, request).await?).await
    }

    /// On its node: when its Docker container is there, attaches to it and lets it start.
    async fn attach_here(&self, place: &Place, query: &str) -> Result<Response, DockerError> {
        let key = (place.id, place.attempt);
        let gate = self.backend.agent.gate();
        let past = self.until(|state| match state.find_container(place.id) {
            // Who asks may have applied more of the log than this node.
            Some(c) if c.attempt < place.attempt => None,
            Some(c) if c.attempt == place.attempt && matches!(c.phase, Phase::Claimed(_)) => None,
            Some(c) if c.attempt == place.attempt && matches!(c.phase, Phase::Running(_)) => Some(Past::Runs),
            Some(_) | None => Some(Past::Ended),
        });
        let query = tokio::select! {
            () = gate.until_made(key) => query.to_owned(),
            past = past => match past? {
                // What it has said already is in its logs.
                Past::Runs => format!("{query}&logs=1"),
                Past::Ended => format!("{}&logs=1", query.replace("stream=1", "stream=0")),
            },
        };
        let path = format!("/containers/{}/attach?{query}", place.docker_name);
        let response = self.engine.send(upgrade_request(&path)?).await;
        gate.heard(key);
        response
    }
}

fn upgrade_request(path: &str) -> Result<Request, DockerError> {
    let request = Request::post(path).header(header::CONNECTION, "Upgrade").header(header::UPGRADE, "tcp");
    request.body(Body::empty()).map_err(|error| DockerError::bad(error.to_string()))
}

async fn upgraded(mut response: Response) -> Result<Upgraded, DockerError> {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(super::reach::read(response).await?.error());
    }
    hyper::upgrade::on(&mut response).await.map_err(|error| DockerError::internal(error.to_string()))
}

/// The same for another node.
pub(super) async fn at_gate(
    State(face): State<Face>,
    Path((id, attempt)): Path<(String, u32)>,
    mut request: Request,
) -> Result<Response, DockerError> {
    let place = face.own_place(&id, attempt)?;
    let query = request.uri().query().unwrap_or_default().to_owned();
    let asker = request.extensions_mut().remove::<OnUpgrade>();
    let mut response = face.attach_here(&place, &query).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS
        && let Some(asker) = asker
    {
        crate::http::join_later(asker, hyper::upgrade::on(&mut response));
    }
    Ok(response)
}
