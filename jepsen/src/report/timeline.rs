//! The picture: a lane a node, a bar an attempt with its name, and the time without power.

use super::page::escape;
use super::row::Rows;
use crate::history::{FaultKind, FaultOutcome, History, Span};
use crate::moment;

const WIDTH: f64 = 1200.0;
/// Names of the nodes stand here.
const LEFT: f64 = 44.0;
const BAR: f64 = 14.0;
const ROW: f64 = 18.0;
const TOP: f64 = 22.0;
const GAP: f64 = 14.0;
/// A letter of a name, in the font of the page.
const LETTER: f64 = 6.1;
/// Ticks of the axis, at most.
const TICKS: f64 = 14.0;

/// The picture of a run as SVG.
pub(super) fn timeline(history: &History) -> String {
    let scale = Scale::of(history);
    let mut top = TOP;
    let mut lanes = String::new();
    for node in &history.nodes {
        let (lane, height) = lane(history, &scale, node, top);
        lanes += &lane;
        top += height + GAP;
    }
    let axis = axis(&scale, top);
    let height = top + 4.0;
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"which node ran what, and when\">{axis}{lanes}</svg>"
    )
}

/// From moments to places.
struct Scale {
    from_ns: u64,
    /// Seconds of the run at which the picture begins and ends.
    first: f64,
    last: f64,
}

impl Scale {
    /// From the first request to the last look.
    fn of(history: &History) -> Scale {
        let sent =
            history.operations.iter().flat_map(|operation| &operation.tries).map(|tried| tried.sent_ns);
        let from_ns = history.began_ns;
        let first = moment::seconds(from_ns, sent.min().unwrap_or(from_ns));
        let last = moment::seconds(from_ns, history.ended_ns).max(first + 1.0);
        Scale { from_ns, first, last }
    }

    fn x(&self, ns: u64) -> f64 {
        self.place(moment::seconds(self.from_ns, ns))
    }

    fn place(&self, seconds: f64) -> f64 {
        let part = (seconds - self.first) / (self.last - self.first);
        LEFT + part.clamp(0.0, 1.0) * (WIDTH - LEFT - 4.0)
    }
}

/// The same seconds since the run began that sentences tell.
fn axis(scale: &Scale, bottom: f64) -> String {
    let fits = |step: &f64| (scale.last - scale.first) / step <= TICKS;
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 60.0].into_iter().find(fits).unwrap_or(300.0);
    let mut svg = String::new();
    let mut seconds = (scale.first / step).ceil() * step;
    while seconds <= scale.last {
        let x = scale.place(seconds);
        svg += &format!("<path class=\"tick\" d=\"M{x:.1} {TOP}V{bottom:.1}\"/>");
        svg += &format!("<text class=\"axis\" x=\"{x:.1}\" y=\"12\">{seconds} s</text>");
        seconds += step;
    }
    svg
}

/// A lane, and its height.
fn lane(history: &History, scale: &Scale, node: &str, top: f64) -> (String, f64) {
    let mut spans: Vec<Span<'_>> =
        history.engine_spans().into_iter().filter(|span| span.node == node).collect();
    spans.sort_by_key(|span| span.from_ns);
    let mut rows = Rows::default();
    let bars: String = spans.iter().map(|span| bar(history, scale, span, &mut rows, top)).collect();
    let height = ROW * rows.count().max(1) as f64;
    let name = format!("<text class=\"node\" x=\"0\" y=\"{:.1}\">{}</text>", top + BAR - 3.0, escape(node));
    (dark(history, scale, node, (top, height)) + &name + &bars, height)
}

fn bar(history: &History, scale: &Scale, span: &Span<'_>, rows: &mut Rows, top: f64) -> String {
    let label = format!("{} #{}", span.name, span.attempt);
    let (from, to) = (scale.x(span.from_ns), scale.x(span.to_ns));
    let width = (to - from).max(2.0);
    let text = label.len() as f64 * LETTER + 6.0;
    let row = rows.place(from, from + width.max(text) + 4.0);
    let y = top + row as f64 * ROW;
    let kind = kind(history, span);
    let (begun, ended) = (history.at(span.from_ns), history.at(span.to_ns));
    let label = escape(&label);
    format!(
        "<g><title>{label} on {}, from {begun} to {ended}: {kind}</title>\
         <rect class=\"bar {kind}\" x=\"{from:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>\
         <text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{label}</text></g>",
        escape(span.node),
        from + 3.0,
        y + BAR - 4.0
    )
}

/// How a bar looks, and what is said of it: how the attempt ended.
fn kind(history: &History, span: &Span<'_>) -> &'static str {
    let same = |run: &&crate::history::EngineRun| {
        run.name == span.name && run.attempt == span.attempt && run.node == span.node
    };
    let Some(run) = history.engine_runs.iter().find(same) else { return "unknown" };
    match (history.cut_of(run), run.finished_ns, run.code) {
        (Some(_), ..) => "cut",
        (None, Some(_), 0) => "succeeded",
        (None, Some(_), _) => "failed",
        (None, None, _) => "unknown",
    }
}

/// From each power cut to the power's return, or to the end.
fn dark(history: &History, scale: &Scale, node: &str, (top, height): (f64, f64)) -> String {
    let done = history.faults.iter().filter(|f| f.node == node && f.outcome != FaultOutcome::Skipped);
    let mut svg = String::new();
    for cut in done.clone().filter(|fault| fault.what == FaultKind::Cut) {
        let back = done.clone().find(|fault| fault.what == FaultKind::Power && fault.began_ns > cut.began_ns);
        let (from, to) =
            (scale.x(cut.began_ns), scale.x(back.map_or(history.ended_ns, |back| back.ended_ns)));
        let (y, height, width) = (top - 4.0, height + 8.0, to - from);
        let note = escape(&format!("power cut at {}: {}", history.at(cut.began_ns), cut.note));
        svg += &format!(
            "<g><title>{note}</title>\
             <rect class=\"dark\" x=\"{from:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>\
             <path class=\"fault\" d=\"M{from:.1} {y:.1}v{height:.1}\"/>\
             <text class=\"fault\" x=\"{:.1}\" y=\"{:.1}\">no power</text></g>",
            to - 54.0,
            top + height - 12.0
        );
    }
    svg
}
