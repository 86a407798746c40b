//! The picture: a lane for the clients and one a node; in it the harm that was done to it, and a bar an attempt, with a
//! thin line before it from its claim to its start.

use std::collections::BTreeMap;

use super::harm;
use super::page::escape;
use super::row::Rows;
use super::scale::{Scale, TOP};
use crate::check::Verdict;
use crate::history::{EngineRun, History, Outcome, Span};

const BAR: f64 = 13.0;
const ROW: f64 = 16.0;
const GAP: f64 = 16.0;
/// A letter of a name, in the font of the page.
const LETTER: f64 = 6.1;
const CLIENTS: f64 = 14.0;

/// The picture of a run as SVG.
pub(super) fn timeline(history: &History, verdicts: &[Verdict]) -> String {
    let picture = Picture::of(history, verdicts);
    let mut top = TOP + CLIENTS + GAP;
    let mut lanes = picture.clients(TOP);
    for node in &history.nodes {
        let (lane, height) = picture.lane(node, top);
        lanes += &lane;
        top += height + GAP;
    }
    let (axis, calm) = (picture.scale.axis(top), picture.calm(top));
    let (width, height) = (picture.scale.width, top + 4.0);
    format!(
        "<svg viewBox=\"0 0 {width:.0} {height:.0}\" style=\"width:{width:.0}px\" role=\"img\" \
         aria-label=\"which node ran what, and when\">{axis}{lanes}{calm}</svg>"
    )
}

struct Picture<'a> {
    history: &'a History,
    scale: Scale,
    /// What the violations say, to know whom they mean.
    accused: String,
    /// When an attempt was first known to be claimed.
    claimed: BTreeMap<(&'a str, u32), u64>,
}

impl<'a> Picture<'a> {
    fn of(history: &'a History, verdicts: &[Verdict]) -> Picture<'a> {
        let said: Vec<&str> = verdicts.iter().flat_map(|v| &v.violations).map(|v| v.0.as_str()).collect();
        let mut claimed: BTreeMap<(&str, u32), u64> = BTreeMap::new();
        let created = history.engine_events.iter().filter(|event| event.what == "create");
        let created = created.map(|event| ((event.name.as_str(), event.attempt), event.at_ns));
        let shown = history.sightings.iter().filter(|sighting| sighting.state == "claimed");
        let shown = shown.map(|sighting| ((sighting.name.as_str(), sighting.attempt), sighting.shown_ns));
        for (attempt, ns) in created.chain(shown) {
            let known = claimed.entry(attempt).or_insert(ns);
            *known = ns.min(*known);
        }
        Picture { history, scale: Scale::of(history), accused: said.join("\n"), claimed }
    }

    /// A lane, and its height.
    fn lane(&self, node: &str, top: f64) -> (String, f64) {
        let mut spans: Vec<Span<'_>> =
            self.history.engine_spans().into_iter().filter(|span| span.node == node).collect();
        spans.sort_by_key(|span| span.from_ns);
        let (labels, above) = harm::labels(self.history, &self.scale, node, top);
        let mut rows = Rows::default();
        let bars: String = spans.iter().map(|span| self.bar(span, &mut rows, top + above)).collect();
        let height = above + ROW * rows.count().max(1) as f64;
        let shades = harm::shades(self.history, &self.scale, node, (top, height));
        let name =
            format!("<text class=\"node\" x=\"0\" y=\"{:.1}\">{}</text>", top + BAR - 2.0, escape(node));
        (shades + &labels + &name + &bars, height)
    }

    fn bar(&self, span: &Span<'_>, rows: &mut Rows, top: f64) -> String {
        let label = format!("{} #{}", span.name, span.attempt);
        let (from, to) = (self.scale.x(span.from_ns), self.scale.x(span.to_ns));
        let claimed_ns = self.claimed.get(&(span.name, span.attempt)).copied().unwrap_or(span.from_ns);
        let claimed = self.scale.x(claimed_ns).min(from);
        let width = (to - from).max(2.0);
        let fits = width >= label.len() as f64 * LETTER + 4.0;
        let y = top + rows.place(claimed, from + width + 2.0) as f64 * ROW;
        let run = self.run(span);
        let kind = self.kind(run);
        let accused = if self.accused.contains(span.name) { " accused" } else { "" };
        let (begun, ended) = (self.history.at(span.from_ns), self.history.at(span.to_ns));
        let label = escape(&label);
        let name = if fits {
            format!("<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{label}</text>", from + 3.0, y + BAR - 3.5)
        } else {
            String::new()
        };
        format!(
            "<g><title>{label} on {}, from {begun} to {ended}: {kind}{}</title>\
             <path class=\"claim\" d=\"M{claimed:.1} {middle:.1}H{from:.1}\"/>\
             <rect class=\"bar {kind}{accused}\" x=\"{from:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>\
             {name}</g>",
            escape(span.node),
            run.filter(|run| run.finished_ns.is_some())
                .map_or_else(String::new, |run| format!(", code {}", run.code)),
            middle = y + BAR / 2.0,
        )
    }

    fn run(&self, span: &Span<'_>) -> Option<&EngineRun> {
        let same =
            |run: &&EngineRun| run.name == span.name && run.attempt == span.attempt && run.node == span.node;
        self.history.engine_runs.iter().find(same)
    }

    /// How a bar looks, and what is said of it: how the attempt ended.
    fn kind(&self, run: Option<&EngineRun>) -> &'static str {
        let Some(run) = run else { return "unknown" };
        match (self.history.cut_of(run), run.finished_ns, run.code) {
            (Some(_), ..) => "cut",
            (None, Some(_), 0) => "succeeded",
            (None, Some(_), _) => "failed",
            (None, None, _) => "unknown",
        }
    }

    /// Each time a request was sent: a tick whose colour is its answer.
    fn clients(&self, top: f64) -> String {
        let mut svg = format!("<text class=\"node\" x=\"0\" y=\"{:.1}\">clients</text>", top + CLIENTS - 3.0);
        for operation in &self.history.operations {
            for tried in &operation.tries {
                let (kind, told) = match &tried.outcome {
                    Outcome::Accepted { .. } => ("ok", "done"),
                    Outcome::Refused { why } => ("refused", why.as_str()),
                    Outcome::Unknown { why } => ("lost", why.as_str()),
                };
                let (x, y) = (self.scale.x(tried.sent_ns), top + 2.0);
                let title = format!(
                    "{} to {} at {}: {told}",
                    operation.what,
                    tried.node,
                    self.history.at(tried.sent_ns)
                );
                svg += &format!(
                    "<path class=\"ask {kind}\" d=\"M{x:.1} {y:.1}v10\"><title>{}</title></path>",
                    escape(&title)
                );
            }
        }
        svg
    }

    /// When all harm was undone, and when everything had ended.
    fn calm(&self, bottom: f64) -> String {
        let line = |ns: Option<u64>, what: &str| {
            let Some(ns) = ns else { return String::new() };
            let x = self.scale.x(ns);
            let (side, anchor) = if x > self.scale.width - 80.0 { (-3.0, "end") } else { (3.0, "start") };
            format!(
                "<g><title>{what} at {}</title><path class=\"calm\" d=\"M{x:.1} {TOP}V{bottom:.1}\"/>\
                 <text class=\"calm\" text-anchor=\"{anchor}\" x=\"{:.1}\" y=\"{:.1}\">{what}</text></g>",
                self.history.at(ns),
                x + side,
                bottom - 2.0
            )
        };
        line(self.history.healed_ns, "healed") + &line(self.history.ended_all_ns, "all ended")
    }
}
