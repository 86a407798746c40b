//! The shell of the pages. What runs and what waits is in it already, by name, for who has no script or no patience; the
//! script takes over from there.

use std::fmt::Write;

use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use pinode_scheduler::Container;

use crate::http::Backend;

const SHELL: &str = include_str!("assets/shell.html");
/// Where the shell takes the first look at the state.
const HERE: &str = "<!-- now -->";
/// Names in the first look; the script shows all.
const SHOWN: usize = 200;

pub(super) async fn home(State(backend): State<Backend>) -> Response {
    let state = backend.machine.state();
    let mut open: Vec<&Container> = state.containers().filter(|c| !c.phase.is_terminal()).collect();
    open.sort_by_key(|c| c.order);
    let mut rows = String::new();
    for c in open.iter().take(SHOWN) {
        let waits = c.waits_for();
        let note = match c.phase.claim().and_then(|claim| state.node_name(claim.session.node)) {
            Some(node) => format!("on {node}"),
            None if waits.is_empty() => String::new(),
            None => format!("waits for {}", waits.join(", ")),
        };
        let row = format_args!("<li><b>{}</b> {} {}</li>\n", escape(&c.name), c.phase.word(), escape(&note));
        // Writing to a String cannot fail.
        rows.write_fmt(row).unwrap_or_default();
    }
    let title = match open.len() {
        0 => "Nothing runs and nothing waits.".to_owned(),
        1 => "1 container runs or waits:".to_owned(),
        open => format!("{open} containers run or wait:"),
    };
    let here = format!("<p>{} — {title}</p>\n<ul>\n{rows}</ul>", escape(&backend.node));
    ([(header::CACHE_CONTROL, "no-store")], Html(SHELL.replacen(HERE, &here, 1))).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
