//! What holds for the whole cluster.

use axum::Json;
use axum::extract::State;
use pinode_scheduler::Command;
use pinode_scheduler::duration::parse_ms;

use super::backend::Backend;
use super::body::Body;
use super::error::ApiError;
use super::key::Key;
use super::query::{Consistency, Nothing, Query};
use crate::api;

pub(super) async fn show(
    State(backend): State<Backend>,
    Query(consistency): Query<Consistency>,
) -> Result<Json<api::Settings>, ApiError> {
    backend.barrier(consistency.is_stale()).await?;
    Ok(Json(seen(&backend)))
}

pub(super) async fn change(
    State(backend): State<Backend>,
    Query(Nothing {}): Query<Nothing>,
    key: Key,
    Body(change): Body<api::ChangeSettings>,
) -> Result<Json<api::Settings>, ApiError> {
    let request = key.request(&("settings", &change))?;
    let replace_voter_after_ms = match &change.replace_voter_after {
        Some(text) => {
            Some(parse_ms(text).map_err(|error| ApiError::bad("replace_voter_after", error.to_string()))?)
        }
        None => None,
    };
    backend.commit(Command::Configure { request, voters: change.voters, replace_voter_after_ms }).await?;
    backend.barrier(false).await?;
    Ok(Json(seen(&backend)))
}

fn seen(backend: &Backend) -> api::Settings {
    let settings = *backend.machine.state().settings();
    api::Settings {
        voters: settings.voters,
        replace_voter_after: format!("{}s", settings.replace_voter_after_ms.div_ceil(1000)),
    }
}
