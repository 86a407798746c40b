//! Harm in the picture: a shade over the lane of each node that it was done to, and a label above.

use super::page::escape;
use super::row::Rows;
use super::scale::Scale;
use crate::history::{Fault, FaultKind, FaultOutcome, History};

const ROW: f64 = 14.0;
const LETTER: f64 = 6.1;

/// The labels, and how much room they take.
pub(super) fn labels(history: &History, scale: &Scale, node: &str, top: f64) -> (String, f64) {
    let mut faults: Vec<&Fault> = history.faults.iter().filter(|fault| fault.hit(node)).collect();
    faults.sort_by_key(|fault| fault.began_ns);
    let mut rows = Rows::default();
    let mut svg = String::new();
    for fault in faults {
        let (from, to) = span(history, scale, fault);
        let doubt = if fault.outcome == FaultOutcome::Indeterminate { " (perhaps)" } else { "" };
        let label = format!("{}{doubt}", fault.what.words());
        let end = to.max(from + label.len() as f64 * LETTER + 6.0);
        let y = top + rows.place(from, end + 4.0) as f64 * ROW;
        svg += &format!(
            "<g>{}<rect class=\"harm {}\" x=\"{from:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"11\" rx=\"2\"/>\
             <text class=\"harm\" x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
            title(history, fault),
            family(fault.what),
            to - from,
            from + 3.0,
            y + 9.0,
            escape(&label)
        );
    }
    (svg, ROW * rows.count() as f64)
}

/// The shades, from the top of the lane to its bottom.
pub(super) fn shades(history: &History, scale: &Scale, node: &str, (top, height): (f64, f64)) -> String {
    let hit = history.faults.iter().filter(|fault| fault.hit(node));
    hit.map(|fault| {
        let (from, to) = span(history, scale, fault);
        format!(
            "<rect class=\"shade {}\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\">{}</rect>",
            family(fault.what),
            top - 4.0,
            to - from,
            height + 8.0,
            title(history, fault)
        )
    })
    .collect()
}

fn span(history: &History, scale: &Scale, fault: &Fault) -> (f64, f64) {
    let from = scale.x(fault.began_ns);
    (from, scale.x(fault.healed_ns.unwrap_or(history.ended_ns)).max(from + 2.0))
}

fn title(history: &History, fault: &Fault) -> String {
    let until = fault.healed_ns.map_or_else(|| "the end".to_owned(), |ns| history.at(ns));
    let told =
        format!("{} from {} to {until}: {}", fault.what.words(), history.at(fault.began_ns), fault.note);
    format!("<title>{}</title>", escape(&told))
}

/// What is harmed, which gives it its colour.
pub(super) fn family(what: FaultKind) -> &'static str {
    match what {
        FaultKind::Cut | FaultKind::BootClock => "power",
        FaultKind::Kill | FaultKind::Leave | FaultKind::Pause | FaultKind::WallClock => "process",
        FaultKind::Partition | FaultKind::OneWay | FaultKind::Loss | FaultKind::Link => "network",
        FaultKind::EngineKill | FaultKind::EngineStop | FaultKind::EngineHang | FaultKind::ShimKill => {
            "engine"
        }
        FaultKind::DiskFull | FaultKind::DiskSlow | FaultKind::DiskFail | FaultKind::Wipe => "disk",
        FaultKind::Drain | FaultKind::Add | FaultKind::Remove => "members",
    }
}
