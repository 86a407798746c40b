//! A film is accepted: taken in beside the others, looked at, given its place, and submitted as a pipeline. Whatever is
//! refused on the way leaves nothing. The same key is the same film: sent again it gets the same answer, and with another
//! body it is refused.

use std::time::Duration;

use axum::extract::Multipart;
use axum::http::StatusCode;
use http_body_util::{BodyExt, Limited};
use pinode_scheduler::{NodeId, Rejection, Request};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::library::{Card, Films};
use super::partial::{Partial, no_such as no_such_upload};
use super::pipeline::{self, Order};
use super::probe::{self, ProbeError};
use super::routes::no_such;
use super::upload::{self, Folder, Form};
use crate::agent::runtime::ContainerRuntime;
use crate::api::Video;
use crate::http::{ApiError, Key, hex};

/// Parts of a film when nobody says how many, at most.
const PARTS_DEFAULT_MAX: u32 = 64;
const NO_VIDEO: &str = "no_video";
const CODEC: &str = "libx264";
/// Longest wait for another node's word on its image.
const ASK_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest such word, in bytes.
const WORD_MAX_BYTES: usize = 1024;

/// The id of the film that comes under this key.
pub(super) fn id_of(key: &Key) -> String {
    hex(&Sha256::digest(key.as_str())[..6])
}

impl Films {
    /// Takes in a film that is not here yet.
    pub(super) async fn accept(&self, key: &Key, id: &str, multipart: Multipart) -> Result<Video, ApiError> {
        let has_image = self.looked_for_image().await?;
        let folder = Folder::make(self.incoming()?).await?;
        let form = upload::receive(multipart, Some(folder.path())).await?;
        self.take_in(key.request(&form)?, id, &form, has_image, folder).await
    }

    /// Takes in a film that came in pieces. Asked again, it gives the same answer. What is no film is thrown away; any
    /// other failure leaves the pieces, so that it can be asked again.
    pub(super) async fn accept_pieces(&self, id: &str) -> Result<Video, ApiError> {
        let wanted = id.to_owned();
        let taken = self.look(move |films| films.card(&wanted).zip(films.finished_order(&wanted))).await?;
        if let Some((card, order)) = taken {
            return self.again(Key::of(&order.key).request(&order.form)?, card, &order.form).await;
        }
        let has_image = self.looked_for_image().await?;
        let wanted = id.to_owned();
        let partial = self.look(move |films| films.partial(&wanted).map(Partial::seal)).await?;
        let Partial { order, folder } = partial.ok_or_else(|| no_such_upload(id))??;
        let request = Key::of(&order.key).request(&order.form)?;
        let taken = self.take_in(request, id, &order.form, has_image, Folder::adopt(folder.clone())).await;
        if taken.as_ref().is_err_and(|error| error.code == NO_VIDEO) {
            self.look(move |_| upload::remove(&folder)).await?;
        }
        taken
    }

