//! One plain page: what runs and what waits, by name, without a click.

use std::fmt::Write;

use axum::extract::State;
use axum::response::Html;
use pinode_scheduler::Container;
use pinode_scheduler::container::Phase;

use super::backend::Backend;

const HEAD: &str = r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>pinode</title>
<meta http-equiv="refresh" content="2"><meta name="viewport" content="width=device-width">
<style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#223}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #dde}
.running{color:#175}.blocked,.ready,.backoff{color:#a60}.failed,.skipped,.unknown,.lost{color:#b12}</style></head><body>"#;

/// Ended containers on the page.
const ENDED_SHOWN: usize = 20;

pub(super) async fn page(State(backend): State<Backend>) -> Html<String> {
    let state = backend.machine.state();
    let mut html = format!(
        "{HEAD}<h1>pinode</h1><p>{} sees {} nodes.</p>",
        escape(&backend.node),
        state.nodes().count()
    );
    let mut all: Vec<&Container> = state.containers().collect();
    all.sort_by_key(|c| c.order);
    let (active, ended): (Vec<_>, Vec<_>) = all.into_iter().partition(|c| !c.phase.is_terminal());
    table(&mut html, "Running and waiting", active.into_iter(), &|c| detail(&state, c));
    let recent = ended.into_iter().rev().take(ENDED_SHOWN);
    table(&mut html, "Ended lately", recent, &|c| super::view::cause(&c.phase).unwrap_or_default());
    html.push_str("<h2>Nodes</h2><table><tr><th>name<th>state<th>containers</tr>");
    for node in state.nodes() {
        let word = if node.is_open() { "up" } else { "lost" };
        append(
            &mut html,
            format_args!(
                "<tr><td>{}<td class=\"{word}\">{word}<td>{}</tr>",
                escape(&node.facts.name),
                node.holds.len()
            ),
        );
    }
    html.push_str("</table></body></html>");
    Html(html)
}

fn table<'a>(
    html: &mut String,
    title: &str,
    rows: impl Iterator<Item = &'a Container>,
    detail: &dyn Fn(&Container) -> String,
) {
    append(html, format_args!("<h2>{title}</h2><table><tr><th>name<th>state<th>image<th></tr>"));
    for c in rows {
        let word = c.phase.word();
        append(
            html,
            format_args!(
                "<tr><td>{}<td class=\"{word}\">{word}<td>{}<td>{}</tr>",
                escape(&c.name),
                escape(&c.spec.image),
                escape(&detail(c))
            ),
        );
    }
    html.push_str("</table>");
}

fn detail(state: &pinode_scheduler::State, c: &Container) -> String {
    if let Phase::Blocked { .. } = c.phase {
        return format!("waits for {}", c.waits_for().join(", "));
    }
    let node = c.phase.claim().and_then(|claim| state.node_name(claim.session.node));
    node.map_or_else(String::new, |node| format!("on {node}"))
}

fn append(html: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    html.write_fmt(text).unwrap_or_default();
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
