//! One page that needs nothing else: no script, no font, no network.

use super::harm::family;
use super::summary;
use super::tables;
use super::timeline::timeline;
use crate::check::Verdict;
use crate::history::{FaultOutcome, History};
use crate::moment;

const STYLE: &str = include_str!("page.css");

/// The page of a run.
pub(super) fn page(history: &History, verdicts: &[Verdict]) -> String {
    let violations = summary::count(verdicts);
    let (kind, verdict) = match violations {
        0 => ("good", "every property held".to_owned()),
        1 => ("bad", "1 violation".to_owned()),
        more => ("bad", format!("{more} violations")),
    };
    let name = escape(&history.scenario);
    let body = [
        format!("<h1>{name}</h1>\n<p class=\"verdict {kind}\">{verdict}</p>\n"),
        facts(history),
        format!("<figure>{}</figure>\n", timeline(history, verdicts)),
        key(history),
        format!("<h2>What was done</h2>\n{}", tables::faults(history)),
        format!("<h2>What was judged</h2>\n{}", tables::properties(verdicts)),
        format!("<h2>Again</h2>\n<pre>{}</pre>\n", escape(&history.again)),
        "<p>The same history again: <code>pinode-jepsen check history.json</code></p>\n".to_owned(),
        format!("<details><summary>Every container</summary>\n{}</details>\n", tables::containers(history)),
    ];
    document(&format!("{name}: {verdict}"), &body.concat())
}

/// A page around a body.
pub(super) fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\n<style>\n{STYLE}</style></head>\n\
         <body>{body}</body></html>\n"
    )
}

fn facts(history: &History) -> String {
    let installed = history.faults.iter().filter(|fault| fault.outcome == FaultOutcome::Installed).count();
    let ended = match (history.healed_ns, history.ended_all_ns) {
        (Some(healed), Some(ended)) => format!("{:.1} s", moment::seconds(healed, ended)),
        (Some(_), None) => "never".to_owned(),
        (None, _) => "–".to_owned(),
    };
    let facts = [
        ("pieces of harm", installed.to_string()),
        ("requests", history.operations.len().to_string()),
        ("containers", summary::containers(history).to_string()),
        ("attempts", history.engine_runs.len().to_string()),
        ("from healing to the last end", ended),
        ("seconds", format!("{:.0}", moment::seconds(history.began_ns, history.ended_ns))),
        ("seed", history.seed.to_string()),
    ];
    let each = facts.map(|(name, value)| format!("<div><dt>{name}</dt><dd>{value}</dd></div>"));
    format!("<dl class=\"facts\">{}</dl>\n", each.concat())
}

fn key(history: &History) -> String {
    let mut tones: Vec<&str> = history.faults.iter().map(|fault| family(fault.what)).collect();
    tones.sort_unstable();
    tones.dedup();
    let tones: String =
        tones.iter().map(|tone| format!(" <span class=\"tone {tone}\">{tone}</span>")).collect();
    format!(
        "<p class=\"key\"><span class=\"succeeded\">ended with 0</span> <span class=\"failed\">ended with another code</span> \
         <span class=\"cut\">ended by a power cut</span> <span class=\"unknown\">end not seen</span>; the line before a bar: \
         claimed, not started yet; #2: second attempt; harm to{tones}; hold the pointer over anything to read about it</p>\n"
    )
}

/// Text inside of HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::judge;
    use crate::check::sample::good;

    #[test]
    fn the_page_shows_attempts_faults_properties_and_the_line_that_runs_it_again() {
        let history = good();
        let page = page(&history, &judge(&history));
        for part in [
            "every property held",
            "film-1.encode0 #1 on n3, from 6.000 s to 10.000 s: cut",
            "film-1.encode0 #2 on n1, from 28.000 s to 32.005 s: succeeded, code 0",
            "power cut from 10.000 s to 40.200 s",
            "Two attempts of one container never run at the same time.",
            "<pre>pinode-jepsen real --scenario film --seed 7</pre>",
            "prefers-color-scheme",
        ] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("class=\"bad\"") && !page.contains(" accused\""));
    }

    #[test]
    fn violations_stand_in_the_table_and_are_text() {
        let mut history = good();
        let film = history.film.as_mut().unwrap();
        (film.state, film.error) = ("failed".to_owned(), Some("<b>& film-1.merge".to_owned()));
        let page = page(&history, &judge(&history));
        assert!(page.contains("it is failed: &lt;b&gt;&amp; film-1.merge</li>"), "{page}");
        assert!(page.contains(" accused\""));
    }
}