    /// From here on it makes no difference how it came.
    async fn take_in(
        &self,
        request: Request,
        id: &str,
        form: &Form,
        has_image: bool,
        folder: Folder,
    ) -> Result<Video, ApiError> {
        let place = self.folder(id).ok_or_else(|| no_such(id))?;
        let parts = self.parts(form, has_image, &folder).await?;
        let card = Card { id: id.to_owned(), name: form.title(), parts, body: hex(&request.body) };
        let (written, into) = (card.clone(), folder.path().to_owned());
        let written = self.look(move |_| written.write(&into)).await?;
        written.map_err(|error| upload::disk(&error))?;
        if !folder.move_to(&place).await? {
            // The same key came twice at once, and the other one was faster.
            let wanted = id.to_owned();
            let card = self.look(move |films| films.card(&wanted)).await?.ok_or_else(|| {
                let message = format!("{} is in the way, and is no film; remove it", place.display());
                ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "shared_folder", message)
            })?;
            return self.again(request, card, form).await;
        }
        let submitted = self.submit(request, &card, form).await;
        // Without a quorum it is not known whether it was submitted: who asks again under the same key finds out.
        if submitted.as_ref().is_err_and(|error| error.status != StatusCode::SERVICE_UNAVAILABLE) {
            upload::remove(&place);
        }
        submitted
    }

    /// Answers a repetition. Its film is read to its end and compared, but not kept.
    pub(super) async fn accept_again(
        &self,
        key: &Key,
        card: Card,
        multipart: Multipart,
    ) -> Result<Video, ApiError> {
        let form = upload::receive(multipart, None).await?;
        self.again(key.request(&form)?, card, &form).await
    }

    async fn again(&self, request: Request, card: Card, form: &Form) -> Result<Video, ApiError> {
        if card.body != hex(&request.body) {
            return Err(Rejection::KeyReused(request.key.0).into());
        }
        let wanted = card.id.clone();
        if self.look(move |films| films.is_submitted(&wanted)).await? {
            return Ok(card.accepted());
        }
        self.submit(request, &card, form).await
    }

    /// Under one request, however often: the log remembers it.
    async fn submit(&self, request: Request, card: &Card, form: &Form) -> Result<Video, ApiError> {
        let order = Order {
            id: &card.id,
            image: &self.image,
            parts: card.parts,
            rate: &form.rate(),
            codec: form.codec.as_deref().unwrap_or(CODEC),
        };
        self.backend.submit_pipeline(request, &pipeline::pipeline(&order)).await?;
        Ok(card.accepted())
    }

    /// As many as asked for, or as the cluster has CPUs; no more than there are places to cut.
    async fn parts(&self, form: &Form, probe_here: bool, folder: &Folder) -> Result<u32, ApiError> {
        let wanted = form.parts.unwrap_or_else(|| self.default_parts());
        // Without the image here, the first container of the pipeline looks, where the image is.
        if !probe_here {
            return Ok(wanted);
        }
        match probe::probe(&self.engine, &self.image, folder.path()).await {
            Ok(film) => Ok(wanted.min(film.keyframes.max(1))),
            Err(ProbeError::NoFilm(why)) => {
                let message = format!("{}: {why}", form.file_name);
                let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, NO_VIDEO, message);
                Err(ApiError { field: Some("file".to_owned()), ..error })
            }
            Err(ProbeError::Engine(error)) => Err(error.into()),
        }
    }

    fn default_parts(&self) -> u32 {
        let state = self.backend.machine.state();
        let milli: u64 =
            state.nodes().filter(|node| node.is_open()).map(|node| node.facts.capacity.cpu_milli).sum();
        u32::try_from(milli / 1000).unwrap_or(u32::MAX).clamp(1, PARTS_DEFAULT_MAX)
    }

    /// Whether this node has the film image. Somebody must.
    async fn looked_for_image(&self) -> Result<bool, ApiError> {
        let has_image = self.engine.has_image(&self.image).await?;
        if has_image || self.image_is_elsewhere().await {
            return Ok(has_image);
        }
        let message = format!(
            "no node has the film image {}; put it into an engine with deploy/images/build -H unix:///var/run/docker.sock",
            self.image
        );
        Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "no_film_image", message))
    }

    async fn image_is_elsewhere(&self) -> bool {
        let others: Vec<NodeId> = {
            let state = self.backend.machine.state();
            let others = state.nodes().filter(|node| node.is_open() && node.id != self.backend.me);
            others.map(|node| node.id).collect()
        };
        for node in others {
            if timeout(ASK_TIMEOUT, self.has_image(node)).await.is_ok_and(|has| has == Some(true)) {
                return true;
            }
        }
        false
    }

    async fn has_image(&self, node: NodeId) -> Option<bool> {
        let answer = self.backend.ask_node(node, "/api/v1/videos/image").await.ok()?;
        let body = Limited::new(answer.into_body(), WORD_MAX_BYTES).collect().await.ok()?.to_bytes();
        serde_json::from_slice(&body).ok()
    }
}
