//! What does not fit into a picture: harm, properties, containers.

use super::harm::family;
use super::page::escape;
use crate::check::Verdict;
use crate::history::{EngineRun, Fault, FaultOutcome, History};
use crate::moment;

/// What was done, in the order in which it was begun.
pub(super) fn faults(history: &History) -> String {
    let mut faults: Vec<&Fault> = history.faults.iter().collect();
    faults.sort_by_key(|fault| fault.began_ns);
    let rows: String = faults.into_iter().map(|fault| fault_row(history, fault)).collect();
    let ends: String = history
        .own_ends
        .iter()
        .map(|end| {
            format!("<li>{} ended by itself before {}</li>", escape(&end.node), history.at(end.seen_ns))
        })
        .collect();
    format!(
        "<table><tr><th>at</th><th>what</th><th>to</th><th>lasted</th><th>how</th></tr>\n{rows}</table>\n<ul>{ends}</ul>\n"
    )
}

fn fault_row(history: &History, fault: &Fault) -> String {
    let lasted = match (fault.outcome, fault.healed_ns) {
        (FaultOutcome::Skipped, _) => "skipped".to_owned(),
        (FaultOutcome::Indeterminate, _) => "perhaps".to_owned(),
        (FaultOutcome::Installed, Some(healed)) => {
            format!("{:.1} s", moment::seconds(fault.began_ns, healed))
        }
        (FaultOutcome::Installed, None) => "to the end".to_owned(),
    };
    format!(
        "<tr><td class=\"n\">{}</td><td class=\"n\"><span class=\"tone {}\">{}</span></td><td class=\"n\">{}</td>\
         <td class=\"n\">{lasted}</td><td>{}</td></tr>\n",
        history.at(fault.began_ns),
        family(fault.what),
        fault.what.words(),
        escape(&fault.nodes.join(", ")),
        escape(&fault.note)
    )
}

/// What was judged, and what was found.
pub(super) fn properties(verdicts: &[Verdict]) -> String {
    let rows: String = verdicts.iter().map(property_row).collect();
    format!("<table><tr><th>property</th><th>what must hold</th><th>found</th></tr>\n{rows}</table>\n")
}

fn property_row(verdict: &Verdict) -> String {
    let property = verdict.property;
    let found = if verdict.violations.is_empty() {
        "<td class=\"good\">holds</td>".to_owned()
    } else {
        let items: String = verdict.violations.iter().map(|v| format!("<li>{}</li>", escape(&v.0))).collect();
        format!("<td class=\"bad\"><ul>{items}</ul></td>")
    };
    format!("<tr><td>{}</td><td>{}</td>{found}</tr>\n", escape(property.name), escape(property.promise))
}

/// Each container with its attempts, as the engines showed them.
pub(super) fn containers(history: &History) -> String {
    let rows: String = history.jobs.keys().map(|name| container_row(history, name)).collect();
    format!("<table><tr><th>container</th><th>in the end</th><th>attempts</th></tr>\n{rows}</table>\n")
}

fn container_row(history: &History, name: &str) -> String {
    let state = history.last_seen(name).map_or("–", |seen| seen.state.as_str());
    let mut runs: Vec<&EngineRun> = history.engine_runs.iter().filter(|run| run.name == name).collect();
    runs.sort_by_key(|run| run.attempt);
    let told = runs.iter().map(|run| {
        let from =
            run.started_ns.iter().min().map_or_else(|| "never started".to_owned(), |ns| history.at(*ns));
        let to = run
            .finished_ns
            .map_or_else(|| run.state.clone(), |ns| format!("{}, code {}", history.at(ns), run.code));
        format!("#{} on {}: {from} – {to}", run.attempt, run.node)
    });
    let told: Vec<String> = told.collect();
    format!(
        "<tr><td class=\"n\">{}</td><td>{state}</td><td>{}</td></tr>\n",
        escape(name),
        escape(&told.join("; "))
    )
}
