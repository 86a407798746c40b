//! The graph of a pipeline as the page draws it: the true state of who waits for whom, with a place for everything.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::layout::{self, Group, Line};
use crate::api;
use crate::http::{ApiError, Backend, Query, picture};

/// Width of a page that does not say how wide it is, in pixels.
const WIDTH: f64 = 1000.0;

/// Query of a graph; without a pipeline, whatever has not ended and is connected with it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    pipeline: Option<String>,
    /// How wide the page is, in pixels.
    width: Option<f64>,
}

/// A graph with its places, in pixels of the page.
#[derive(Debug, Serialize)]
pub(super) struct Drawn {
    width: f64,
    height: f64,
    nodes: Vec<api::GraphNode>,
    groups: Vec<Group>,
    lines: Vec<Line>,
}

pub(super) async fn graph(
    State(backend): State<Backend>,
    Query(Which { pipeline, width }): Query<Which>,
) -> Result<Json<Drawn>, ApiError> {
    let graph = picture(&backend.machine.state(), pipeline.as_deref())?;
    // The layers of a large graph take a while, and a bug in their crate may not take the node along.
    let laid =
        tokio::task::spawn_blocking(move || (layout::lay_out(&graph, width.unwrap_or(WIDTH)), graph)).await;
    let (laid, graph) = laid.map_err(|error| {
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", format!("lay the graph out: {error}"))
    })?;
    Ok(Json(Drawn {
        width: laid.width,
        height: laid.height,
        nodes: graph.nodes,
        groups: laid.groups,
        lines: laid.lines,
    }))
}
